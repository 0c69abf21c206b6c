/*
 * Work: what a call does.  An input goes in, a result comes out, on a pool thread; the kinds of work
 * (program, upstream, collection) are one `struct work_type` each.
 */
#pragma once

#include "common/blob.h"
#include "common/http/fields.h"
#include "common/http/problem.h"
#include "common/id.h"
#include "common/loop/mailbox.h"
#include "work/input.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The final response of a call, or a problem that the operations still have to format. */
struct work_result {
	int status;	      /* 100..599 */
	struct fields fields; /* header fields of the final response, without those of framing */
	struct blob *body;    /* NULL: none */
	enum problem problem; /* not NONE: fields and body are empty, the operations write the problem */
	char *detail;	      /* with a problem: its detail; else NULL or a sentence on why the work failed */
	unsigned retry_after_s; /* with a problem of status 503: when it may be over; 0: unknown */
	bool never_began;	/* with a problem: nothing of the work has happened, for certain */
};

void work_result_fini(struct work_result *result);

/* Makes result (whatever it held is freed) the problem with that status (0: the table's) and detail. */
__attribute__((format(printf, 4, 5))) void work_result_set_problem(
	struct work_result *result, enum problem problem, int status, const char *format, ...);

/* Why running work is to stop.  Greater values overrule smaller ones. */
enum work_stop {
	WORK_GOES_ON,
	WORK_STOP, /* end in good order: SIGTERM, and SIGKILL after the grace time */
	WORK_KILL, /* end at once */
};

/*
 * How the loop controls running work.  The loop owns it; the pool thread uses it until the work's run returns.
 */
struct work_control {
	_Atomic int stop;      /* enum work_stop; see work_control_stop */
	int wake_fd;	       /* an eventfd that becomes readable when stop changes; -1: there is none */
	int spool_fd;	       /* directory for large results (see blob_sink), -1: memory only */
	int64_t stop_grace_ms; /* between SIGTERM and SIGKILL */
	uint64_t max_result_bytes;

	/* Called on the pool thread, if not NULL: percent 0..100 (-1: unchanged), text may be NULL and is
	 * lent. */
	void (*on_progress)(struct work_control *control, int percent, const char *text);

	/* Called on the pool thread, if not NULL, when a process group has been made for this work: its
	 * leader's pid and start time (field 22 of /proc/PID/stat), so that a later server can kill what this
	 * one left. */
	void (*on_process)(struct work_control *control, pid_t pid, uint64_t start_time);

	/* Called on the pool thread, if not NULL, when the work begins to wait for room on the disk (true), and when
	 * it does not wait any more. */
	void (*on_room)(struct work_control *control, bool waits);

	/* Called when stop has changed, if not NULL, by whoever changed it: set by work that is begun, which
	 * has no use for wake_fd. */
	void (*on_stop)(void *arg);
	void *stop_arg;
};

/* Sets spool_fd (-1) and max_result_bytes (no limit); the rest is zero.  -errno if no eventfd is available. */
__attribute__((warn_unused_result)) int work_control_init(struct work_control *control);
/* Like work_control_init without an eventfd, for work that is begun. */
void work_control_init_begun(struct work_control *control);
void work_control_fini(struct work_control *control);

/* Asks the work to stop; may be called again with a greater value.  Any thread, but that of the loop alone
 * for work that is begun. */
void work_control_stop(struct work_control *control, enum work_stop stop);

struct work;
struct transfers;

/* One run of work that is begun and goes on by itself.  It stays where it is until its mail has been
 * delivered. */
struct work_run {
	/* set by the caller; all lent */
	const struct work_input *input;
	struct work_control *control;
	struct work_result *result;  /* all zero; filled once the mail is posted */
	struct transfers *transfers; /* that it may use */
	struct mail mail; /* posted to the transfers' mailbox, once, when nothing of this is used any more */

	/* set by work that leaves its run to another kind */
	const char *method; /* in place of the input's; NULL: the input's */
	void (*check)(
		struct work_run *run); /* checks the result on the other kind's thread; NULL: no check */
};

/* A kind of work. */
struct work_type {
	const char *name; /* "program" */

	/* Does the work on the calling (pool) thread and always fills ret_result, which is all zero before.
	 * When the control says stop it returns soon; what it then answers is not looked at.  NULL: it is
	 * begun. */
	void (*run)(const struct work *work, const struct work_input *input, struct work_control *control,
		struct work_result *ret_result);

	/* Begins the work and returns: it needs no pool thread.  For the rest as run.  Loop thread; NULL: it
	 * is run. */
	void (*begin)(const struct work *work, struct work_run *run);

	void (*free)(struct work *work);
};

/* What a route does: made from the configuration, never changed, shared by all threads. First member of each
 * kind's struct. */
struct work {
	const struct work_type *type;
	_Atomic unsigned references;
};

struct work *work_ref(struct work *work);
void work_unref(struct work *work); /* NULL is allowed */
