/*
 * The mailbox: how any thread gives something to the loop.  A locked queue and an eventfd that the loop reads; mail is
 * delivered on the loop thread in the order in which it was posted, a bounded number a pass so that connections
 * are never starved.  No thread but the loop's touches libevent.
 */
#pragma once

struct event_base;
struct mailbox;

/* Stands in what is posted; the sender owns it again once deliver has been called. */
struct mail {
	struct mail *next;
	void (*deliver)(struct mail *mail); /* loop thread; may free what the mail stands in */
};

/* -errno if the eventfd or the event cannot be made. */
__attribute__((warn_unused_result)) int mailbox_new(struct event_base *base, struct mailbox **ret_mailbox);

/* Delivers what is left, then frees.  No thread may post any more.  NULL is allowed. */
void mailbox_free(struct mailbox *mailbox);

/* Queues mail for the loop.  Any thread. */
void mailbox_post(struct mailbox *mailbox, struct mail *mail);

/* The same with all that first leads to by next (NULL: nothing), in that order; the loop is woken once.  Any thread. */
void mailbox_post_all(struct mailbox *mailbox, struct mail *first);

/* The same once all that the loop has at hand has been done, without waking it for that.  Loop thread. */
void mailbox_defer(struct mailbox *mailbox, struct mail *mail);

/* Delivers all that was posted before the call, and what these deliveries post.  Loop thread, outside of a delivery. */
void mailbox_drain(struct mailbox *mailbox);
