/* The programs that run now. */
#include "work/process/running.h"

#include "work/process/identity.h"

#include <pthread.h>

/* Guards all below and the members of every run on the list. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct list runs = LIST_INIT(runs);
static bool has_ended;

void
running_add(struct running *run, const struct id *id)
{
	*run = (struct running){.id = *id, .since = proc_now(), .mark = identity_new_mark()};
	pthread_mutex_lock(&lock);
	list_add_tail(&runs, &run->link);
	pthread_mutex_unlock(&lock);
}

void
running_set_leader(struct running *run, pid_t leader)
{
	pthread_mutex_lock(&lock);
	run->leader = leader;
	pthread_mutex_unlock(&lock);
}

void
running_remove(struct running *run)
{
	pthread_mutex_lock(&lock);
	list_remove(&run->link);
	has_ended = true;
	pthread_mutex_unlock(&lock);
}

bool
running_take_ended(void)
{
	pthread_mutex_lock(&lock);
	bool ended = has_ended;
	has_ended = false;
	pthread_mutex_unlock(&lock);
	return ended;
}

/* Between the moment that a leader exists and the one that its pid is known, it may be any young child. */
static bool
may_lead(const struct running *run, const struct proc *proc)
{
	return run->leader ? run->leader == proc->pid : proc->start_time >= run->since;
}

static bool
may_have(const struct running *run, const struct proc *proc, const struct id *mark)
{
	if (may_lead(run, proc))
		return true;
	if (proc->start_time < run->since)
		return false;
	return proc->pgid == run->leader || proc->sid == run->leader || !mark || id_equal(mark, &run->id);
}

bool
running_has_leader(const struct proc *proc)
{
	bool found = false;

	pthread_mutex_lock(&lock);
	list_for_each(node, &runs)
		found = found || may_lead(container_of(node, struct running, link), proc);
	pthread_mutex_unlock(&lock);
	return found;
}

bool
running_may_have(const struct proc *proc, const struct id *mark)
{
	bool found = false;

	pthread_mutex_lock(&lock);
	list_for_each(node, &runs)
		found = found || may_have(container_of(node, struct running, link), proc, mark);
	pthread_mutex_unlock(&lock);
	return found;
}

uint64_t
running_mark_of(pid_t leader)
{
	uint64_t mark = 0;

	pthread_mutex_lock(&lock);
	list_for_each(node, &runs) {
		const struct running *run = container_of(node, struct running, link);
		if (run->leader == leader)
			mark = run->mark;
	}
	pthread_mutex_unlock(&lock);
	return mark;
}

bool
running_has_mark(uint64_t mark)
{
	bool found = false;

	pthread_mutex_lock(&lock);
	list_for_each(node, &runs)
		found = found || container_of(node, struct running, link)->mark == mark;
	pthread_mutex_unlock(&lock);
	return found;
}
