/* Tests of server/store/store.c, memory.c and embedded.c: the store as the operations see it, on a disk that
 * works. */
#include "store_place.h"

#include "common/cleanup.h"
#include "common/text.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define LARGE (BLOB_SPILL_BYTES + 1000)

/* A place, a store in it, and what happened there. */
struct scene {
	struct place place;
	struct store *store;
	struct found found; /* when the store was opened last */
	unsigned count;	    /* completions */
};

static void
open_store(struct scene *scene)
{
	struct store_config config = {.path = scene->place.path, .mailbox = scene->place.mailbox};
	char *why = NULL;

	assert_int_equal(store_open(&config, &scene->store, &why), 0);
	found_fini(&scene->found);
	assert_int_equal(store_load(scene->store, place_on_load, &scene->found, &why), 0);
	assert_int_equal(store_start(scene->store), 0);
}

static int
set_up(void **state)
{
	struct scene *scene = xcalloc(1, sizeof *scene);

	place_init(&scene->place);
	open_store(scene);
	*state = scene;
	return 0;
}

static int
tear_down(void **state)
{
	struct scene *scene = *state;

	found_fini(&scene->found);
	store_close(scene->store);
	place_fini(&scene->place);
	free(scene);
	return 0;
}

/* Closes and opens again: what is found then is what was durable. */
static void
reopen(struct scene *scene)
{
	found_fini(&scene->found);
	store_close(scene->store);
	mailbox_drain(scene->place.mailbox);
	open_store(scene);
}

static int
wait_for(struct scene *scene, struct outcome *outcome)
{
	unsigned wanted = scene->count + 1;

	place_wait(&scene->place, &scene->count, wanted);
	assert_int_equal(outcome->order, wanted);
	return outcome->error;
}

static void
do_accept(struct scene *scene, const struct store_operation *operation)
{
	struct outcome outcome = {.count = &scene->count};

	store_accept(scene->store, operation, outcome_done, &outcome);
	assert_int_equal(outcome.order, 0);
	assert_int_equal(wait_for(scene, &outcome), 0);
}

static int
do_end(struct scene *scene, const struct store_operation *operation)
{
	struct outcome outcome = {.count = &scene->count};

	store_end(scene->store, operation, outcome_done, &outcome);
	return wait_for(scene, &outcome);
}

static int
do_begin(struct scene *scene, const struct store_operation *operation, int64_t started_ms)
{
	struct outcome outcome = {.count = &scene->count};

	store_begin(
		scene->store, &operation->id, operation->sequence, started_ms, NULL, outcome_done, &outcome);
	return wait_for(scene, &outcome);
}

/* What place_operation and place_end make together. */
static struct store_operation
ended(uint64_t sequence)
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

static void
assert_found(struct scene *scene, const struct store_operation *wanted)
{
	reopen(scene);
	assert_int_equal(scene->found.count, 1);
	place_assert_same(&scene->found.operations[0], wanted);
}

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
	store_expire(store, &operation.id, 1, 9);
	store_forget(store, &operation.id, 1);
	assert_int_equal(count, 0);
	event_base_loop(place.base, EVLOOP_ONCE);
	assert_int_equal(count, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(outcomes[i].order, i + 1);
		assert_int_equal(outcomes[i].error, 0);
	}
	assert_int_equal(store_spool_fd(store), -1);
	assert_true(store_is_healthy(store));
	store_get_stats(store, &stats);
	assert_int_equal(stats.writes, 6);
	store_close(store);
	place_fini(&place);
}

static void
test_life(void **state)
{
	struct scene *scene = *state;
	struct store_operation wanted = place_operation(7);
	struct store_operation last = place_end(7);

	wanted.body = place_blob(1000, 1);
	do_accept(scene, &wanted);
	assert_found(scene, &wanted);

	wanted.state = STORE_RUNNING;
	wanted.started_ms = 1700000050000;
	assert_int_equal(do_begin(scene, &wanted, wanted.started_ms), 0);
	assert_found(scene, &wanted);

	wanted.pid = 4242;
	wanted.pid_start_time = UINT64_MAX - 1;
	store_process(scene->store, &wanted.id, 7, wanted.pid, wanted.pid_start_time);
	assert_found(scene, &wanted);
	blob_unref(wanted.body);

	wanted = ended(7);
	wanted.started_ms = 1700000050000;
	wanted.result = last.result = place_blob(BLOB_SPILL_BYTES, 2);
	assert_int_equal(do_end(scene, &last), 0);
	assert_found(scene, &wanted);
	blob_unref(wanted.result);

	wanted.state = STORE_TOMBSTONE;
	wanted.result = NULL;
	wanted.fields = wanted.detail = NULL;
	wanted.fields_len = 0;
	wanted.forget_ms = 1800000000000;
	store_expire(scene->store, &wanted.id, 7, wanted.forget_ms);
	assert_found(scene, &wanted);

	store_forget(scene->store, &wanted.id, 7);
	reopen(scene);
	assert_int_equal(scene->found.count, 0);
	assert_int_equal(place_count_files(&scene->place), 0);
}

/* What may be missing, or be there and empty, comes back as it was. */
static void
test_nothing_and_empty(void **state)
{
	struct scene *scene = *state;
	struct store_operation wanted = place_operation(1);
	struct store_operation last = place_end(1);

	wanted.style = "";
	wanted.principal = NULL;
	wanted.key = NULL;
	wanted.input = "";
	wanted.input_len = 0;
	do_accept(scene, &wanted);
	assert_found(scene, &wanted);

	last.fields = NULL;
	last.fields_len = 0;
	last.detail = NULL;
	last.result = blob_new("", 0);
	assert_int_equal(do_end(scene, &last), 0);
	wanted.state = STORE_ENDED;
	wanted.input = NULL;
	wanted.end = last.end;
	wanted.status = last.status;
	wanted.ended_ms = last.ended_ms;
	wanted.forget_ms = last.forget_ms;
	wanted.result = last.result;
	assert_found(scene, &wanted);
	blob_unref(last.result);
}

static void
test_accepted_as_running(void **state)
{
	struct scene *scene = *state;
	struct store_operation wanted = place_operation(1);

	wanted.state = STORE_RUNNING;
	wanted.started_ms = 1700000000007;
	wanted.body = blob_new("", 0);
	do_accept(scene, &wanted);
	assert_found(scene, &wanted);
	blob_unref(wanted.body);
}

static void
test_order_of_acceptance(void **state)
{
	struct scene *scene = *state;

	for (uint64_t sequence = 5; sequence <= 45; sequence += 10) {
		struct store_operation operation = place_operation(sequence);
		do_accept(scene, &operation);
	}
	reopen(scene);
	assert_int_equal(scene->found.count, 5);
	for (size_t i = 0; i < scene->found.count; i++)
		assert_int_equal(scene->found.operations[i].sequence, 5 + 10 * i);
}

/* A blob as a sink would make it. */
static struct blob *
file_blob(struct scene *scene, unsigned seed)
{
	struct blob *memory = place_blob(LARGE, seed), *file = NULL;
	struct blob_sink sink;

	blob_sink_init(&sink, store_spool_fd(scene->store), UINT64_MAX);
	assert_int_equal(blob_sink_write(&sink, blob_data(memory), blob_len(memory)), 0);
	assert_int_equal(blob_sink_finish(&sink, &file), 0);
	assert_true(blob_is_file(file));
	blob_unref(memory);
	return file;
}

static struct blob *
large_memory_blob(struct scene *scene, unsigned seed)
{
	return place_blob(LARGE, seed);
}

static void
check_large(struct scene *scene, struct blob *(*make)(struct scene *scene, unsigned seed))
{
	struct store_operation wanted = place_operation(1);
	struct store_operation last = place_end(1);

	wanted.body = make(scene, 1);
	do_accept(scene, &wanted);
	blob_unref(wanted.body);
	assert_int_equal(place_count_files(&scene->place), 1);
	wanted.body = place_blob(LARGE, 1);
	assert_found(scene, &wanted);
	assert_true(blob_is_file(scene->found.operations[0].body));
	blob_unref(wanted.body);

	/* a reader that still has it keeps the file of the body beyond the end */
	wanted = ended(1);
	last.result = make(scene, 2);
	assert_int_equal(do_end(scene, &last), 0);
	blob_unref(last.result);
	assert_int_equal(place_count_files(&scene->place), 2);
	found_fini(&scene->found);
	assert_int_equal(place_count_files(&scene->place), 1);
	wanted.result = place_blob(LARGE, 2);
	assert_found(scene, &wanted);
	assert_true(blob_is_file(scene->found.operations[0].result));
	found_fini(&scene->found);
	blob_unref(wanted.result);
}

static void
test_large_files(void **state)
{
	struct scene *scene = *state;

	check_large(scene, file_blob);
	store_expire(scene->store, &(struct id){{1, [15] = 0xff}}, 1, 5);
	reopen(scene);
	assert_int_equal(scene->found.count, 1);
	assert_int_equal(place_count_files(&scene->place), 0);
}

static void
test_large_memory(void **state)
{
	struct scene *scene = *state;

	check_large(scene, large_memory_blob);
	store_forget(scene->store, &(struct id){{1, [15] = 0xff}}, 1);
	reopen(scene);
	assert_int_equal(scene->found.count, 0);
	assert_int_equal(place_count_files(&scene->place), 0);
}

static void
test_forget_before_the_end(void **state)
{
	struct scene *scene = *state;
	struct store_operation operation = place_operation(1);

	operation.body = place_blob(LARGE, 1);
	do_accept(scene, &operation);
	blob_unref(operation.body);
	assert_int_equal(place_count_files(&scene->place), 1);
	store_forget(scene->store, &operation.id, 1);
	reopen(scene);
	assert_int_equal(scene->found.count, 0);
	assert_int_equal(place_count_files(&scene->place), 0);
}

/* What a crash may have left goes, what a row names stays. */
static void
test_sweep(void **state)
{
	struct scene *scene = *state;
	struct store_operation wanted = place_operation(1);

	wanted.body = place_blob(LARGE, 1);
	do_accept(scene, &wanted);
	int fd = openat(store_spool_fd(scene->store), "tmp.left-over", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(place_count_files(&scene->place), 2);
	assert_found(scene, &wanted);
	assert_int_equal(place_count_files(&scene->place), 1);
	blob_unref(wanted.body);
}

static void
test_order_of_completion(void **state)
{
	enum { COUNT = 3000 };
	struct scene *scene = *state;
	struct outcome *outcomes = xcalloc(COUNT, sizeof *outcomes);
	unsigned made = 0;

	for (uint64_t sequence = 1; made + 3 <= COUNT; sequence++) {
		struct store_operation operation = place_operation(sequence), last = place_end(sequence);
		for (unsigned i = made; i < made + 3; i++)
			outcomes[i].count = &scene->count;
		store_accept(scene->store, &operation, outcome_done, &outcomes[made]);
		store_begin(
			scene->store, &operation.id, sequence, 1, NULL, outcome_done, &outcomes[made + 1]);
		store_end(scene->store, &last, outcome_done, &outcomes[made + 2]);
		store_expire(scene->store, &operation.id, sequence, 1);
		store_forget(scene->store, &operation.id, sequence);
		made += 3;
	}
	place_wait(&scene->place, &scene->count, made);
	for (unsigned i = 0; i < made; i++) {
		assert_int_equal(outcomes[i].order, i + 1);
		assert_int_equal(outcomes[i].error, 0);
	}
	reopen(scene);
	assert_int_equal(scene->found.count, 0);
	free(outcomes);
}

static void
test_close_writes_everything(void **state)
{
	struct scene *scene = *state;
	struct outcome outcomes[50];

	for (unsigned i = 0; i < 50; i++) {
		struct store_operation operation = place_operation(i + 1);
		outcomes[i] = (struct outcome){.count = &scene->count};
		store_accept(scene->store, &operation, outcome_done, &outcomes[i]);
	}
	reopen(scene);
	assert_int_equal(scene->count, 50);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(outcomes[i].error, 0);
	assert_int_equal(scene->found.count, 50);
}

static void
test_unknown_operations(void **state)
{
	struct scene *scene = *state;
	struct store_operation operation = place_operation(3), last = place_end(3);

	assert_int_equal(do_begin(scene, &operation, 1), -ENOENT);
	last.result = place_blob(LARGE, 1);
	assert_int_equal(do_end(scene, &last), -ENOENT);
	blob_unref(last.result);
	assert_int_equal(place_count_files(&scene->place), 0);

	/* the id must fit as well */
	do_accept(scene, &operation);
	last = place_end(3);
	last.id.bytes[0]++;
	assert_int_equal(do_end(scene, &last), -ENOENT);
	store_expire(scene->store, &last.id, 3, 1);
	store_forget(scene->store, &last.id, 3);
	store_process(scene->store, &last.id, 3, 1, 1);
	assert_found(scene, &operation);
}

/* An end whose file somebody has removed cannot be made durable; another end can. */
static void
test_result_is_gone(void **state)
{
	struct scene *scene = *state;
	struct store_operation operation = place_operation(1), last = place_end(1), wanted = ended(1);

	do_accept(scene, &operation);
	last.result = file_blob(scene, 1);
	assert_int_equal(unlinkat(store_spool_fd(scene->store), blob_name(last.result), 0), 0);
	assert_int_equal(do_end(scene, &last), -EIO);
	blob_unref(last.result);
	assert_true(store_is_healthy(scene->store));
	last = place_end(1);
	assert_int_equal(do_end(scene, &last), 0);
	assert_found(scene, &wanted);
}

static void
test_result_was_cut_off(void **state)
{
	struct scene *scene = *state;
	struct store_operation operation = place_operation(1), last = place_end(1);

	do_accept(scene, &operation);
	last.result = file_blob(scene, 1);
	CLEANUP_FREE char *path = xasprintf("%s/%s", scene->place.spool_path, blob_name(last.result));
	assert_int_equal(truncate(path, 10), 0);
	assert_int_equal(do_end(scene, &last), -EIO);
	blob_unref(last.result);
	assert_found(scene, &operation);
}

static void
test_second_store_is_refused(void **state)
{
	struct scene *scene = *state;
	struct store_config config = {.path = scene->place.path, .mailbox = scene->place.mailbox};
	struct store *second = NULL;
	char *why = NULL;

	assert_int_equal(store_open(&config, &second, &why), -EBUSY);
	assert_non_null(strstr(why, "in use by another deferd"));
	assert_null(second);
	free(why);

	/* by another name the lock is another, but the database is the same */
	CLEANUP_FREE char *other = xasprintf("%s/other.db", scene->place.directory);
	assert_int_equal(symlink(scene->place.path, other), 0);
	config.path = other;
	why = NULL;
	assert_int_equal(store_open(&config, &second, &why), -EBUSY);
	assert_non_null(strstr(why, "in use"));
	free(why);
}

static void
test_stats(void **state)
{
	struct scene *scene = *state;
	struct store_operation operation = place_operation(1), last = place_end(1);
	struct store_stats stats;
	struct stat status;

	do_accept(scene, &operation);
	assert_int_equal(do_end(scene, &last), 0);
	operation = place_operation(2);
	do_accept(scene, &operation);
	store_get_stats(scene->store, &stats);
	assert_int_equal(stats.commits, 3);
	uint64_t timed = 0;
	for (size_t i = 0; i <= HISTOGRAM_BUCKETS; i++)
		timed += stats.commit_times.buckets[i];
	assert_int_equal(timed, stats.commits);
	assert_true(stats.commit_times.sum_us > 0);
	assert_true(stats.writes >= 2 && stats.writes + stats.waiting == 3);
	assert_int_equal(stat(scene->place.path, &status), 0);
	assert_int_equal(stats.file_bytes, status.st_size);
	assert_true(store_is_healthy(scene->store));
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
	struct scene *scene = *state;
	struct store_config config = {.path = scene->place.path, .mailbox = scene->place.mailbox};
	struct store_operation operation = place_operation(1);
	char *why = NULL;

	do_accept(scene, &operation);
	store_close(scene->store);
	assert_int_equal(store_open(&config, &scene->store, &why), 0);
	store_close(scene->store);
	assert_int_equal(store_open(&config, &scene->store, &why), 0);
	assert_int_equal(store_load(scene->store, place_on_load, &scene->found, &why), 0);
	found_fini(&scene->found);
	store_close(scene->store);
	open_store(scene);
	assert_found(scene, &operation);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),
		TEST(test_life),
		TEST(test_nothing_and_empty),
		TEST(test_accepted_as_running),
		TEST(test_order_of_acceptance),
		TEST(test_large_files),
		TEST(test_large_memory),
		TEST(test_forget_before_the_end),
		TEST(test_sweep),
		TEST(test_order_of_completion),
		TEST(test_close_writes_everything),
		TEST(test_unknown_operations),
		TEST(test_result_is_gone),
		TEST(test_result_was_cut_off),
		TEST(test_second_store_is_refused),
		TEST(test_stats),
		TEST(test_open_and_close),
		cmocka_unit_test(test_close_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
