/* The transfers' threads. */
#include "transfer/transfers.h"

#include "common/log.h"
#include "common/loop/mailbox.h"
#include "common/text.h"
#include "transfer/thread.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

/* Threads that new transfers are spread over at most. */
#define SPREAD_MAX 8u

struct transfers {
	struct mailbox *mailbox;
	unsigned spread; /* threads that new transfers are spread over while they have room */

	struct transfer_thread **threads; /* in order of their making */
	unsigned count;
	bool *is_to_wake;  /* by thread: it was given something since the last flush */
	struct mail flush; /* wakes them, once what the loop has at hand has been done */
	bool is_flush_posted;
	bool is_stopped;
};

static unsigned
count_processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof set, &set) < 0)
		return 1;
	unsigned count = (unsigned)CPU_COUNT(&set);
	return count < 1 ? 1 : count > SPREAD_MAX ? SPREAD_MAX : count;
}

/* All that the loop has read in one turn reaches the threads together. */
static void
on_flush(struct mail *mail)
{
	struct transfers *transfers = container_of(mail, struct transfers, flush);

	transfers->is_flush_posted = false;
	if (transfers->is_stopped)
		return;
	for (unsigned i = 0; i < transfers->count; i++) {
		if (transfers->is_to_wake[i])
			transfer_thread_wake(transfers->threads[i]);
		transfers->is_to_wake[i] = false;
	}
}

struct transfers *
transfers_new(struct mailbox *mailbox)
{
	struct transfers *transfers = xcalloc(1, sizeof *transfers);

	transfers->mailbox = mailbox;
	transfers->spread = count_processors();
	transfers->flush.deliver = on_flush;
	return transfers;
}

void
transfers_stop(struct transfers *transfers)
{
	transfers->is_stopped = true;
	for (unsigned i = 0; i < transfers->count; i++)
		transfer_thread_free(transfers->threads[i]);
	transfers->count = 0;
}

void
transfers_free(struct transfers *transfers)
{
	if (!transfers)
		return;
	assert(transfers->count == 0 && !transfers->is_flush_posted);
	free(transfers->threads);
	free(transfers->is_to_wake);
	free(transfers);
}

/* Makes one thread more, if it can. */
static bool
add_thread(struct transfers *transfers)
{
	struct transfer_thread *thread;
	unsigned count = transfers->count;
	int rc = transfer_thread_new(transfers->mailbox, count + 1, &thread);

	if (rc < 0) {
		log_error("cannot make a thread", "pool=transfer error=\"%s\"", strerrordesc_np(-rc));
		return false;
	}
	transfers->threads = reallocarray(transfers->threads, count + 1, sizeof *transfers->threads);
	transfers->is_to_wake = reallocarray(transfers->is_to_wake, count + 1, sizeof *transfers->is_to_wake);
	if (!transfers->threads || !transfers->is_to_wake)
		abort();
	transfers->threads[count] = thread;
	transfers->is_to_wake[count] = false;
	transfers->count++;
	return true;
}

/* The one that has the fewest, of those up to end. */
static unsigned
find_idlest(const struct transfers *transfers, unsigned end)
{
	unsigned best = 0, least = transfer_thread_load(transfers->threads[0]);

	for (unsigned i = 1; i < end && least > 0; i++) {
		unsigned load = transfer_thread_load(transfers->threads[i]);
		if (load < least) {
			least = load;
			best = i;
		}
	}
	return best;
}

static bool
has_room(const struct transfers *transfers, unsigned i)
{
	return transfer_thread_load(transfers->threads[i]) < TRANSFERS_PER_THREAD;
}

/* The thread for a new transfer. */
static unsigned
choose(struct transfers *transfers)
{
	if (transfers->count < transfers->spread && !add_thread(transfers) && transfers->count == 0)
		abort();
	unsigned i = transfers->count < transfers->spread ? transfers->count : transfers->spread;
	unsigned best = find_idlest(transfers, i);
	if (has_room(transfers, best))
		return best;
	for (; i < transfers->count; i++)
		if (has_room(transfers, i))
			return i;
	return add_thread(transfers) ? i : find_idlest(transfers, transfers->count);
}

void
transfers_add(struct transfers *transfers, struct transfer *transfer)
{
	assert(!transfers->is_stopped);
	unsigned i = choose(transfers);

	transfer_thread_add(transfers->threads[i], transfer);
	transfers->is_to_wake[i] = true;
	if (transfers->is_flush_posted)
		return;
	transfers->is_flush_posted = true;
	mailbox_defer(transfers->mailbox, &transfers->flush);
}
