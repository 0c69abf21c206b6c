/* One of the transfers' threads: see transfers.h, and there for what a transfer says on its thread. */
#pragma once

#include "work/transfer.h"
#include "work/transfers.h"

/* Makes the thread with that number, for its name.  -errno; abort()s only where memory is out. */
__attribute__((warn_unused_result)) int transfer_thread_new(
	struct mailbox *mailbox, unsigned number, struct transfer_thread **ret_thread);

/* Lets it end once it has nothing left, waits for that, and frees it.  Loop thread. */
void transfer_thread_free(struct transfer_thread *thread);

/* The transfers that it has.  Any thread. */
unsigned transfer_thread_load(const struct transfer_thread *thread);

/* Gives it a transfer, of which it learns when it next looks; and makes it look.  Loop thread. */
void transfer_thread_add(struct transfer_thread *thread, struct transfer *transfer);
void transfer_thread_wake(struct transfer_thread *thread);
