/*
 * Orphans.
 *
 * All three ways to kill are one sweep: read /proc, mark the roots (which differ) and everything below them,
 * kill what is marked, and again until nothing marked lives.  A process that forks faster than it is looked
 * at loses its race when its group is killed at once, which the caller does first; what slips away
 * nevertheless has become a child of ours by the next round.  Only what cannot be killed at all (another
 * user's, or stuck in the kernel) outlasts the time of a sweep.
 */
#include "work/process/orphans.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/text.h"
#include "work/process/identity.h"
#include "work/process/proc.h"
#include "work/process/running.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long one sweep goes on killing. */
#define TREE_LIMIT_MS 2000
#define ORPHANS_LIMIT_MS 500
#define LEFTOVERS_LIMIT_MS 10000

/* The longest pause between two rounds; the first is a millisecond. */
#define PAUSE_MAX_MS 32

/* How many rounds in a row must find nothing, after a kill and where something could not be told. */
#define QUIET_AFTER_KILL 2
#define QUIET_AFTER_DOUBT 5

struct sweep {
	/* Whether proc is to be killed for its own sake, not for its parent's. */
	bool (*is_root)(struct sweep *sweep, const struct proc *proc);

	/* for is_root */
	pid_t leader;
	const struct id *operation; /* of the leader */
	uint64_t mark;		    /* of the leader's run */
	const struct identity *servers;
	size_t server_count;

	/* of the last round, to count every process once */
	struct proc_table table;
	bool *marked; /* by index in table */

	unsigned killed;
	unsigned refused;   /* of the last round: those that may not be killed */
	unsigned survivors; /* of the last round: those that had been killed in the one before */
	unsigned doubtful;  /* of the last round: those whose environment may be there in a moment */
};

/* Whether this process may have children that it did not spawn: then only what names an operation is taken
 * for an orphan of ours. */
static bool has_strangers;

static bool
is_marked(const struct proc_table *table, const bool *marked, const struct proc *proc)
{
	return proc && marked[proc - table->procs];
}

/* Whether proc was killed in the last round. */
static bool
was_killed(const struct sweep *sweep, const struct proc *proc)
{
	const struct proc *before = proc_table_find(&sweep->table, proc->pid);

	return is_marked(&sweep->table, sweep->marked, before) && before->start_time == proc->start_time;
}

/* Marks the roots, what was killed and still is there (while it dies nothing tells any more that it was
 * ours), and until nothing more is found, whatever has a marked parent. */
static bool *
mark(struct sweep *sweep, const struct proc_table *table)
{
	bool *marked = xcalloc(table->count, sizeof *marked);
	bool more = true;

	for (size_t i = 0; i < table->count; i++) {
		const struct proc *proc = &table->procs[i];
		marked[i] = proc->pid != getpid() && (was_killed(sweep, proc) || sweep->is_root(sweep, proc));
	}
	while (more) {
		more = false;
		for (size_t i = 0; i < table->count; i++) {
			const struct proc *proc = &table->procs[i];
			if (marked[i] || proc->pid == getpid() ||
				!is_marked(table, marked, proc_table_find(table, proc->ppid)))
				continue;
			marked[i] = true;
			more = true;
		}
	}
	return marked;
}

static void
kill_one(struct sweep *sweep, const struct proc *proc)
{
	bool is_again = was_killed(sweep, proc);
	int rc = proc_signal(proc, SIGKILL);

	sweep->survivors += is_again || rc == -EPERM;
	sweep->killed += rc == 0 && !is_again;
	sweep->refused += rc == -EPERM;
}

/* One round; answers how many were alive that should not be, or -errno. */
static int
go_round(struct sweep *sweep)
{
	struct proc_table table;
	int alive = 0;
	int rc = proc_table_read(&table);

	if (rc < 0)
		return rc;
	sweep->refused = sweep->survivors = sweep->doubtful = 0;
	bool *marked = mark(sweep, &table);
	for (size_t i = 0; i < table.count; i++) {
		const struct proc *proc = &table.procs[i];
		if (proc_is_zombie(proc)) {
			if (proc->ppid == getpid() && !running_has_leader(proc))
				proc_reap(proc);
		} else if (marked[i]) {
			kill_one(sweep, proc);
			alive++;
		}
	}
	proc_table_fini(&sweep->table);
	free(sweep->marked);
	sweep->table = table;
	sweep->marked = marked;
	return alive;
}

/* Whether another round may find something.  One that finds nothing is not believed at once: what forks and
 * ends all the time may have stood where /proc had been read already, and what was in an execve(2) had no
 * environment. */
static bool
wants_more(const struct sweep *sweep, int alive, unsigned quiet)
{
	if (alive != 0)
		return alive > 0 && (unsigned)alive > sweep->refused;
	if (sweep->doubtful > 0)
		return quiet < QUIET_AFTER_DOUBT;
	return sweep->killed > 0 && quiet < QUIET_AFTER_KILL;
}

/* Goes round until nothing is left to be killed, or nothing more can be.  Answers whether something is. */
static bool
run_sweep(struct sweep *sweep, int64_t limit_ms)
{
	int64_t end_ms = clock_mono_ms() + limit_ms;
	int pause_ms = 1, alive;
	unsigned quiet = 0; /* rounds in a row that found nothing */

	for (;;) {
		alive = go_round(sweep);
		quiet = alive == 0 ? quiet + 1 : 0;
		if (!wants_more(sweep, alive, quiet) || clock_mono_ms() >= end_ms)
			break;
		if (alive > 0 || sweep->doubtful > 0)
			poll(NULL, 0, pause_ms);
		pause_ms = pause_ms < PAUSE_MAX_MS ? pause_ms * 2 : PAUSE_MAX_MS;
	}
	if (alive < 0)
		log_error("cannot search for left-over processes", "reason=%s", strerrordesc_np(-alive));
	proc_table_fini(&sweep->table);
	free(sweep->marked);
	sweep->marked = NULL;
	return alive > 0;
}

/* The operation that a process names; NULL if it names none that can be read. */
static const struct id *
read_mark(struct sweep *sweep, const struct proc *proc, struct id *ret_id)
{
	int rc = proc_is_zombie(proc) ? -ENOENT : proc_read_mark(proc->pid, ret_id);

	sweep->doubtful += rc == -EAGAIN;
	return rc == 0 ? ret_id : NULL;
}

/* Whether a child of ours that a program has left behind is of the leader's run. */
static bool
is_of_run(struct sweep *sweep, const struct proc *proc)
{
	uint64_t mark = identity_read_mark(proc->pid);
	struct id id;

	if (identity_has_mark(identity_own(), mark))
		return mark == sweep->mark;
	return read_mark(sweep, proc, &id) && id_equal(&id, sweep->operation);
}

/* The leader's pid cannot have become another's while nobody has waited for it, and so neither can its
 * session or group. */
static bool
is_of_tree(struct sweep *sweep, const struct proc *proc)
{
	if (proc->pid == sweep->leader || proc->pgid == sweep->leader || proc->sid == sweep->leader)
		return true;
	return proc->ppid == getpid() && !running_has_leader(proc) && is_of_run(sweep, proc);
}

void
orphans_kill_tree(pid_t leader, const struct id *id)
{
	struct sweep sweep = {
		.is_root = is_of_tree, .leader = leader, .operation = id, .mark = running_mark_of(leader)};

	if (run_sweep(&sweep, TREE_LIMIT_MS) && sweep.survivors > 0)
		log_error("cannot kill processes of a program", "operation=%s processes=%u", LOG_ID(id),
			sweep.survivors);
}

static bool
is_orphan(struct sweep *sweep, const struct proc *proc)
{
	struct id id;

	if (proc->ppid != getpid() || proc_is_zombie(proc) || running_has_leader(proc))
		return false;
	uint64_t run = identity_read_mark(proc->pid);
	if (identity_has_mark(identity_own(), run))
		return !running_has_mark(run);
	const struct id *mark = read_mark(sweep, proc, &id);
	return (mark || !has_strangers) && !running_may_have(proc, mark);
}

/* Whether a child of ours that no run waits for has ended: one of a program that still runs, say. */
static bool
has_zombie(void)
{
	siginfo_t info = {0};
	struct proc proc;

	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
		return false;
	return proc_read(info.si_pid, &proc) == 0 && !running_has_leader(&proc);
}

void
orphans_reap(void)
{
	static atomic_flag is_busy = ATOMIC_FLAG_INIT;
	static bool is_left;	   /* the last sweep has left something to be looked at again */
	static unsigned survivors; /* of the last sweep */

	if (atomic_flag_test_and_set(&is_busy))
		return;
	if (running_take_ended() || is_left || has_zombie()) {
		struct sweep sweep = {.is_root = is_orphan};

		is_left = run_sweep(&sweep, ORPHANS_LIMIT_MS) || sweep.doubtful > 0;
		if (sweep.killed > 0)
			log_warning("orphans of programs killed", "processes=%u", sweep.killed);
		if (sweep.survivors > survivors)
			log_error("cannot kill orphans of programs", "processes=%u", sweep.survivors);
		survivors = sweep.survivors;
	}
	atomic_flag_clear(&is_busy);
}

/* Whether a process was started by a run of one of the servers. */
static bool
is_of_servers(struct sweep *sweep, const struct proc *proc)
{
	uint64_t mark = identity_read_mark(proc->pid);
	struct id id;
	int rc = proc_read_server_mark(proc->pid, &id);

	sweep->doubtful += rc == -EAGAIN && !identity_can_mark();
	for (size_t i = 0; i < sweep->server_count; i++)
		if (identity_has_mark(&sweep->servers[i], mark) ||
			(rc == 0 && id_equal(&id, &sweep->servers[i].id)))
			return true;
	return false;
}

/* Whether a process runs the same file as we do. */
static bool
is_server(pid_t pid)
{
	struct stat own, other;
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
	return stat("/proc/self/exe", &own) == 0 && stat(path, &other) == 0 && own.st_dev == other.st_dev &&
	       own.st_ino == other.st_ino;
}

/* Whether another server that lives is above the process: then that one looks after it. */
static bool
has_living_server(const struct proc *proc)
{
	struct proc above = *proc;

	while (above.ppid > 1 && above.ppid != getpid() && proc_read(above.ppid, &above) == 0)
		if (!proc_is_zombie(&above) && is_server(above.pid))
			return true;
	return false;
}

static bool
is_leftover(struct sweep *sweep, const struct proc *proc)
{
	return !proc_is_zombie(proc) && is_of_servers(sweep, proc) && !has_living_server(proc);
}

unsigned
orphans_kill_leftovers(const struct identity *servers, size_t count)
{
	struct sweep sweep = {.is_root = is_leftover, .servers = servers, .server_count = count};

	if (count == 0)
		return 0;
	if (run_sweep(&sweep, LEFTOVERS_LIMIT_MS))
		log_error(
			"cannot kill programs left by the previous server", "processes=%u", sweep.survivors);
	return sweep.killed;
}

void
orphans_start(void)
{
	siginfo_t info;

	/* A disposition to ignore SIGCHLD is inherited, and would have the kernel reap the programs
	 * unseen. */
	signal(SIGCHLD, SIG_DFL);
	identity_start();
	has_strangers = getpid() == 1 || waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		log_error("cannot adopt orphaned processes", "reason=%s", strerrordesc_np(errno));
}
