/*
 * One thread's libcurl multi handle with its kept connections, driven by socket events, and the idle easy
 * handles.
 *
 * For one thread, except transfer_multi_wake.
 */
#pragma once

#include "transfer/handle.h"
#include "transfer/sockets.h"

#include <stdbool.h>

struct transfer_multi;

/* Keeps at most `most` connections, and as many idle handles.  -errno; -ENOMEM if libcurl fails. */
__attribute__((warn_unused_result)) int transfer_multi_new(unsigned most, struct transfer_multi **ret_multi);
void transfer_multi_free(struct transfer_multi *multi); /* nothing is being sent; NULL is allowed */

/* Returns a handle for peer, to be given back; NULL if libcurl cannot make one. */
struct transfer_handle *transfer_multi_take_handle(
	struct transfer_multi *multi, const struct transfer_peer *peer);
void transfer_multi_give_handle(struct transfer_multi *multi, struct transfer_handle *handle);

/* Adds the exchange that handle is set up for; transfer_multi_go_on begins it.  False if libcurl refuses. */
__attribute__((warn_unused_result)) bool transfer_multi_add(
	struct transfer_multi *multi, struct transfer_handle *handle);

/* Ends an exchange that is under way, and closes its connection. */
void transfer_multi_abort(struct transfer_multi *multi, struct transfer_handle *handle);

/* Begins exchanges that were added, and serves libcurl's timers that are due. */
void transfer_multi_go_on(struct transfer_multi *multi);

/* Returns a handle whose exchange has ended, and its code; NULL: no more have. */
struct transfer_handle *transfer_multi_next_ended(struct transfer_multi *multi, CURLcode *ret_code);

/* Waits up to most_ms for sockets to become ready, and lets libcurl work on them.  Returns what ended the wait,
 * as transfer_sockets_wait does. */
unsigned transfer_multi_wait(struct transfer_multi *multi, int64_t most_ms);

/* Ends the current wait, or else the next one.  Any thread. */
void transfer_multi_wake(struct transfer_multi *multi);

/* Whether connections are kept and the servers have closed all of them.  Only while nothing is being sent. */
bool transfer_multi_is_stale(const struct transfer_multi *multi);

/* Closes kept connections and frees idle handles.  Only while nothing is being sent. */
void transfer_multi_forget(struct transfer_multi *multi);
