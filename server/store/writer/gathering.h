/*
 * Collects the writes of one turn of the loop and hands them to the writer together, so that they share a
 * commit.  If they were handed over one by one, the first would wake the writer and be synced alone; then
 * their answers, and the next calls of the same clients, would stay spread out.  Loop thread.
 */
#pragma once

#include "store/writer/write.h"

struct gathering {
	struct mailbox *mailbox;
	void (*hand_over)(void *arg, struct list *writes); /* must empty writes, in order */
	void *arg;
	struct list writes;
	struct turn *turn; /* called at the end of the turn; NULL: nothing has gathered */
};

void gathering_init(struct gathering *gathering, struct mailbox *mailbox,
	void (*hand_over)(void *arg, struct list *writes), void *arg);

void gathering_add(struct gathering *gathering, struct store_write *write);

/* Hands over the gathered writes at once. */
void gathering_end(struct gathering *gathering);
