/*
 * Slows log-ins from addresses where others have failed: after a few failures each attempt has to wait for
 * its turn, and turns come ever more slowly.  IPv6 addresses count by their /64; callers on unix sockets
 * count as one.  Bounded: the address that failed longest ago is forgotten first.  Loop thread only.
 */
#pragma once

#include <stdint.h>

#define THROTTLE_FREE_FAILURES 5  /* that slow nothing */
#define THROTTLE_FIRST_MS 100	  /* between turns after the next one; doubled by each further */
#define THROTTLE_INTERVAL_MS 5000 /* at most */
#define THROTTLE_WAIT_MS 10000	  /* longest wait for a turn */
#define THROTTLE_FORGET_MS 300000 /* after the last failure */
#define THROTTLE_ADDRESSES_MAX 4096

struct throttle;

struct throttle *throttle_new(void);
void throttle_free(struct throttle *throttle); /* NULL is allowed */

/* How many milliseconds an attempt from address has to wait for its turn, which is then taken; -EAGAIN if
 * there are too many before it. */
__attribute__((warn_unused_result)) int64_t throttle_take_turn(
	struct throttle *throttle, const char *address);

/* A log-in from address has failed. */
void throttle_add_failure(struct throttle *throttle, const char *address);
