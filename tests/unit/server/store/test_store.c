/* Tests of server/store/store.c, memory.c and embedded.c: the store as the operations see it, on a disk that
 * works. */
#include "tests/unit/server/store/store_life.h"

#include "common/cleanup.h"
#include "common/text.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define LARGE (BLOB_SPILL_BYTES + 1000)

static void
test_memory(void **state)
{
	struct place place;
	struct store *store;
	char *why = NULL;
	unsigned count = 0;
	struct outcome outcomes[3] = {{&count, 0, 1}, {&count, 0, 1}, {&count, 0, 1}};
	struct store_operation operation = place_operation(1), last = place_end(1);
	struct store_stats stats;

	place_init(&place);
	struct store_config config = {.mailbox = place.mailbox};
	assert_int_equal(store_open(&config, &store, &why), 0);
	assert_int_equal(store_load(store, NULL, NULL, &why), 0);
	assert_int_equal(store_start(store), 0);
	store_accept(store, &operation, outcome_done, &outcomes[0]);
	store_begin(store, &operation.id, 1, 5, NULL, outcome_done, &outcomes[1]);
	store_process(store, &operation.id, 1, 77, 88);
	store_end(store, &last, outcome_done, &outcomes[2]);
	store_expire(store, &operation.id, 1, 9, NULL, NULL);
	store_forget(store, &operation.id, 1);
	assert_int_equal(count, 0);
	event_base_loop(place.base, EVLOOP_ONCE);
	assert_int_equal(count, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(outcomes[i].order, i + 1);
		assert_int_equal(outcomes[i].error, 0);
	}
	assert_true(store_spool_fd(store) >= 0);
	assert_true(store_is_healthy(store));
	store_get_stats(store, &stats);
	assert_int_equal(stats.writes, 6);
	store_close(store);
	place_fini(&place);
}

static void
test_life(void **state)
{
	struct life *life = *state;
	struct store_operation wanted = place_operation(7);
	struct store_operation last = place_end(7);

	wanted.body = place_blob(1000, 1);
	life_accept(life, &wanted);
	life_assert_found(life, &wanted);

	wanted.state = STORE_RUNNING;
	wanted.started_ms = 1700000050000;
	assert_int_equal(life_begin(life, &wanted, wanted.started_ms), 0);
	life_assert_found(life, &wanted);

	wanted.pid = 4242;
	wanted.pid_start_time = UINT64_MAX - 1;
	store_process(life->store, &wanted.id, 7, wanted.pid, wanted.pid_start_time);
	life_assert_found(life, &wanted);
	blob_unref(wanted.body);

	wanted = life_ended(7);
	wanted.started_ms = last.started_ms = 1700000060000;
	wanted.result = last.result = place_blob(BLOB_SPILL_BYTES, 2);
	assert_int_equal(life_end(life, &last), 0);
	life_assert_found(life, &wanted);
	blob_unref(wanted.result);

	wanted.state = STORE_TOMBSTONE;
	wanted.result = NULL;
	wanted.fields = wanted.detail = NULL;
	wanted.fields_len = 0;
	wanted.forget_ms = 1800000000000;
	store_expire(life->store, &wanted.id, 7, wanted.forget_ms, NULL, NULL);
	life_assert_found(life, &wanted);

	store_forget(life->store, &wanted.id, 7);
	life_reopen(life);
	assert_int_equal(life->found.count, 0);
	assert_int_equal(place_count_files(&life->place), 0);
}

/* Members that may be NULL or empty come back as they were. */
static void
test_nothing_and_empty(void **state)
{
	struct life *life = *state;
	struct store_operation wanted = place_operation(1);
	struct store_operation last = place_end(1);

	wanted.style = "";
	wanted.principal = NULL;
	wanted.key = NULL;
	wanted.input = "";
	wanted.input_len = 0;
	life_accept(life, &wanted);
	life_assert_found(life, &wanted);

	last.fields = NULL;
	last.fields_len = 0;
	last.detail = NULL;
	last.result = blob_new("", 0);
	assert_int_equal(life_end(life, &last), 0);
	wanted.state = STORE_ENDED;
	wanted.input = NULL;
	wanted.end = last.end;
	wanted.status = last.status;
	wanted.ended_ms = last.ended_ms;
	wanted.forget_ms = last.forget_ms;
	wanted.result = last.result;
	life_assert_found(life, &wanted);
	blob_unref(last.result);
}

static void
test_accepted_as_running(void **state)
{
	struct life *life = *state;
	struct store_operation wanted = place_operation(1);

	wanted.state = STORE_RUNNING;
	wanted.started_ms = 1700000000007;
	wanted.body = blob_new("", 0);
	life_accept(life, &wanted);
	life_assert_found(life, &wanted);
	blob_unref(wanted.body);
}

static void
test_order_of_acceptance(void **state)
{
	struct life *life = *state;

	for (uint64_t sequence = 5; sequence <= 45; sequence += 10) {
		struct store_operation operation = place_operation(sequence);
		life_accept(life, &operation);
	}
	life_reopen(life);
	assert_int_equal(life->found.count, 5);
	for (size_t i = 0; i < life->found.count; i++)
		assert_int_equal(life->found.operations[i].sequence, 5 + 10 * i);
}

static void
test_order_of_completion(void **state)
{
	enum { COUNT = 3000 };
	struct life *life = *state;
	struct outcome *outcomes = xcalloc(COUNT, sizeof *outcomes);
	unsigned made = 0;

	for (uint64_t sequence = 1; made + 3 <= COUNT; sequence++) {
		struct store_operation operation = place_operation(sequence), last = place_end(sequence);
		for (unsigned i = made; i < made + 3; i++)
			outcomes[i].count = &life->count;
		store_accept(life->store, &operation, outcome_done, &outcomes[made]);
		store_begin(life->store, &operation.id, sequence, 1, NULL, outcome_done, &outcomes[made + 1]);
		store_end(life->store, &last, outcome_done, &outcomes[made + 2]);
		store_expire(life->store, &operation.id, sequence, 1, NULL, NULL);
		store_forget(life->store, &operation.id, sequence);
		made += 3;
	}
	place_wait(&life->place, &life->count, made);
	for (unsigned i = 0; i < made; i++) {
		assert_int_equal(outcomes[i].order, i + 1);
		assert_int_equal(outcomes[i].error, 0);
	}
	life_reopen(life);
	assert_int_equal(life->found.count, 0);
	free(outcomes);
}

static void
test_close_writes_everything(void **state)
{
	struct life *life = *state;
	struct outcome outcomes[50];

	for (unsigned i = 0; i < 50; i++) {
		struct store_operation operation = place_operation(i + 1);
		outcomes[i] = (struct outcome){.count = &life->count};
		store_accept(life->store, &operation, outcome_done, &outcomes[i]);
	}
	life_reopen(life);
	assert_int_equal(life->count, 50);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(outcomes[i].error, 0);
	assert_int_equal(life->found.count, 50);
}

static void
test_unknown_operations(void **state)
{
	struct life *life = *state;
	struct store_operation operation = place_operation(3), last = place_end(3);

	assert_int_equal(life_begin(life, &operation, 1), -ENOENT);
	last.result = place_blob(LARGE, 1);
	assert_int_equal(life_end(life, &last), -ENOENT);
	blob_unref(last.result);
	assert_int_equal(place_count_files(&life->place), 0);

	/* the id must fit as well */
	life_accept(life, &operation);
	last = place_end(3);
	last.id.bytes[0]++;
	assert_int_equal(life_end(life, &last), -ENOENT);
	store_expire(life->store, &last.id, 3, 1, NULL, NULL);
	store_forget(life->store, &last.id, 3);
	store_process(life->store, &last.id, 3, 1, 1);
	life_assert_found(life, &operation);
}

static void
test_second_store_is_refused(void **state)
{
	struct life *life = *state;
	struct store_config config = {.path = life->place.path, .mailbox = life->place.mailbox};
	struct store *second = NULL;
	char *why = NULL;

	assert_int_equal(store_open(&config, &second, &why), -EBUSY);
	assert_non_null(strstr(why, "in use by another deferd"));
	assert_null(second);
	free(why);

	/* another name means another lock, but the same database */
	CLEANUP_FREE char *other = xasprintf("%s/other.db", life->place.directory);
	assert_int_equal(symlink(life->place.path, other), 0);
	config.path = other;
	why = NULL;
	assert_int_equal(store_open(&config, &second, &why), -EBUSY);
	assert_non_null(strstr(why, "in use"));
	free(why);
}

static void
test_stats(void **state)
{
	struct life *life = *state;
	struct store_operation operation = place_operation(1), last = place_end(1);
	struct store_stats stats;
	struct stat status;

	life_accept(life, &operation);
	assert_int_equal(life_end(life, &last), 0);
	operation = place_operation(2);
	life_accept(life, &operation);
	store_get_stats(life->store, &stats);
	assert_int_equal(stats.commits, 3);
	uint64_t timed = 0;
	for (size_t i = 0; i <= HISTOGRAM_BUCKETS; i++)
		timed += stats.commit_times.buckets[i];
	assert_int_equal(timed, stats.commits);
	assert_true(stats.commit_times.sum_us > 0);
	assert_true(stats.writes >= 2 && stats.writes + stats.waiting == 3);
	assert_int_equal(stat(life->place.path, &status), 0);
	assert_int_equal(stats.file_bytes, status.st_size);
	assert_true(store_is_healthy(life->store));
}

static void
test_close_of_nothing(void **state)
{
	store_close(NULL);
}

/* Closing without load or start, and load without start, leave everything as it was. */
static void
test_open_and_close(void **state)
{
	struct life *life = *state;
	struct store_config config = {.path = life->place.path, .mailbox = life->place.mailbox};
	struct store_operation operation = place_operation(1);
	char *why = NULL;

	life_accept(life, &operation);
	store_close(life->store);
	assert_int_equal(store_open(&config, &life->store, &why), 0);
	store_close(life->store);
	assert_int_equal(store_open(&config, &life->store, &why), 0);
	assert_int_equal(store_load(life->store, place_on_load, &life->found, &why), 0);
	found_fini(&life->found);
	store_close(life->store);
	life_open(life);
	life_assert_found(life, &operation);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, life_set_up, life_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),
		TEST(test_life),
		TEST(test_nothing_and_empty),
		TEST(test_accepted_as_running),
		TEST(test_order_of_acceptance),
		TEST(test_order_of_completion),
		TEST(test_close_writes_everything),
		TEST(test_unknown_operations),
		TEST(test_second_store_is_refused),
		TEST(test_stats),
		TEST(test_open_and_close),
		cmocka_unit_test(test_close_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
