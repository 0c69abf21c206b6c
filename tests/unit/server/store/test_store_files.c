/* Tests of the store: bodies and results so large that they are files of their own. */
#include "tests/unit/server/store/store_life.h"

#include "common/cleanup.h"
#include "common/text.h"

#include <errno.h>
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

/* A blob in a file, made by a sink. */
static struct blob *
file_blob(struct life *life, unsigned seed)
{
	struct blob *memory = place_blob(LARGE, seed), *file = NULL;
	struct blob_sink sink;

	blob_sink_init(&sink, store_spool_fd(life->store), UINT64_MAX);
	assert_int_equal(blob_sink_write(&sink, blob_data(memory), blob_len(memory)), 0);
	assert_int_equal(blob_sink_finish(&sink, &file), 0);
	assert_true(blob_is_file(file));
	blob_unref(memory);
	return file;
}

static struct blob *
large_memory_blob(struct life *life, unsigned seed)
{
	return place_blob(LARGE, seed);
}

static void
check_large(struct life *life, struct blob *(*make)(struct life *life, unsigned seed))
{
	struct store_operation wanted = place_operation(1);
	struct store_operation last = place_end(1);

	wanted.body = make(life, 1);
	life_accept(life, &wanted);
	blob_unref(wanted.body);
	assert_int_equal(place_count_files(&life->place), 1);
	wanted.body = place_blob(LARGE, 1);
	life_assert_found(life, &wanted);
	assert_true(blob_is_file(life->found.operations[0].body));
	blob_unref(wanted.body);

	/* a reference keeps the file of the body readable after the end */
	wanted = life_ended(1);
	last.result = make(life, 2);
	assert_int_equal(life_end(life, &last), 0);
	blob_unref(last.result);
	assert_int_equal(place_count_files(&life->place), 2);
	found_fini(&life->found);
	assert_int_equal(place_count_files(&life->place), 1);
	wanted.result = place_blob(LARGE, 2);
	life_assert_found(life, &wanted);
	assert_true(blob_is_file(life->found.operations[0].result));
	found_fini(&life->found);
	blob_unref(wanted.result);
}

static void
test_large_files(void **state)
{
	struct life *life = *state;

	check_large(life, file_blob);
	store_expire(life->store, &(struct id){{1, [15] = 0xff}}, 1, 5, NULL, NULL);
	life_reopen(life);
	assert_int_equal(life->found.count, 1);
	assert_int_equal(place_count_files(&life->place), 0);
}

static void
test_large_memory(void **state)
{
	struct life *life = *state;

	check_large(life, large_memory_blob);
	store_forget(life->store, &(struct id){{1, [15] = 0xff}}, 1);
	life_reopen(life);
	assert_int_equal(life->found.count, 0);
	assert_int_equal(place_count_files(&life->place), 0);
}

static void
test_forget_before_the_end(void **state)
{
	struct life *life = *state;
	struct store_operation operation = place_operation(1);

	operation.body = place_blob(LARGE, 1);
	life_accept(life, &operation);
	blob_unref(operation.body);
	assert_int_equal(place_count_files(&life->place), 1);
	store_forget(life->store, &operation.id, 1);
	life_reopen(life);
	assert_int_equal(life->found.count, 0);
	assert_int_equal(place_count_files(&life->place), 0);
}

/* Files left by a crash are removed; files that rows name stay. */
static void
test_sweep(void **state)
{
	struct life *life = *state;
	struct store_operation wanted = place_operation(1);

	wanted.body = place_blob(LARGE, 1);
	life_accept(life, &wanted);
	int fd = openat(store_spool_fd(life->store), "tmp.left-over", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(place_count_files(&life->place), 2);
	life_assert_found(life, &wanted);
	assert_int_equal(place_count_files(&life->place), 1);
	blob_unref(wanted.body);
}

/* An end whose file is gone cannot be made durable; another end can. */
static void
test_result_is_gone(void **state)
{
	struct life *life = *state;
	struct store_operation operation = place_operation(1), last = place_end(1), wanted = life_ended(1);

	life_accept(life, &operation);
	last.result = file_blob(life, 1);
	assert_int_equal(unlinkat(store_spool_fd(life->store), blob_name(last.result), 0), 0);
	assert_int_equal(life_end(life, &last), -EIO);
	blob_unref(last.result);
	assert_true(store_is_healthy(life->store));
	last = place_end(1);
	assert_int_equal(life_end(life, &last), 0);
	life_assert_found(life, &wanted);
}

static void
test_result_was_cut_off(void **state)
{
	struct life *life = *state;
	struct store_operation operation = place_operation(1), last = place_end(1);

	life_accept(life, &operation);
	last.result = file_blob(life, 1);
	CLEANUP_FREE char *path = xasprintf("%s/%s", life->place.spool_path, blob_name(last.result));
	assert_int_equal(truncate(path, 10), 0);
	assert_int_equal(life_end(life, &last), -EIO);
	blob_unref(last.result);
	life_assert_found(life, &operation);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, life_set_up, life_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_large_files),
		TEST(test_large_memory),
		TEST(test_forget_before_the_end),
		TEST(test_sweep),
		TEST(test_result_is_gone),
		TEST(test_result_was_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
