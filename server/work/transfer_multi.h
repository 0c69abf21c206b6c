/*
 * What one thread has of libcurl: a multi handle with the connections that it keeps, driven by what happens
 * on its sockets, and the easy handles that wait to be used again.
 *
 * For one thread, but for transfer_multi_wake.
 */
#pragma once

#include "work/transfer_handle.h"
#include "work/transfer_sockets.h"

#include <stdbool.h>

struct transfer_multi;

/* Keeps at most that many connections, and as many idle handles.  -errno; -ENOMEM if libcurl cannot make one.
 */
__attribute__((warn_unused_result)) int transfer_multi_new(unsigned most, struct transfer_multi **ret_multi);
void transfer_multi_free(struct transfer_multi *multi); /* nothing is being sent; NULL is allowed */

/* A handle for that peer, to be given back; NULL if libcurl cannot make one. */
struct transfer_handle *transfer_multi_take_handle(
	struct transfer_multi *multi, const struct transfer_peer *peer);
void transfer_multi_give_handle(struct transfer_multi *multi, struct transfer_handle *handle);

/* Begins the exchange that handle is set up for, when it next goes on.  False if libcurl does not take it. */
__attribute__((warn_unused_result)) bool transfer_multi_add(
	struct transfer_multi *multi, struct transfer_handle *handle);

/* Ends an exchange that would go on; its connection is closed. */
void transfer_multi_abort(struct transfer_multi *multi, struct transfer_handle *handle);

/* Does what is due: begins what was added, and looks at libcurl's own times. */
void transfer_multi_go_on(struct transfer_multi *multi);

/* One whose exchange has ended, with code; NULL if there is none (any more). */
struct transfer_handle *transfer_multi_next_ended(struct transfer_multi *multi, CURLcode *ret_code);

/* Waits until something can go on, for at most that long, and lets that go on.  What has ended the wait: see
 * transfer_sockets_wait. */
unsigned transfer_multi_wait(struct transfer_multi *multi, int64_t most_ms);

/* Ends one wait, the next one if there is none.  Any thread. */
void transfer_multi_wake(struct transfer_multi *multi);

/* Whether connections are kept, and none of them can be used any more: the other side has closed them.
 * Nothing is being sent. */
bool transfer_multi_is_stale(const struct transfer_multi *multi);

/* Gives up what is kept: connections and idle handles.  Nothing is being sent. */
void transfer_multi_forget(struct transfer_multi *multi);
