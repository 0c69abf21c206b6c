/*
 * The threads on which transfers run: each drives up to TRANSFERS_PER_THREAD of them with one libcurl multi
 * handle, and keeps the connections that it has made.  A thread is made when those that exist have no room,
 * and ends with the transfers.
 *
 * A transfer that was added has turns, one at once and one after every rest; in each turn, and at each end of
 * an exchange, it says what comes next: transfer_start(), transfer_rest() or transfer_finish(), which is the
 * last of it.
 */
#pragma once

#include <stdint.h>

/* As many as one pass over all of them costs little; on the first few threads, one a processor, new ones are
 * spread. */
#define TRANSFERS_PER_THREAD 32u

struct mail;
struct mailbox;
struct transfer;
struct transfer_thread;
struct transfers;

/* Nothing is made yet but the struct.  Mail goes to mailbox. */
struct transfers *transfers_new(struct mailbox *mailbox);

/* Waits for the end of every transfer that was added, and of the threads.  Mail may be in the mailbox then;
 * transfers_free comes after its delivery.  Loop thread. */
void transfers_stop(struct transfers *transfers);
void transfers_free(struct transfers *transfers); /* NULL is allowed */

/* Hands transfer, which stays where it is until it is finished, to a thread.  Takes the control's on_stop.
 * Never fails: where no thread can be made and none exists yet, the process aborts.  Loop thread, not after
 * transfers_stop. */
void transfers_add(struct transfers *transfers, struct transfer *transfer);

/* From within on_turn and on_end, as the last thing done there.  Starting ends in one on_end, which may come
 * at once. */
void transfer_start(struct transfer *transfer);
/* The next turn comes after ms milliseconds, or at once when the control says stop. */
void transfer_rest(struct transfer *transfer, int64_t ms);
/* Posts mail; transfer itself is not used any more, and may have been freed before. */
void transfer_finish(struct transfer_thread *thread, struct mail *mail);
