/*
 * The mailbox: how any thread gives something to the loop.  A locked queue and an eventfd that the loop
 * reads; mail is delivered on the loop thread in the order in which it was posted, a bounded number a pass so
 * that connections are never starved.  No thread but the loop's touches libevent.
 */
#pragma once

struct event_base;
struct mailbox;

/* A member of the posted struct.  The sender owns it again once deliver has been called. */
struct mail {
	struct mail *next;
	void (*deliver)(struct mail *mail); /* loop thread; may free the posted struct */
};

/* -errno if the eventfd or the event cannot be made. */
__attribute__((warn_unused_result)) int mailbox_new(struct event_base *base, struct mailbox **ret_mailbox);

/* Delivers the remaining mail, then frees.  No thread may post any more.  NULL is allowed. */
void mailbox_free(struct mailbox *mailbox);

/* Queues mail for the loop.  Any thread. */
void mailbox_post(struct mailbox *mailbox, struct mail *mail);

/* Posts first and all mail linked behind it by next, in that order, and wakes the loop once.  NULL posts
 * nothing.  Any thread. */
void mailbox_post_all(struct mailbox *mailbox, struct mail *first);

/* Delivers mail at the end of the current turn of the loop, without waking the loop.  Loop thread. */
void mailbox_defer(struct mailbox *mailbox, struct mail *mail);

/* Delivers all mail posted before the call, and the mail that these deliveries post.  Loop thread, not from
 * within a delivery. */
void mailbox_drain(struct mailbox *mailbox);
