/*
 * A pool of threads for work that blocks.  The first thread is there from the start; others are made
 * when there is work and no thread is idle, up to a limit.  All end when the pool is freed.  Every submitted job is run once and completed once, in the loop.
 */
#pragma once

#include "common/loop/mailbox.h"

#include <stddef.h>

struct pool;

struct pool_job {
	/* set by the caller */
	void (*run)(struct pool_job *job);  /* pool thread; all signals but those of faults are blocked */
	void (*done)(struct pool_job *job); /* loop thread; may free the job's memory */

	/* the pool's */
	struct mail mail;
	struct pool_job *next;
};

/* Makes a pool of up to max_threads threads (1 or more) that completes jobs through mailbox.  name is for the
 * threads' names, at most 10 characters.  Each thread has a stack of 512 KiB.  -errno, also if the first thread
 * cannot be made. */
__attribute__((warn_unused_result)) int pool_new(
	const char *name, struct mailbox *mailbox, unsigned max_threads, struct pool **ret_pool);

/* Makes the pool's threads give way to others by so many steps of nice(2).  Before the first job.  Loop
 * thread. */
void pool_set_nice(struct pool *pool, int steps);

/* Runs what is queued, waits for every thread to end; completions are then in the mailbox.  NULL is
 * allowed. */
void pool_free(struct pool *pool);

/* Queues job.  Never fails: if no more threads can be made, those that exist run it.  Loop thread. */
void pool_submit(struct pool *pool, struct pool_job *job);

/* Return the number of threads, and of those that run a job now.  Loop thread. */
unsigned pool_threads(struct pool *pool);
unsigned pool_busy(struct pool *pool);
