/* What tests of operations stand on: operations of two routes on a store in memory, a clock that is held, and
 * work that ends when a test says so. */
#pragma once

#include "common/clock.h"
#include "common/loop/mailbox.h"
#include "common/loop/timer.h"
#include "operations/operations.h"

#include <pthread.h>

/* A work that begins when it is run and ends when the test says so, or when it is told to stop. */
struct gated_work {
	struct work work;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned begun, may_end, status;
	char order[64]; /* first letter of the path of what began, in order */
};

struct fixture {
	struct event_base *base;
	struct timers *timers;
	struct mailbox *mailbox;
	struct store *store;
	struct operations *operations;
	struct gated_work gate; /* of both routes */
	struct op_route *a, *b; /* one at a time with a queue of two; as the workers allow */
	int64_t now_ms;		/* on the clock that is held */
	unsigned ends;		/* operations that have ended */
	bool drained;
	struct op *accepted; /* what the acceptor was told last */
	int accept_error;
	struct op_acceptor acceptor;
	struct op_watcher watcher;
};

/* For cmocka: a fixture becomes *state. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

/* Lets the mailbox deliver until condition holds. */
#define UNTIL(condition) \
	do { \
		int64_t give_up_ms = fixture_real_ms() + 10000; \
		while (!(condition)) { \
			mailbox_drain(f->mailbox); \
			assert_true(fixture_real_ms() < give_up_ms); \
		} \
	} while (0)

/* Of a clock that is not held. */
int64_t fixture_real_ms(void);

/* Moves the clock on, and fires what is due. */
void fixture_pass_time(struct fixture *f, int64_t ms);

/* How many works have begun; lets so many end. */
unsigned fixture_begun(struct fixture *f);
void fixture_open_gate(struct fixture *f, unsigned count);

/* Submits a call of that path to a route; f->accepted tells of its acceptance. */
enum op_refusal fixture_try_submit(struct fixture *f, struct op_route *route, const char *path, bool sync,
	struct op_key *key, struct op **ret_op);

/* Submits and waits for the acceptance. */
struct op *fixture_submit(struct fixture *f, struct op_route *route, const char *path);
