/* One thread that runs transfers.  For transfers.c only. */
#pragma once

#include "transfer/transfer.h"
#include "transfer/transfers.h"

/* Starts a thread, named by number.  -errno. */
__attribute__((warn_unused_result)) int transfer_thread_new(
	struct mailbox *mailbox, unsigned number, struct transfer_thread **ret_thread);

/* Waits until its transfers have finished, ends and frees it.  Loop thread. */
void transfer_thread_free(struct transfer_thread *thread);

/* Returns how many transfers it has.  Any thread. */
unsigned transfer_thread_load(const struct transfer_thread *thread);

/* transfer_thread_add gives it a transfer, which it takes in its next pass; transfer_thread_wake then ends its
 * sleep, if it sleeps.  Loop thread. */
void transfer_thread_add(struct transfer_thread *thread, struct transfer *transfer);
void transfer_thread_wake(struct transfer_thread *thread);
