/* A store that tests accept, begin and end operations in. */
#include "tests/unit/server/store/store_life.h"

#include "common/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

void
life_open(struct life *life)
{
	struct store_config config = {.path = life->place.path, .mailbox = life->place.mailbox};
	char *why = NULL;

	assert_int_equal(store_open(&config, &life->store, &why), 0);
	found_fini(&life->found);
	assert_int_equal(store_load(life->store, place_on_load, &life->found, &why), 0);
	assert_int_equal(store_start(life->store), 0);
}

int
life_set_up(void **state)
{
	struct life *life = xcalloc(1, sizeof *life);

	place_init(&life->place);
	life_open(life);
	*state = life;
	return 0;
}

int
life_tear_down(void **state)
{
	struct life *life = *state;

	found_fini(&life->found);
	store_close(life->store);
	place_fini(&life->place);
	free(life);
	return 0;
}

void
life_reopen(struct life *life)
{
	found_fini(&life->found);
	store_close(life->store);
	mailbox_drain(life->place.mailbox);
	life_open(life);
}

static int
wait_for(struct life *life, struct outcome *outcome)
{
	unsigned wanted = life->count + 1;

	place_wait(&life->place, &life->count, wanted);
	assert_int_equal(outcome->order, wanted);
	return outcome->error;
}

void
life_accept(struct life *life, const struct store_operation *operation)
{
	struct outcome outcome = {.count = &life->count};

	store_accept(life->store, operation, outcome_done, &outcome);
	assert_int_equal(outcome.order, 0);
	assert_int_equal(wait_for(life, &outcome), 0);
}

int
life_end(struct life *life, const struct store_operation *operation)
{
	struct outcome outcome = {.count = &life->count};

	store_end(life->store, operation, outcome_done, &outcome);
	return wait_for(life, &outcome);
}

int
life_begin(struct life *life, const struct store_operation *operation, int64_t started_ms)
{
	struct outcome outcome = {.count = &life->count};

	store_begin(
		life->store, &operation->id, operation->sequence, started_ms, NULL, outcome_done, &outcome);
	return wait_for(life, &outcome);
}

struct store_operation
life_ended(uint64_t sequence)
{
	struct store_operation operation = place_operation(sequence);
	struct store_operation last = place_end(sequence);

	operation.state = STORE_ENDED;
	operation.input = NULL;
	operation.input_len = 0;
	operation.end = last.end;
	operation.status = last.status;
	operation.fields = last.fields;
	operation.fields_len = last.fields_len;
	operation.detail = last.detail;
	operation.ended_ms = last.ended_ms;
	operation.forget_ms = last.forget_ms;
	return operation;
}

void
life_assert_found(struct life *life, const struct store_operation *wanted)
{
	life_reopen(life);
	assert_int_equal(life->found.count, 1);
	place_assert_same(&life->found.operations[0], wanted);
}
