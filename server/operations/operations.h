/*
 * The operations: submit, find, cancel, watch.  They hold what the contract says of an operation's life: the
 * queue and its limits, the time limits, what becomes durable when, how long a result is kept.  They know
 * nothing of HTTP: how a call was asked for and how it is answered is the styles' business.  Loop thread
 * only.
 */
#pragma once

#include "operations/op.h"
#include "store/store.h"
#include "work/work.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct mailbox;
struct store_change;
struct store_collection;
struct timers;

struct operations_config {
	struct timers *timers;
	struct mailbox *mailbox;
	struct store *store;
	unsigned workers;	       /* pool threads, each running one operation */
	unsigned upstream_concurrency; /* operations that run without a pool thread (begun work) */
	unsigned capacity;	       /* operations queued or running at most */
	int64_t keep_tombstone_ms;
	int64_t stop_grace_ms;	     /* between SIGTERM and SIGKILL */
	uint64_t max_retained_bytes; /* of bodies and results held; at it new calls are refused */

	/* Kills the processes that a crashed server left running, and returns how many.  operations_recover calls
	 * it once, before anything runs.  NULL: there are none to kill. */
	unsigned (*kill_leftovers)(void *arg);

	/*
	 * For the log and metrics; each may be NULL.  An operation that was accepted, or taken back from the
	 * store before its end, ends or is dropped (a synchronous call whose client left the queue).
	 */
	void (*on_accept)(void *arg, const struct op *op);
	void (*on_end)(void *arg, const struct op *op);
	void (*on_drop)(void *arg, const struct op *op);
	void *arg;
};

__attribute__((warn_unused_result)) int operations_new(
	const struct operations_config *config, struct operations **ret_operations);

/*
 * The end of the process, in two steps around the closing of the store: operations_halt kills what runs, as a
 * crash would, waits for the pool threads and hands the last ends to the store; operations_free comes after
 * the store is closed and its completions are delivered. Operations that have not ended are forgotten here,
 * not in the store.
 */
void operations_halt(struct operations *operations);
void operations_free(struct operations *operations); /* NULL is allowed */

/* The settings of a route that its operations need. */
#define OP_NO_LIMIT 0xffffffffu

/* How long a call may wait in the queue where its route sets no limit, in milliseconds. */
#define OP_QUEUE_SYNC_MS (30 * 1000)
#define OP_QUEUE_ASYNC_MS (60 * 60 * 1000)

struct op_route_config {
	const char *key;   /* names the route over restarts: its pattern; copied */
	struct work *work; /* a reference is taken */
	unsigned
		concurrency; /* operations running at once; 0: workers, or upstream_concurrency, of the server */
	unsigned queue;	     /* operations waiting; OP_NO_LIMIT: up to the capacity */
	int64_t queue_timeout_ms; /* 0: the defaults, OP_QUEUE_SYNC_MS and OP_QUEUE_ASYNC_MS */
	int64_t run_timeout_ms, keep_ms, keep_timed_out_ms;
	uint64_t max_result_bytes;
	bool rerun; /* may be run a second time after a crash */
	enum problem_dialect dialect;
	struct store_collection
		*collection; /* whose resources it changes; a reference is taken; NULL: none */
};

/* Adds a route.  The operations keep it as long as an operation needs it; the caller gives its reference
 * back. */
struct op_route *operations_add_route(struct operations *operations, const struct op_route_config *config);
void op_route_unref(struct op_route *route); /* NULL is allowed */

/* Why a submission is refused. */
enum op_refusal {
	OP_TAKEN, /* it is not */
	OP_REFUSED_CAPACITY,
	OP_REFUSED_QUEUE,
	OP_REFUSED_DRAINING,
	OP_REFUSED_STORAGE,
	OP_REFUSALS,
};

/* "capacity". */
const char *op_refusal_name(enum op_refusal refusal);

struct op_submission {
	struct op_route *route;
	struct work_input *input; /* taken if the submission is, with its id filled in */
	const char *style;	  /* a constant that lives as long as the process */
	bool sync;		  /* no monitor; stored only with a key */
	struct op_key *key;	  /* see idempotency.h; taken if the submission is; NULL: none */

	/* The change of a resource that the work carries out, taken if the submission is; NULL: none.  Such
	 * an operation is always stored.  The acceptor may be told why the change was refused, see
	 * resources.h. */
	struct store_change *change;

	/* What its final response is already, taken if the submission is: it ends as soon as it may be told
	 * to the client, and the work never sees it.  NULL: the work says. */
	struct work_result *verdict;

	/* Accepted before its body was judged: input->unjudged is set, and the operation is held, shown as
	 * queued, until operations_pass, operations_attach or operations_fail says what has come of that. */
	bool unjudged;

	/* Told once, never from within operations_submit, when op may be told to the client (see op_await);
	 * its fn is set. For a synchronous call without a key it is not told: such a call is queued at once.
	 */
	struct op_acceptor *acceptor;
};

/* Takes a call in, or says why not: then nothing has happened.  *ret_op may be watched at once. */
__attribute__((warn_unused_result)) enum op_refusal operations_submit(
	struct operations *operations, const struct op_submission *submission, struct op **ret_op);

/*
 * Bodies that have not been submitted yet count against max_retained_bytes as well: takes room for bytes of one, or
 * returns false if there is none; and gives it back, before the body is submitted or when it is dropped.
 */
__attribute__((warn_unused_result)) bool operations_take_room(struct operations *operations, uint64_t bytes);
void operations_give_room(struct operations *operations, uint64_t bytes);

/* Seconds, at least 1, until one of the oldest results expires. */
unsigned operations_room_retry_after(const struct operations *operations);

/* What an operation that is held was called with, lent while it is; NULL if it is not held, or goes to the
 * next start. */
const struct work_input *op_unjudged_input(const struct op *op);

/* Its body is good: it waits for its turn. */
void operations_pass(struct operations *operations, struct op *op);

/* It is not: that is the final response, which is taken. */
void operations_fail(struct op *op, struct work_result *verdict);

/* The body is a change of a resource.  done is told 0 when that is the operation's, durably, which then waits
 * for its turn; or why it was refused (resources.h): then change is still the caller's, and the operation is
 * held as before, unless it has ended in between. */
void operations_attach(struct operations *operations, struct op *op, struct store_change *change,
	store_done_fn done, void *arg);

/* Sets who judges the bodies of a route: fn is called once for each operation that is held.  NULL: nobody any
 * more. */
typedef void (*op_judge_fn)(void *arg, struct op *op);
void op_route_set_judge(struct op_route *route, op_judge_fn fn, void *arg);

/* Has those judged that were recovered, in order of acceptance: once, after operations_recover and when
 * routes are ready. */
void operations_judge_recovered(struct operations *operations);

/*
 * Makes a change that no work has to carry out, see store_change; it counts as outstanding until it is done.
 * done is not called if it is refused.
 */
__attribute__((warn_unused_result)) enum op_refusal operations_apply(
	struct operations *operations, struct store_change *change, store_done_fn done, void *arg);

/* The last of the operations that change that resource and have not ended; NULL if there is none. */
struct op *operations_find_change(struct operations *operations, const struct id *resource);

/* The operation of that id, tombstones included; NULL if there is none, or none that anybody has heard of. */
struct op *operations_find(struct operations *operations, const struct id *id);

/* Whether op was submitted to the route, or to the one of the same key that stood in its place before a
 * reload. */
bool op_is_of_route(const struct op *op, const struct op_route *route);

/* A walk through what is kept, newest first, that may pause: what comes or goes meanwhile does not disturb
 * it. */
struct op_cursor {
	struct list link;
	struct operations *operations;
	struct op *next; /* NULL: the end */
};

/* Begins behind op (NULL: with the newest).  op_cursor_stop must be called before the cursor goes. */
void op_cursor_start(struct op_cursor *cursor, struct operations *operations, const struct op *op);
void op_cursor_stop(struct op_cursor *cursor);
struct op *op_cursor_next(struct op_cursor *cursor); /* NULL at the end */

enum op_cancel {
	OP_CANCEL_DONE,	    /* it is cancelled */
	OP_CANCEL_SOON,	    /* it will be as soon as that is durable: watch it */
	OP_CANCEL_STOPPING, /* its work has been told to stop */
	OP_CANCEL_TOO_LATE, /* it has ended otherwise */
};
enum op_cancel operations_cancel(struct op *op);

/* Drops the result of op, which has ended and not expired: a tombstone is left.  done is told when that is durable. */
void operations_remove_result(struct op *op, store_done_fn done, void *arg);

/* The client of a synchronous call has left: if the call still waits, has no key and nobody else watches it,
 * it is dropped; a change of a resource is cancelled. The caller must have unwatched it and must not use op
 * any more. */
void operations_abandon(struct operations *operations, struct op *op);

/* Seconds after which asking again makes sense, at least 1: of an operation, and of a route that refused a
 * call: when its queue may have room, when the next result expires (OP_REFUSED_STORAGE), or when the drain is over. */
unsigned op_retry_after(const struct op *op);
unsigned op_route_retry_after(const struct op_route *route, enum op_refusal why);

/* Progress as last told by the work: percent in 0..100, and its text into buffer (empty if there is none). */
int op_progress(const struct op *op, char *ret_text, size_t size);

/*
 * Takes back what the store kept and starts the store; before the first submission.  find_route answers a
 * route of that key (lent), NULL if the configuration has none any more.  -errno and *ret_why for the
 * operator when the store cannot be read.
 */
__attribute__((warn_unused_result)) int operations_recover(struct operations *operations,
	struct op_route *(*find_route)(void *arg, const char *key),
	const char *(*find_style)(const char *name), void *arg, char **ret_why);

/*
 * Takes no more, starts nothing more, answers waiting synchronous calls, lets what runs go on; calls
 * on_drained (in a later turn of the loop, once) when no work runs any more.  timeout_ms is how long the caller will let it
 * run, which Retry-After says.
 */
void operations_drain(
	struct operations *operations, int64_t timeout_ms, void (*on_drained)(void *arg), void *arg);

/* While draining: stops what still runs, as a crash would leave it: by SIGTERM, or at once. */
void operations_stop_running(struct operations *operations, enum work_stop stop);

/* A route as metrics show it. */
struct op_route_stats {
	const char *key;
	const struct work *work;
	unsigned waiting; /* accepting or queued */
	unsigned running;
};

/* Calls fn for every route that calls are taken for: after a reload the latest of each key. */
void operations_each_route(
	struct operations *operations, void (*fn)(void *arg, const struct op_route_stats *stats), void *arg);

/* For metrics and tests. */
struct operations_stats {
	unsigned outstanding; /* accepting, queued or running */
	unsigned queued;
	unsigned running;
	unsigned capacity;
	unsigned threads, busy_threads; /* of the pool */
	int64_t oldest_queued_ms;	/* when it was accepted, wall clock; 0: nothing is queued */
	uint64_t kept;			/* results that can be read */
	uint64_t tombstones;
	uint64_t retained_bytes; /* of bodies and results */
	uint64_t refused[OP_REFUSALS];
};
void operations_get_stats(struct operations *operations, struct operations_stats *ret_stats);
