/*
 * The throttle of log-ins: after a few failures from an address, each attempt from there waits for its turn,
 * and each failure makes the turns rarer.  IPv6 addresses count by their /64; callers on unix sockets count as
 * one.  Bounded: the address whose last failure is oldest is forgotten first.  Loop thread only.
 */
#pragma once

#include <stdint.h>

#define THROTTLE_FREE_FAILURES 5  /* failures without effect */
#define THROTTLE_FIRST_MS 100	  /* between turns after one failure more; doubled by each further one */
#define THROTTLE_INTERVAL_MS 5000 /* at most */
#define THROTTLE_WAIT_MS 10000	  /* longest wait for a turn */
#define THROTTLE_FORGET_MS 300000 /* after the last failure */
#define THROTTLE_ADDRESSES_MAX 4096

struct throttle;

struct throttle *throttle_new(void);
void throttle_free(struct throttle *throttle); /* NULL is allowed */

/* Takes the next turn for an attempt from address.  Returns the milliseconds to wait for it; -EAGAIN if that
 * would be too long. */
__attribute__((warn_unused_result)) int64_t throttle_take_turn(
	struct throttle *throttle, const char *address);

/* A log-in from address has failed. */
void throttle_add_failure(struct throttle *throttle, const char *address);
