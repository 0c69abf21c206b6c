/*
 * Writes on their way from the loop to the writer: all that a pass of the loop makes go together, so that
 * they share a commit.  Handed over one by one, the first would wake the writer and be synced alone, and
 * their answers, and with them the next calls of their clients, would stay torn apart.  Loop thread.
 */
#pragma once

#include "store/write.h"

struct gathering {
	struct mailbox *mailbox;
	void (*hand_over)(void *arg, struct list *writes); /* empties writes, in their order */
	void *arg;
	struct list writes;
	struct turn *turn; /* comes once the pass has ended; NULL: nothing is gathered */
};

void gathering_init(struct gathering *gathering, struct mailbox *mailbox,
	void (*hand_over)(void *arg, struct list *writes), void *arg);

void gathering_add(struct gathering *gathering, struct store_write *write);

/* Hands over what is there without waiting for the end of the pass. */
void gathering_end(struct gathering *gathering);
