/*
 * An operation: one call being worked on, or its result while that is kept.  The members that are needed
 * only until the end are in struct op_run, so that a kept result costs little.  Read-only for the layers above.  Loop
 * thread only.
 */
#pragma once

#include "common/blob.h"
#include "common/hash.h"
#include "common/http/fields.h"
#include "common/id.h"
#include "common/list.h"
#include "common/loop/timer.h"

#include <stdbool.h>
#include <stdint.h>

struct operations;
struct op_key;
struct op_route;
struct op_run;
struct store_change;
struct store_operation;

enum op_state {
	OP_ACCEPTING, /* not durable yet: clients do not know it */
	OP_QUEUED,    /* waits for validation, its turn or a slot; its timer is the queue timeout */
	OP_RUNNING,   /* its work is on a pool thread; its timer is the run timeout */
	OP_SUCCEEDED, /* has a result below 400; the timer of ended ones is how long they are kept */
	OP_FAILED,    /* has a result of 400 or above */
	OP_TIMED_OUT, /* waited or ran too long */
	OP_CANCELLED, /* was stopped, or never begun, on request */
	OP_EXPIRED,   /* a tombstone: the result is gone; its timer is when it is forgotten */
	OP_STATE_COUNT,
};

struct op {
	/* what a poll looks at: first, so that it lies in as few cache lines as can be */
	struct hash_node by_id; /* in the table; not for synchronous operations */
	struct id id;
	char *principal;   /* NULL: unknown */
	struct blob *body; /* this, the fields and the status: the final response; of a tombstone only the
			      status is left */
	struct fields fields;
	struct op_run *run; /* until the end, then NULL */
	int16_t status;
	uint8_t state;	 /* enum op_state: what may be shown */
	int8_t progress; /* percent, as last told by the work */
	bool stored;	 /* the store knows of it */
	bool sync;	 /* a synchronous call: no monitor */

	struct list link;	/* in order of acceptance; not for synchronous operations */
	struct op_route *route; /* a reference */
	const char *style;	/* a constant: "location", "" for a synchronous call */
	uint64_t sequence;	/* order of acceptance, over restarts */
	int64_t accepted_ms;	/* wall clock */
	int64_t started_ms;	/* 0: not started; of an ended one: its work never began */
	int64_t ended_ms;	/* 0: not ended */
	struct timer timer;	/* see enum op_state */
	struct op_key *key;	/* its Idempotency-Key; NULL: none */
	char *detail;		/* see op_dup_detail; NULL: the final response says it, or it is not known */
};

/* "succeeded"; the state of that name, OP_STATE_COUNT if there is none. */
const char *op_state_name(enum op_state state);
enum op_state op_state_find(const char *name);

/* The key of its route: "/thumbnails/{size}". */
const char *op_route_key(const struct op *op);

/* Why op failed, for the caller to free: what its final response says if that is a JSON error, else a sentence of the
 * server's.  NULL: it did not fail, or the reason is unknown. */
char *op_dup_detail(const struct op *op);

/* The name of the problem that op ended with, "queue-timeout", for the caller to free.  NULL: its final response is no
 * problem of ours. */
char *op_dup_problem(const struct op *op);

/* Whether op has or had a final response. */
static inline bool
op_has_ended(const struct op *op)
{
	return op->state >= OP_SUCCEEDED;
}

/* The change of a resource that op makes, and the resource as it was when op was accepted.  Lent until the end.
 * NULL: there is none, or it is unknown. */
const struct store_change *op_change(const struct op *op);
const char *op_accepted(const struct op *op);

/* A member of the JSON object that op was called with, as JSON text for the caller to free.  NULL: there is none, or it is
 * not known any more because op has ended, or the body is large. */
char *op_dup_body_member(const struct op *op, const char *name);

/* Whether a draining server has left op to its next start.  From then on only a cancel changes it. */
bool op_is_left(const struct op *op);

/* Calls fn once: when op ends, or when the server leaves it to its next start and op has not ended. */
struct op_watcher;
typedef void (*op_watcher_fn)(struct op_watcher *watcher, struct op *op);
struct op_watcher {
	struct list link;
	op_watcher_fn fn;
};

/* op must not have ended. */
void op_watch(struct op *op, struct op_watcher *watcher, op_watcher_fn fn);
/* Stops watching.  Does nothing if the watcher does not watch, but it must be all zero or have watched before. */
void op_unwatch(struct op_watcher *watcher);

/* Calls fn once: when an operation that is being accepted is durable (error 0), or could not be stored (op NULL,
 * -errno). */
struct op_acceptor;
typedef void (*op_acceptor_fn)(struct op_acceptor *acceptor, struct op *op, int error);
struct op_acceptor {
	struct list link;
	op_acceptor_fn fn;
};

/* op's state must be OP_ACCEPTING. */
void op_await(struct op *op, struct op_acceptor *acceptor, op_acceptor_fn fn);

/* For the layer: makes an operation that takes a reference of the route; frees one that has no run any more. */
struct op *op_new(struct op_route *route);
void op_free(struct op *op);

/* For the layer: makes an operation that has ended small. */
void op_shelve(struct op *op);

/* For the layer: changes the state.  A change that the table of states does not allow fails an assert. */
void op_set_state(struct op *op, enum op_state state);

/* For the layer: empties the list of watchers and calls each. */
void op_notify(struct op *op, struct list *watchers);

/* For the layer: fills in what the store keeps of op whatever its state; the strings are lent. */
void op_store_record(const struct op *op, struct store_operation *ret_record);
