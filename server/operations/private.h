/* What the files of this layer share: the operations' insides.  Not for the layers above. */
#pragma once

#include "common/pages.h"
#include "common/pool.h"
#include "common/slab.h"
#include "operations/operations.h"
#include "operations/phase.h"
#include "operations/run.h"
#include "work/transfers.h"

#include <pthread.h>

/* What waits and runs on a route.  Routes of the same key share it: those of before and after a reload. */
struct op_load {
	unsigned references; /* routes */
	struct list link;    /* in the ring of loads that have something queued, else on no list */
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

/* Why a running operation is stopped. */
enum op_stop { OP_GOES_ON, OP_STOP_TIMEOUT, OP_STOP_CANCEL, OP_STOP_DRAIN };

/* What an operation has until its end. */
struct op_run {
	struct op *op;
	struct list link;      /* in its route's queue, or among what runs */
	struct op_turn *turn;  /* the line that it stands in; NULL: none */
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

/* Final responses are kept in steps of this size, up to the last. */
#define OP_SHELF_STEP 16
#define OP_SHELF_COUNT 64

struct operations {
	struct operations_config config;
	struct pool *pool; /* NULL: halted */
	struct transfers *transfers;
	struct pages pages;		     /* of the slabs */
	struct slab ops;		     /* struct op */
	struct slab shelves[OP_SHELF_COUNT]; /* small final responses, by size */
	struct hash table;		     /* by id */
	struct huge_spare table_spare;	     /* the table's */
	struct list all;		     /* what is in the table, newest first */
	struct list cursors;		     /* struct op_cursor: walks through it */
	struct hash keys;		     /* struct op_key */
	struct list routes;		     /* struct op_route: every one that somebody refers to */
	struct list ring;		     /* struct op_load with something queued, in turn */
	struct list running;		     /* struct op_run, PHASE_WORKING */
	struct list held;		     /* struct op_run, PHASE_HELD */
	struct list blocked;		     /* struct op_run, PHASE_BEHIND */
	struct hash turns;		     /* struct op_turn, by the resource's id */
	unsigned outstanding, queued, run_count;
	uint64_t sequence;
	uint64_t kept;	     /* in the table: results */
	uint64_t tombstones; /* in the table, likewise */
	uint64_t refused[OP_REFUSALS];
	uint64_t retained_bytes; /* bodies of requests that have not ended, and results that are kept */
	struct timer retry;	 /* runs while nothing is started, because the disk has refused a start */
	bool draining;
	void (*on_drained)(void *arg);
	void *drained_arg;
	struct timer drained; /* calls on_drained in a turn of its own */
};

/* op.c: makes and frees; changes the state as the table of states allows. */
struct op *op_new(struct op_route *route);
void op_free(struct op *op);
void op_shelve(struct op *op); /* it has ended: makes it small */
void op_set_state(struct op *op, enum op_state state);
void op_notify(struct op *op, struct list *watchers); /* these, which are taken */

/* operations.c: one of the hooks, NULL too. */
void op_tell(void (*fn)(void *arg, const struct op *op), const struct op *op);

/* route.c */
struct op_route *op_route_ref(struct op_route *route);

/* drain.c */
void operations_check_drained(struct operations *operations);

/* table.c */
void op_table_add(struct operations *operations, struct op *op);
void op_table_remove(struct operations *operations, struct op *op);
struct op *op_table_find(struct operations *operations, const struct id *id);

/* queue.c: which operation is next, fair between the routes. */
bool op_queue_has_room(const struct op_route *route);
void op_queue_add(struct op_run *run, bool at_head);
void op_queue_remove(struct op_run *run);
void op_queue_enter(struct op_run *run); /* to PHASE_WAITING or, if another change is first, PHASE_BEHIND */
struct op_run *op_queue_next(struct operations *operations); /* NULL: none may run now */

void op_turn_leave(struct op_run *run); /* the next may then run; does nothing where there is no turn */

/* running.c: from the queue to a thread and back. */

/* Starts whatever may start now, and reports a finished drain.  Every entry from outside (a completion, a timer,
 * a call from above) ends in it. */
void op_step(struct operations *operations);

void op_end_stopped(struct op *op, enum op_stop stop);
void op_stop_work(struct op *op, enum op_stop why, enum work_stop how);

/* unjudged.c: held until the body is judged. */
void op_judge(struct op *op);

/* ending.c: a decided end becomes durable, then visible. */
void op_end(struct op *op, enum op_state end, struct work_result *result);
void op_end_with(struct op *op, enum op_state end, enum problem problem, const char *detail);
void op_interrupt(struct op *op);
void op_store_record(const struct op *op, struct store_operation *ret_record);

void op_on_timer(struct timer *timer);
void op_keep(struct op *op, int64_t for_ms);
void op_forget(struct op *op);
