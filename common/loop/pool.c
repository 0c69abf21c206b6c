/*
 * The pool.  A thread is available while it waits for a job, is starting, or posts its last completion.  A new
 * thread is made only when there are more queued jobs than available threads.  A thread becomes available
 * before its completion is posted, so that a job that the loop submits in response finds it available.
 */
#include "common/loop/pool.h"

#include "common/list.h"
#include "common/text.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STACK_BYTES (512 * 1024)
#define NAME_SIZE 11

struct worker {
	struct list link; /* in the pool's workers */
	struct pool *pool;
	pthread_t thread;
	unsigned number; /* for its name */
};

struct pool {
	/* fixed */
	char name[NAME_SIZE];
	struct mailbox *mailbox;
	pthread_attr_t attr; /* of the threads */
	unsigned max_threads;
	int nice; /* steps by which they give way to others; set before the first job */

	/* loop thread */
	unsigned made; /* threads so far */
	bool has_jobs; /* one was submitted */

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t work;  /* a job was queued, or the pool is ending */
	struct pool_job *queue;
	struct pool_job **queue_end;
	unsigned queued;
	unsigned threads;
	unsigned available; /* threads without a job */
	unsigned waiting;   /* available threads in pthread_cond_wait() */
	bool ending;	    /* no more jobs come */
	struct list workers;
};

/* The next job, or NULL.  Called with the lock held. */
static struct pool_job *
take_job(struct pool *pool)
{
	struct pool_job *job = pool->queue;

	if (!job)
		return NULL;
	pool->queue = job->next;
	if (!pool->queue)
		pool->queue_end = &pool->queue;
	pool->queued--;
	pool->available--;
	return job;
}

/* Waits for a job; NULL: the pool is ending. */
static struct pool_job *
wait_for_job(struct pool *pool)
{
	struct pool_job *job = NULL;

	pthread_mutex_lock(&pool->lock);
	while (!(job = take_job(pool)) && !pool->ending) {
		pool->waiting++;
		pthread_cond_wait(&pool->work, &pool->lock);
		pool->waiting--;
	}
	pthread_mutex_unlock(&pool->lock);
	return job;
}

static void
deliver(struct mail *mail)
{
	struct pool_job *job = container_of(mail, struct pool_job, mail);

	job->done(job);
}

static void
run_job(struct pool *pool, struct pool_job *job)
{
	job->run(job);
	pthread_mutex_lock(&pool->lock);
	pool->available++;
	pthread_mutex_unlock(&pool->lock);
	job->mail.deliver = deliver;
	mailbox_post(pool->mailbox, &job->mail);
}

static void *
worker_main(void *arg)
{
	struct worker *worker = arg;
	struct pool *pool = worker->pool;
	char name[16]; /* the kernel's limit */

	snprintf(name, sizeof name, "%s-%u", pool->name, worker->number % 10000);
	pthread_setname_np(pthread_self(), name);
	struct pool_job *job = wait_for_job(pool);
	/* On Linux niceness is the thread's alone.  If it is refused, the thread runs like the others. */
	if (job && pool->nice)
		(void)!nice(pool->nice);
	for (; job; job = wait_for_job(pool))
		run_job(pool, job);
	return NULL;
}

static int
make_worker(struct pool *pool)
{
	struct worker *worker = xcalloc(1, sizeof *worker);
	int rc;

	worker->pool = pool;
	worker->number = pool->made;
	pthread_mutex_lock(&pool->lock);
	list_add_tail(&pool->workers, &worker->link);
	pool->threads++;
	pool->available++;
	pthread_mutex_unlock(&pool->lock);
	rc = pthread_create(&worker->thread, &pool->attr, worker_main, worker);
	if (rc) {
		pthread_mutex_lock(&pool->lock);
		list_remove(&worker->link);
		pool->threads--;
		pool->available--;
		pthread_mutex_unlock(&pool->lock);
		free(worker);
		return -rc;
	}
	pool->made++;
	return 0;
}

static bool
wants_worker(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	bool wants = pool->queued > pool->available && pool->threads < pool->max_threads;
	pthread_mutex_unlock(&pool->lock);
	return wants;
}

/* Makes the threads that the queue needs and the limit allows.  If one cannot be made, the others do its
 * work. */
static void
make_workers(struct pool *pool)
{
	while (wants_worker(pool) && make_worker(pool) == 0)
		;
}

/* Waits until all workers have ended, and frees them. */
static void
join_workers(struct pool *pool)
{
	list_for_each_safe(link, &pool->workers) {
		struct worker *worker = container_of(link, struct worker, link);
		pthread_join(worker->thread, NULL);
		list_remove(&worker->link);
		free(worker);
	}
}

static int
attr_init(pthread_attr_t *attr)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
	sigset_t set;
	int rc = pthread_attr_init(attr);

	if (rc)
		return -rc;
	sigfillset(&set);
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		sigdelset(&set, faults[i]);
	rc = pthread_attr_setsigmask_np(attr, &set);
	if (!rc)
		rc = pthread_attr_setstacksize(attr, STACK_BYTES);
	if (rc)
		pthread_attr_destroy(attr);
	return -rc;
}

int
pool_new(const char *name, struct mailbox *mailbox, unsigned max_threads, struct pool **ret_pool)
{
	struct pool *pool = xcalloc(1, sizeof *pool);
	int rc = attr_init(&pool->attr);

	assert(max_threads);
	assert(strlen(name) < sizeof pool->name);
	if (rc) {
		free(pool);
		return rc;
	}
	strcpy(pool->name, name);
	pool->mailbox = mailbox;
	pool->max_threads = max_threads;
	pool->queue_end = &pool->queue;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->work, NULL);
	list_init(&pool->workers);
	rc = make_worker(pool);
	if (rc < 0) {
		pool_free(pool);
		return rc;
	}
	*ret_pool = pool;
	return 0;
}

void
pool_free(struct pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->ending = true;
	pthread_mutex_unlock(&pool->lock);
	pthread_cond_broadcast(&pool->work);
	join_workers(pool);
	assert(!pool->queue);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->lock);
	pthread_attr_destroy(&pool->attr);
	free(pool);
}

void
pool_submit(struct pool *pool, struct pool_job *job)
{
	bool signal, wanted;

	job->next = NULL;
	pool->has_jobs = true;
	pthread_mutex_lock(&pool->lock);
	assert(!pool->ending);
	*pool->queue_end = job;
	pool->queue_end = &job->next;
	pool->queued++;
	wanted = pool->queued > pool->available;
	signal = pool->waiting > 0;
	pthread_mutex_unlock(&pool->lock);
	if (signal)
		pthread_cond_signal(&pool->work);
	if (wanted)
		make_workers(pool);
}

void
pool_set_nice(struct pool *pool, int steps)
{
	assert(!pool->has_jobs);
	pool->nice = steps;
}

unsigned
pool_threads(struct pool *pool)
{
	unsigned threads;

	pthread_mutex_lock(&pool->lock);
	threads = pool->threads;
	pthread_mutex_unlock(&pool->lock);
	return threads;
}

unsigned
pool_busy(struct pool *pool)
{
	unsigned busy;

	pthread_mutex_lock(&pool->lock);
	busy = pool->threads - pool->available;
	pthread_mutex_unlock(&pool->lock);
	return busy;
}
