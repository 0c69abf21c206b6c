/* The mailbox: senders append to a list under a lock; the loop takes the whole list and delivers from it
 * unlocked.  What the loop defers is delivered by an event that is made active behind those that are. */
#include "common/loop/mailbox.h"

#include "common/text.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define DELIVERIES_PER_PASS 256

struct mailbox {
	/* loop thread */
	struct event *event; /* fd is readable */
	struct mail *taken;  /* taken from the queue, not yet delivered */
	bool delivering;
	struct event *turn_event; /* made active by hand */
	struct mail *deferred;
	struct mail **deferred_end;

	/* any thread */
	int fd;		      /* an eventfd: written when the queue stops being empty */
	pthread_mutex_t lock; /* guards the queue */
	struct mail *queue;
	struct mail **queue_end;
};

static void
wake(struct mailbox *mailbox)
{
	uint64_t one = 1;
	ssize_t n;

	do
		n = write(mailbox->fd, &one, sizeof one);
	while (n < 0 && errno == EINTR);
	/* EAGAIN would be a full counter, which is readable all the same. */
	assert(n == sizeof one || errno == EAGAIN);
}

static void
take(struct mailbox *mailbox)
{
	pthread_mutex_lock(&mailbox->lock);
	mailbox->taken = mailbox->queue;
	mailbox->queue = NULL;
	mailbox->queue_end = &mailbox->queue;
	pthread_mutex_unlock(&mailbox->lock);
}

/* Delivers one; false if there is none. */
static bool
deliver_one(struct mailbox *mailbox)
{
	struct mail *mail;

	if (!mailbox->taken)
		take(mailbox);
	mail = mailbox->taken;
	if (!mail)
		return false;
	mailbox->taken = mail->next;
	mail->next = NULL;
	mail->deliver(mail);
	return true;
}

/* Delivers what was deferred before the call; false if nothing was. */
static bool
deliver_deferred(struct mailbox *mailbox)
{
	struct mail *mail = mailbox->deferred;

	if (!mail)
		return false;
	mailbox->deferred = NULL;
	mailbox->deferred_end = &mailbox->deferred;
	while (mail) {
		struct mail *next = mail->next;
		mail->next = NULL;
		mail->deliver(mail);
		mail = next;
	}
	return true;
}

static void
on_turn_end(evutil_socket_t fd, short what, void *arg)
{
	struct mailbox *mailbox = arg;

	assert(!mailbox->delivering);
	mailbox->delivering = true;
	deliver_deferred(mailbox);
	mailbox->delivering = false;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct mailbox *mailbox = arg;
	uint64_t count;
	ssize_t n = read(fd, &count, sizeof count);
	int budget = DELIVERIES_PER_PASS;

	assert(n == sizeof count || errno == EAGAIN || errno == EINTR);
	assert(!mailbox->delivering);
	mailbox->delivering = true;
	while (budget > 0 && deliver_one(mailbox))
		budget--;
	mailbox->delivering = false;
	/* What was read may have spoken for mail that is still in the queue, even where nothing is left of
	 * what was taken. */
	if (budget == 0)
		wake(mailbox);
}

int
mailbox_new(struct event_base *base, struct mailbox **ret_mailbox)
{
	struct mailbox *mailbox;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	mailbox = xcalloc(1, sizeof *mailbox);
	mailbox->fd = fd;
	mailbox->queue_end = &mailbox->queue;
	mailbox->deferred_end = &mailbox->deferred;
	pthread_mutex_init(&mailbox->lock, NULL);
	mailbox->event = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, mailbox);
	mailbox->turn_event = event_new(base, -1, 0, on_turn_end, mailbox);
	if (!mailbox->turn_event || !mailbox->event || event_add(mailbox->event, NULL)) {
		mailbox_free(mailbox);
		return -ENOMEM;
	}
	*ret_mailbox = mailbox;
	return 0;
}

void
mailbox_free(struct mailbox *mailbox)
{
	if (!mailbox)
		return;
	mailbox_drain(mailbox);
	if (mailbox->event)
		event_free(mailbox->event);
	if (mailbox->turn_event)
		event_free(mailbox->turn_event);
	close(mailbox->fd);
	pthread_mutex_destroy(&mailbox->lock);
	free(mailbox);
}

void
mailbox_post_all(struct mailbox *mailbox, struct mail *first)
{
	struct mail *last = first;
	bool was_empty;

	if (!first)
		return;
	while (last->next)
		last = last->next;
	pthread_mutex_lock(&mailbox->lock);
	was_empty = !mailbox->queue;
	*mailbox->queue_end = first;
	mailbox->queue_end = &last->next;
	pthread_mutex_unlock(&mailbox->lock);
	if (was_empty)
		wake(mailbox);
}

void
mailbox_post(struct mailbox *mailbox, struct mail *mail)
{
	mail->next = NULL;
	mailbox_post_all(mailbox, mail);
}

void
mailbox_defer(struct mailbox *mailbox, struct mail *mail)
{
	mail->next = NULL;
	*mailbox->deferred_end = mail;
	mailbox->deferred_end = &mail->next;
	event_active(mailbox->turn_event, EV_TIMEOUT, 0);
}

void
mailbox_drain(struct mailbox *mailbox)
{
	assert(!mailbox->delivering);
	mailbox->delivering = true;
	while (deliver_one(mailbox) || deliver_deferred(mailbox))
		;
	mailbox->delivering = false;
}
