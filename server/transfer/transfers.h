/*
 * The threads that run transfers.  Each drives up to TRANSFERS_PER_THREAD of them with one libcurl multi handle
 * and keeps the connections that it has opened.  A thread is made when the others have no room, and ends in
 * transfers_stop().
 *
 * A transfer that was added gets turns (on_turn): the first at once, the next after each transfer_rest().  In
 * each turn, and at each end of an exchange (on_end), it says what comes next: transfer_start(),
 * transfer_rest() or transfer_finish(), which ends it.
 */
#pragma once

#include <stdint.h>

/* Few enough that scanning them all is cheap.  New transfers are spread over the first threads, one per
 * processor. */
#define TRANSFERS_PER_THREAD 32u

struct mail;
struct mailbox;
struct transfer;
struct transfer_thread;
struct transfers;

/* Makes no thread yet.  Mail of finished transfers goes to mailbox. */
struct transfers *transfers_new(struct mailbox *mailbox);

/* Waits until every transfer has finished and the threads have ended.  Their mail may still be in the mailbox:
 * deliver it before transfers_free.  Loop thread. */
void transfers_stop(struct transfers *transfers);
void transfers_free(struct transfers *transfers); /* NULL is allowed */

/* Hands transfer to a thread, which is then transfer->thread.  It must not move until it is finished.  Never
 * fails: if no thread exists and none can be made, the process aborts.  Loop thread, before transfers_stop. */
void transfers_add(struct transfers *transfers, struct transfer *transfer);

/* These three are called from on_turn and on_end, as the last thing done there.  transfer_start leads to one
 * on_end, which may be called before it returns. */
void transfer_start(struct transfer *transfer);
/* The next turn comes after ms milliseconds, or at once when the transfer is stopped. */
void transfer_rest(struct transfer *transfer, int64_t ms);
/* Posts mail.  The transfer is not used any more and may already be freed. */
void transfer_finish(struct transfer_thread *thread, struct mail *mail);
