/* Tests of server/store/writer.c, disk.c and health.c on a disk that refuses, fails and comes back. */
#include "tests/unit/server/store/sqlite/disk/faulty_vfs.h"
#include "tests/unit/server/store/writer/store_writing.h"

#include "common/text.h"

#include <errno.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define LARGE (BLOB_SPILL_BYTES + 1000)
#define EVER 1000000000

struct refusal {
	const char *name;
	enum faulty_call call;
	enum faulty_file file;
	int result_code;
	int error;
};

static const struct refusal refusals[] = {
	{"full", FAULTY_WRITE, FAULTY_LOG, SQLITE_FULL, -ENOSPC},
	{"failing", FAULTY_WRITE, FAULTY_LOG, SQLITE_IOERR_WRITE, -EIO},
};

/* On a disk that refuses, accepts and begins are refused; ends and the writes after them wait in order; later
 * all goes on. */
static void
check_refusal(struct writing *scene, const struct refusal *refusal, uint64_t first)
{
	struct outcome outcomes[9];
	unsigned count = scene->count, reports = scene->reports;

	writing_accept(scene, first, &outcomes[0]);
	writing_accept(scene, first + 1, &outcomes[1]);
	writing_wait_for(scene, count + 2);
	faulty_fail(refusal->call, refusal->file, 0, EVER, refusal->result_code);
	writing_accept(scene, first + 2, &outcomes[2]);
	writing_wait_for(scene, count + 3);
	assert_int_equal(outcomes[2].error, refusal->error);
	writing_wait_for_reports(scene, reports + 1, false);
	writing_end(scene, first, &outcomes[3]);
	writing_bare(scene, STORE_PROCESS, first + 1, NULL);
	writing_end(scene, first + 1, &outcomes[4]);
	writing_bare(scene, STORE_EXPIRE, first + 1, NULL);
	writing_accept(scene, first + 3, &outcomes[5]);
	writing_bare(scene, STORE_BEGIN, first, &outcomes[6]);
	writing_wait_for(scene, count + 5);
	assert_int_equal(outcomes[5].error, refusal->error);
	assert_int_equal(outcomes[6].error, refusal->error);
	assert_int_equal(outcomes[3].order + outcomes[4].order, 0);

	faulty_clear();
	writing_wait_for(scene, count + 7);
	assert_int_equal(outcomes[3].order, count + 6);
	assert_int_equal(outcomes[4].order, count + 7);
	assert_int_equal(outcomes[3].error + outcomes[4].error, 0);
	writing_wait_for_reports(scene, reports + 2, true);
	writing_accept(scene, first + 4, &outcomes[7]);
	writing_end(scene, first + 2, &outcomes[8]);
	writing_wait_for(scene, count + 9);
	assert_int_equal(outcomes[7].error, 0);
	assert_int_equal(outcomes[8].error, -ENOENT);
}

static void
test_refusing_disk(void **state)
{
	struct writing *scene = *state;
	struct found found = {.count = 0};

	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
		check_refusal(scene, &refusals[i], 1 + 10 * i);
	writing_restart(scene, &found);
	assert_int_equal(found.count, 6);
	for (size_t i = 0; i < found.count; i += 3) {
		assert_int_equal(found.operations[i].state, STORE_ENDED);
		assert_int_equal(found.operations[i + 1].state, STORE_TOMBSTONE);
		assert_int_equal(found.operations[i + 2].state, STORE_QUEUED);
	}
	found_fini(&found);
}

/* The first write that finds the disk full is an end. */
static void
test_refused_end_is_reported(void **state)
{
	struct writing *scene = *state;
	struct outcome outcomes[3];

	writing_accept(scene, 1, &outcomes[0]);
	writing_wait_for(scene, 1);
	faulty_fail(FAULTY_WRITE, FAULTY_LOG, 0, EVER, SQLITE_FULL);
	writing_end(scene, 1, &outcomes[1]);
	writing_wait_for_reports(scene, 1, false);
	assert_non_null(strstr(scene->why, strerror(ENOSPC)));
	writing_accept(scene, 2, &outcomes[2]);
	writing_wait_for(scene, 2);
	assert_int_equal(outcomes[2].error, -ENOSPC);
	faulty_clear();
	writing_wait_for_reports(scene, 2, true);
	writing_wait_for(scene, 3);
	assert_int_equal(outcomes[1].error, 0);
}

/* In a group that fails, an end that was before an accept is written before it, or the accept is refused. */
static void
test_mixed_group_fails(void **state)
{
	struct writing *scene = *state;
	struct outcome outcomes[5];

	writing_accept(scene, 1, &outcomes[0]);
	writing_wait_for(scene, 1);
	faulty_hold();
	writing_accept(scene, 2, &outcomes[1]);
	place_end_pass(&scene->place);
	faulty_wait_held();
	writing_accept(scene, 3, &outcomes[2]);
	writing_end(scene, 1, &outcomes[3]);
	writing_accept(scene, 4, &outcomes[4]);
	/* the group and its first write fail; the probe and the later writes succeed */
	faulty_fail(FAULTY_WRITE, FAULTY_LOG, 0, 2, SQLITE_FULL);
	faulty_release();
	writing_wait_for(scene, 5);
	assert_int_equal(outcomes[2].error, -ENOSPC);
	assert_int_equal(outcomes[3].error, 0);
	assert_int_equal(outcomes[4].error, 0);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(outcomes[i].order, i + 1);
	assert_int_equal(scene->reports, 0);
	writing_assert_kept(scene, (uint64_t[]){1, 2, 4}, 3);
}

/* The database cannot grow although its log can: this is noticed before the log has filled the disk. */
static void
test_full_at_the_checkpoint(void **state)
{
	struct writing *scene = *state;
	struct store_operation operation;
	struct outcome outcomes[64];
	unsigned made = 0;

	faulty_fail(FAULTY_WRITE, FAULTY_DATABASE, 0, EVER, SQLITE_FULL);
	while (scene->reports == 0) {
		assert_in_range(made, 0, 1000);
		operation = place_operation(made + 1);
		operation.body = place_blob(BLOB_SPILL_BYTES, made);
		writing_post(scene, STORE_ACCEPT, &operation, &outcomes[made % 64]);
		blob_unref(operation.body);
		writing_wait_for(scene, ++made);
	}
	assert_false(scene->healthy);
	writing_accept(scene, 2000, &outcomes[0]);
	writing_wait_for(scene, made + 1);
	assert_int_equal(outcomes[0].error, -ENOSPC);
	faulty_clear();
	writing_wait_for_reports(scene, 2, true);
	writing_accept(scene, 2001, &outcomes[0]);
	writing_wait_for(scene, made + 2);
	assert_int_equal(outcomes[0].error, 0);
}

/* One write to any file fails once: everything that was reported stays true. */
static void
check_nth(struct writing *scene, enum faulty_file file, unsigned n, int result_code)
{
	struct outcome accepts[6], ends[3];
	struct found found = {.count = 0};
	unsigned made = scene->count;

	faulty_fail(FAULTY_WRITE, file, n, 1, result_code);
	for (uint64_t i = 0; i < 6; i++) {
		struct store_operation operation = place_operation(i + 1);
		operation.body = place_blob(i % 2 ? LARGE : 5000, (unsigned)i);
		writing_post(scene, STORE_ACCEPT, &operation, &accepts[i]);
		blob_unref(operation.body);
		if (i % 2)
			writing_wait_for(scene, made + (unsigned)i + 1);
	}
	for (uint64_t i = 0; i < 3; i++) {
		struct store_operation operation = place_end(2 * i + 1);
		operation.result = place_blob(i % 2 ? LARGE : 5000, (unsigned)i);
		writing_post(scene, STORE_END, &operation, &ends[i]);
		blob_unref(operation.result);
	}
	writing_wait_for(scene, made + 9);
	writing_restart(scene, &found);
	size_t at = 0, files = 0;
	for (uint64_t i = 0; i < 6; i++) {
		bool accepted = accepts[i].error == 0;
		if (i % 2 == 0)
			assert_int_equal(ends[i / 2].error, accepted ? 0 : -ENOENT);
		if (!accepted)
			continue;
		assert_int_equal(found.operations[at].sequence, i + 1);
		assert_int_equal(found.operations[at].state, i % 2 ? STORE_QUEUED : STORE_ENDED);
		files += i % 2 || i == 2;
		writing_bare(scene, STORE_FORGET, i + 1, NULL);
		at++;
	}
	assert_int_equal(found.count, at);
	assert_int_equal(place_count_files(&scene->place), files);
	found_fini(&found);
	writing_restart(scene, &found);
	assert_int_equal(found.count, 0);
	assert_int_equal(place_count_files(&scene->place), 0);
}

static void
test_every_write_fails_once(void **state)
{
	static const int result_codes[] = {SQLITE_FULL, SQLITE_IOERR_WRITE};

	for (unsigned n = 0; n < 40; n++)
		for (size_t i = 0; i < 2; i++)
			check_nth(*state, FAULTY_LOG, n, result_codes[i]);
}

/* Nothing is written any more; the next start finds everything that was reported before. */
static void
check_broken(struct writing *scene, struct outcome *refused)
{
	struct outcome outcomes[3];
	unsigned count = scene->count;

	assert_int_equal(refused->error, -EIO);
	writing_wait_for_reports(scene, 1, false);
	assert_non_null(strstr(scene->why, "started again"));
	faulty_clear();
	writing_end(scene, 1, &outcomes[0]);
	writing_accept(scene, 900, &outcomes[1]);
	writing_bare(scene, STORE_FORGET, 1, NULL);
	writing_bare(scene, STORE_BEGIN, 1, &outcomes[2]);
	writing_wait_for(scene, count + 2);
	assert_int_equal(outcomes[1].error, -EIO);
	assert_int_equal(outcomes[2].error, -EIO);
	assert_int_equal(scene->reports, 1);
	assert_int_equal(faulty_count(FAULTY_WRITE, FAULTY_LOG), 0);
	assert_int_equal(faulty_count(FAULTY_WRITE, FAULTY_DATABASE), 0);

	struct found found = {.count = 0};
	writing_restart(scene, &found);
	assert_int_equal(scene->count, count + 3);
	assert_int_equal(outcomes[0].error, -ECANCELED);
	assert_true(found.count >= 1 && found.operations[0].sequence == 1);
	assert_int_equal(found.operations[0].state, STORE_QUEUED);
	found_fini(&found);
	writing_end(scene, 1, &outcomes[0]);
	writing_wait_for(scene, count + 4);
	assert_int_equal(outcomes[0].error, 0);
}

static void
test_sync_of_the_log_fails(void **state)
{
	struct writing *scene = *state;
	struct outcome outcomes[2];

	writing_accept(scene, 1, &outcomes[0]);
	writing_wait_for(scene, 1);
	faulty_fail(FAULTY_SYNC, FAULTY_LOG, 0, 1, SQLITE_IOERR_FSYNC);
	writing_accept(scene, 2, &outcomes[1]);
	writing_wait_for(scene, 2);
	check_broken(scene, &outcomes[1]);
}

static void
test_sync_of_a_file_fails(void **state)
{
	struct writing *scene = *state;
	struct outcome outcomes[2];
	struct store_operation large = place_operation(2);

	writing_accept(scene, 1, &outcomes[0]);
	writing_wait_for(scene, 1);
	faulty_fail_fsync(true);
	large.body = place_blob(LARGE, 1);
	writing_post(scene, STORE_ACCEPT, &large, &outcomes[1]);
	blob_unref(large.body);
	writing_wait_for(scene, 2);
	check_broken(scene, &outcomes[1]);
}

/* The checkpoint fails after a commit that succeeded and was reported: its writes must be kept. */
static void
test_sync_of_the_database_fails(void **state)
{
	struct writing *scene = *state;
	struct store_operation operation;
	struct outcome outcomes[2], refused;
	unsigned made = 1;

	writing_accept(scene, 1, &outcomes[0]);
	writing_wait_for(scene, 1);
	faulty_fail(FAULTY_SYNC, FAULTY_DATABASE, 0, 1, SQLITE_IOERR_FSYNC);
	while (scene->reports == 0) {
		assert_in_range(made, 0, FOUND_MAX - 2);
		operation = place_operation(made + 1);
		operation.body = place_blob(BLOB_SPILL_BYTES, made);
		writing_post(scene, STORE_ACCEPT, &operation, &outcomes[1]);
		blob_unref(operation.body);
		writing_wait_for(scene, ++made);
		if (scene->reports == 0)
			assert_int_equal(outcomes[1].error, 0);
	}
	writing_accept(scene, 800, &refused);
	writing_wait_for(scene, made + 1);
	check_broken(scene, &refused);
}

static void
test_stop_gives_up(void **state)
{
	struct writing *scene = *state;
	struct outcome outcomes[3];
	struct found found = {.count = 0};

	writing_accept(scene, 1, &outcomes[0]);
	writing_wait_for(scene, 1);
	faulty_fail(FAULTY_WRITE, FAULTY_LOG, 0, EVER, SQLITE_FULL);
	writing_end(scene, 1, &outcomes[1]);
	writing_wait_for_reports(scene, 1, false);
	writing_end(scene, 1, &outcomes[2]);
	writing_bare(scene, STORE_EXPIRE, 1, NULL);
	writing_restart(scene, &found);
	assert_int_equal(scene->count, 3);
	assert_int_equal(outcomes[1].error, -ECANCELED);
	assert_int_equal(outcomes[2].error, -ECANCELED);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.operations[0].state, STORE_QUEUED);
	found_fini(&found);
}

/* The last try, at the stop of the writer, succeeds. */
static void
test_stop_tries_once_more(void **state)
{
	struct writing *scene = *state;
	struct outcome outcomes[2];
	struct found found = {.count = 0};

	writer_stop(scene->writer);
	writing_start(scene, 3600000);
	writing_accept(scene, 1, &outcomes[0]);
	writing_wait_for(scene, 1);
	faulty_fail(FAULTY_WRITE, FAULTY_LOG, 0, EVER, SQLITE_FULL);
	writing_end(scene, 1, &outcomes[1]);
	writing_wait_for_reports(scene, 1, false);
	faulty_clear();
	writing_restart(scene, &found);
	assert_int_equal(outcomes[1].error, 0);
	assert_int_equal(found.operations[0].state, STORE_ENDED);
	found_fini(&found);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, writing_set_up, writing_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_refusing_disk),
		TEST(test_refused_end_is_reported),
		TEST(test_mixed_group_fails),
		TEST(test_full_at_the_checkpoint),
		TEST(test_every_write_fails_once),
		TEST(test_sync_of_the_log_fails),
		TEST(test_sync_of_a_file_fails),
		TEST(test_sync_of_the_database_fails),
		TEST(test_stop_gives_up),
		TEST(test_stop_tries_once_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
