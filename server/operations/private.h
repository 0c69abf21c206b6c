/* The structs that the files of this layer share.  Private to the layer. */
#pragma once

#include "common/loop/pool.h"
#include "operations/ending.h"
#include "operations/operations.h"
#include "operations/phase.h"
#include "operations/queue.h"
#include "operations/run.h"
#include "operations/running.h"
#include "operations/table.h"
#include "transfer/transfers.h"

#include <pthread.h>
#include <stdatomic.h>

/* The load of a route.  The routes of the same key before and after a reload share it. */
struct op_load {
	unsigned references; /* routes */
	struct list link;    /* in the ring while its queue is not empty */
	struct list queued;  /* struct op_run, in order */
	unsigned waiting;    /* accepting or queued */
	unsigned running;    /* started, until the work has returned */
	int64_t run_ms;	     /* moving average of recent run times; 0: none yet */
};

/* A route as its operations see it. */
struct op_route {
	struct operations *operations;
	struct list link; /* in operations->routes */
	unsigned references;
	char *key;
	struct op_load *load; /* a reference */
	struct work *work;
	unsigned concurrency, queue_limit;
	int64_t queue_timeout_ms, run_timeout_ms, keep_ms, keep_timed_out_ms;
	uint64_t max_result_bytes;
	bool rerun;
	enum problem_dialect dialect;
	struct store_collection *collection; /* a reference; NULL: none */
	op_judge_fn judge;		     /* see op_route_set_judge */
	void *judge_arg;
};

struct op_turn;

/* The part of an operation that exists until its end. */
struct op_run {
	struct op *op;
	struct list link;      /* in the list of its phase */
	struct op_turn *turn;  /* the line of its resource; NULL: none */
	struct list turn_link; /* in that line */
	enum op_phase phase;
	enum op_state end;	     /* from PHASE_ENDING: the state to come */
	enum op_stop stop;	     /* why it was told to stop */
	struct list acceptors;	     /* struct op_acceptor, while accepting */
	struct list watchers;	     /* struct op_watcher */
	struct store_change *change; /* see op_change */
	char *accepted;		     /* see op_accepted */
	struct work_input *input;
	struct work_result verdict; /* see struct op_submission; status 0: none */

	/* of operations_attach, in PHASE_ATTACHING */
	struct store_change *attached;
	store_done_fn attach_done;
	void *attach_arg;

	/* shared with the work's thread in PHASE_WORKING */
	struct pool_job job;   /* of work that is run */
	struct work_run begun; /* of work that is begun */
	struct work_control control;
	struct work_result result; /* the thread's until it is done */
	pthread_mutex_t lock;	   /* guards the two below */
	int progress;
	char progress_text[201];
};

struct operations {
	struct operations_config config;
	struct pool *pool; /* NULL: halted */
	struct transfers *transfers;
	struct hash table;   /* by id */
	struct list all;     /* struct op in the table, newest first */
	struct list cursors; /* struct op_cursor: walks through it */
	struct hash keys;    /* struct op_key */
	struct list routes;  /* struct op_route, all of them */
	struct list ring;    /* struct op_load with a queue that is not empty, in turn */
	struct list running; /* struct op_run, PHASE_WORKING */
	struct list held;    /* struct op_run, PHASE_HELD */
	struct list blocked; /* struct op_run, PHASE_BEHIND */
	struct hash turns;   /* struct op_turn, by the resource's id */
	unsigned outstanding, queued;
	unsigned run_count;   /* operations that occupy a worker */
	unsigned begun_count; /* operations that run without one */
	uint64_t sequence;
	uint64_t kept;	     /* in the table: results */
	uint64_t tombstones; /* in the table: expired ones */
	uint64_t refused[OP_REFUSALS];
	uint64_t
		retained_bytes; /* bodies of requests that come in or have not ended, and results that are kept */
	struct timer retry;	/* runs while nothing is started, because the disk has no room */
	_Atomic unsigned room_waits; /* runs that wait for room on the disk; any thread */
	bool draining;
	int64_t drain_ends_ms; /* monotonic; at the latest */
	void (*on_drained)(void *arg);
	void *drained_arg;
	struct timer drained; /* calls on_drained in a turn of its own */
};

/* Calls one of the hooks of struct operations_config, which may be NULL (operations.c). */
void op_tell(void (*fn)(void *arg, const struct op *op), const struct op *op);

/* Takes another reference (route.c). */
struct op_route *op_route_ref(struct op_route *route);

/* Reports a drain as finished, in a later turn of the loop, once no work runs (drain.c). */
void operations_check_drained(struct operations *operations);

/* Has the body of op validated if op is held (unjudged.c). */
void op_judge(struct op *op);
