/* Tests of server/store/writer.c, disk.c and health.c: groups, and a disk that refuses, fails and comes back.
 * */
#include "faulty_vfs.h"
#include "store_place.h"

#include "store/writer.h"

#include "common/text.h"

#include <errno.h>
#include <event2/event.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define LARGE (BLOB_SPILL_BYTES + 1000)
#define EVER 1000000000

/* A place, a writer on a disk in it, and what happened there. */
struct scene {
	struct place place;
	struct disk disk;
	struct writer *writer;
	unsigned count; /* completions */

	/* reports */
	unsigned reports;
	bool healthy;
	char why[256];
};

static void
on_health(void *arg, bool healthy, const char *why)
{
	struct scene *scene = arg;

	assert_true(healthy != scene->healthy);
	scene->healthy = healthy;
	snprintf(scene->why, sizeof scene->why, "%s", why);
	scene->reports++;
}

/* Gives what is kept to found. */
static void
open_disk(struct scene *scene, struct found *found)
{
	struct disk *disk = &scene->disk;
	char *why = NULL;

	assert_int_equal(spool_open(scene->place.spool_path, &disk->spool, &why), 0);
	assert_int_equal(database_open(scene->place.path, &disk->database, &why), 0);
	assert_int_equal(rows_open(disk->database, &disk->rows), 0);
	assert_int_equal(database_check(disk->database, &why), 0);
	assert_int_equal(rows_load(disk->rows, disk->spool, place_on_load, found, &why), 0);
	assert_int_equal(spool_sweep(disk->spool), 0);
}

static void
close_disk(struct scene *scene)
{
	rows_close(scene->disk.rows);
	database_close(scene->disk.database);
	spool_close(scene->disk.spool);
}

static void
start(struct scene *scene, unsigned pause_ms)
{
	struct writer_config config = {
		.mailbox = scene->place.mailbox,
		.on_health = on_health,
		.arg = scene,
		.pause_ms = pause_ms,
		.disk = &scene->disk,
	};

	scene->healthy = true;
	scene->reports = 0;
	assert_int_equal(writer_start(&config, &scene->writer), 0);
}

static int
set_up(void **state)
{
	struct scene *scene = xcalloc(1, sizeof *scene);
	struct found found = {.count = 0};

	faulty_install();
	place_init(&scene->place);
	open_disk(scene, &found);
	faulty_clear();
	start(scene, 1);
	*state = scene;
	return 0;
}

static int
tear_down(void **state)
{
	struct scene *scene = *state;

	faulty_release();
	faulty_clear();
	if (scene->writer)
		writer_stop(scene->writer);
	close_disk(scene);
	place_fini(&scene->place);
	free(scene);
	return 0;
}

/* Stops the writer; found is what a restart finds on a disk that works again. */
static void
restart(struct scene *scene, struct found *found)
{
	writer_stop(scene->writer);
	faulty_clear();
	close_disk(scene);
	mailbox_drain(scene->place.mailbox);
	found->count = 0;
	open_disk(scene, found);
	start(scene, 1);
}

static void
assert_kept(struct scene *scene, const uint64_t *sequences, size_t count)
{
	struct found found;

	restart(scene, &found);
	assert_int_equal(found.count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(found.operations[i].sequence, sequences[i]);
	found_fini(&found);
}

static void
post(struct scene *scene, enum store_verb verb, const struct store_operation *operation,
	struct outcome *outcome)
{
	if (outcome)
		*outcome = (struct outcome){.count = &scene->count};
	writer_post(scene->writer, write_new(verb, operation, outcome ? outcome_done : NULL, outcome));
}

static void
post_accept(struct scene *scene, uint64_t sequence, struct outcome *outcome)
{
	struct store_operation operation = place_operation(sequence);

	post(scene, STORE_ACCEPT, &operation, outcome);
}

static void
post_end(struct scene *scene, uint64_t sequence, struct outcome *outcome)
{
	struct store_operation operation = place_end(sequence);

	post(scene, STORE_END, &operation, outcome);
}

static void
post_bare(struct scene *scene, enum store_verb verb, uint64_t sequence, struct outcome *outcome)
{
	struct store_operation full = place_operation(sequence);
	struct store_operation operation = {
		.id = full.id, .sequence = sequence, .started_ms = 5, .forget_ms = 6};

	post(scene, verb, &operation, outcome);
}

static void
wait_for(struct scene *scene, unsigned count)
{
	place_wait(&scene->place, &scene->count, count);
}

static void
wait_for_reports(struct scene *scene, unsigned reports, bool healthy)
{
	place_wait(&scene->place, &scene->reports, reports);
	assert_int_equal(scene->healthy, healthy);
	assert_int_equal(writer_is_healthy(scene->writer), healthy);
}

/* While one commit is on its way the next group gathers: two commits, however many writes. */
static void
test_group(void **state)
{
	struct scene *scene = *state;
	struct outcome outcomes[100];
	struct store_stats stats;

	faulty_hold();
	post_accept(scene, 1, &outcomes[0]);
	faulty_wait_held();
	for (unsigned i = 1; i < 100; i++)
		post_accept(scene, i + 1, &outcomes[i]);
	faulty_release();
	wait_for(scene, 100);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(outcomes[i].order, i + 1);
	writer_get_stats(scene->writer, &stats);
	assert_int_equal(stats.commits, 2);
}

/* A crowd of forgettings does not hold up an accept that was handed over after them. */
static void
test_housekeeping_waits(void **state)
{
	enum { CROWD = 1000 };
	struct scene *scene = *state;
	struct outcome outcomes[3];
	struct store_stats stats;

	/* the first commit of a log syncs twice */
	post_accept(scene, 1, &outcomes[0]);
	wait_for(scene, 1);
	faulty_hold();
	post_accept(scene, 2, &outcomes[1]);
	faulty_wait_held();
	for (unsigned i = 0; i < CROWD; i++)
		post_bare(scene, STORE_FORGET, 1000 + i, NULL);
	post_accept(scene, 3, &outcomes[2]);
	faulty_step();
	faulty_wait_held();
	writer_get_stats(scene->writer, &stats);
	assert_int_equal(stats.waiting, CROWD + 1);
	faulty_step();
	wait_for(scene, 3);
	faulty_release();
	assert_kept(scene, (uint64_t[]){1, 2, 3}, 3);
}

/* What is handed over as one crowd is done in its order, though a group is smaller and forgettings come last
 * in it. */
static void
test_forgetting_does_not_overtake(void **state)
{
	enum { COUNT = 1000 };
	struct scene *scene = *state;
	struct outcome *outcomes = xcalloc(2 * COUNT + 1, sizeof *outcomes);
	struct found found = {.count = 0};

	faulty_hold();
	post_accept(scene, 1, &outcomes[0]);
	faulty_wait_held();
	for (unsigned i = 0; i < COUNT; i++) {
		post_accept(scene, i + 2, &outcomes[1 + 2 * i]);
		post_end(scene, i + 2, &outcomes[2 + 2 * i]);
		post_bare(scene, STORE_EXPIRE, i + 2, NULL);
		if (i < COUNT - 10)
			post_bare(scene, STORE_FORGET, i + 2, NULL);
	}
	faulty_release();
	wait_for(scene, 2 * COUNT + 1);
	for (unsigned i = 0; i < 2 * COUNT + 1; i++)
		assert_int_equal(outcomes[i].error, 0);
	restart(scene, &found);
	assert_int_equal(found.count, 11);
	for (size_t i = 1; i < found.count; i++)
		assert_int_equal(found.operations[i].state, STORE_TOMBSTONE);
	found_fini(&found);
	free(outcomes);
}

/* One that cannot be written does not take the others of its group with it. */
static void
test_one_fails_alone(void **state)
{
	struct scene *scene = *state;
	struct outcome outcomes[4];
	struct store_operation large = place_operation(3);

	faulty_hold();
	post_accept(scene, 1, &outcomes[0]);
	faulty_wait_held();
	assert_int_equal(rmdir(scene->place.spool_path), 0);
	large.body = place_blob(LARGE, 1);
	post_accept(scene, 2, &outcomes[1]);
	post(scene, STORE_ACCEPT, &large, &outcomes[2]);
	post_accept(scene, 4, &outcomes[3]);
	blob_unref(large.body);
	faulty_release();
	wait_for(scene, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(outcomes[i].order, i + 1);
		assert_int_equal(outcomes[i].error, i == 2 ? -EIO : 0);
	}
	assert_int_equal(scene->reports, 0);
	assert_true(writer_is_healthy(scene->writer));
	assert_kept(scene, (uint64_t[]){1, 2, 4}, 3);
}

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

/* Accepts and begins are refused, ends and what follows them wait and keep their order, and then all goes on.
 * */
static void
check_refusal(struct scene *scene, const struct refusal *refusal, uint64_t first)
{
	struct outcome outcomes[9];
	unsigned count = scene->count, reports = scene->reports;

	post_accept(scene, first, &outcomes[0]);
	post_accept(scene, first + 1, &outcomes[1]);
	wait_for(scene, count + 2);
	faulty_fail(refusal->call, refusal->file, 0, EVER, refusal->result_code);
	post_accept(scene, first + 2, &outcomes[2]);
	wait_for(scene, count + 3);
	assert_int_equal(outcomes[2].error, refusal->error);
	wait_for_reports(scene, reports + 1, false);
	post_end(scene, first, &outcomes[3]);
	post_bare(scene, STORE_PROCESS, first + 1, NULL);
	post_end(scene, first + 1, &outcomes[4]);
	post_bare(scene, STORE_EXPIRE, first + 1, NULL);
	post_accept(scene, first + 3, &outcomes[5]);
	post_bare(scene, STORE_BEGIN, first, &outcomes[6]);
	wait_for(scene, count + 5);
	assert_int_equal(outcomes[5].error, refusal->error);
	assert_int_equal(outcomes[6].error, refusal->error);
	assert_int_equal(outcomes[3].order + outcomes[4].order, 0);

	faulty_clear();
	wait_for(scene, count + 7);
	assert_int_equal(outcomes[3].order, count + 6);
	assert_int_equal(outcomes[4].order, count + 7);
	assert_int_equal(outcomes[3].error + outcomes[4].error, 0);
	wait_for_reports(scene, reports + 2, true);
	post_accept(scene, first + 4, &outcomes[7]);
	post_end(scene, first + 2, &outcomes[8]);
	wait_for(scene, count + 9);
	assert_int_equal(outcomes[7].error, 0);
	assert_int_equal(outcomes[8].error, -ENOENT);
}

static void
test_refusing_disk(void **state)
{
	struct scene *scene = *state;
	struct found found = {.count = 0};

	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
		check_refusal(scene, &refusals[i], 1 + 10 * i);
	restart(scene, &found);
	assert_int_equal(found.count, 6);
	for (size_t i = 0; i < found.count; i += 3) {
		assert_int_equal(found.operations[i].state, STORE_ENDED);
		assert_int_equal(found.operations[i + 1].state, STORE_TOMBSTONE);
		assert_int_equal(found.operations[i + 2].state, STORE_QUEUED);
	}
	found_fini(&found);
}

/* An end alone can be what finds the disk full. */
static void
test_refused_end_is_reported(void **state)
{
	struct scene *scene = *state;
	struct outcome outcomes[3];

	post_accept(scene, 1, &outcomes[0]);
	wait_for(scene, 1);
	faulty_fail(FAULTY_WRITE, FAULTY_LOG, 0, EVER, SQLITE_FULL);
	post_end(scene, 1, &outcomes[1]);
	wait_for_reports(scene, 1, false);
	assert_non_null(strstr(scene->why, strerror(ENOSPC)));
	post_accept(scene, 2, &outcomes[2]);
	wait_for(scene, 2);
	assert_int_equal(outcomes[2].error, -ENOSPC);
	faulty_clear();
	wait_for_reports(scene, 2, true);
	wait_for(scene, 3);
	assert_int_equal(outcomes[1].error, 0);
}

/* In a group that fails, an end that was before an accept is written before it, or the accept is refused. */
static void
test_mixed_group_fails(void **state)
{
	struct scene *scene = *state;
	struct outcome outcomes[5];

	post_accept(scene, 1, &outcomes[0]);
	wait_for(scene, 1);
	faulty_hold();
	post_accept(scene, 2, &outcomes[1]);
	faulty_wait_held();
	post_accept(scene, 3, &outcomes[2]);
	post_end(scene, 1, &outcomes[3]);
	post_accept(scene, 4, &outcomes[4]);
	/* the group and its first write fail, the probe and what is then tried does not */
	faulty_fail(FAULTY_WRITE, FAULTY_LOG, 0, 2, SQLITE_FULL);
	faulty_release();
	wait_for(scene, 5);
	assert_int_equal(outcomes[2].error, -ENOSPC);
	assert_int_equal(outcomes[3].error, 0);
	assert_int_equal(outcomes[4].error, 0);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(outcomes[i].order, i + 1);
	assert_int_equal(scene->reports, 0);
	assert_kept(scene, (uint64_t[]){1, 2, 4}, 3);
}

/* The database cannot grow though its log can: that is found before the log has filled the disk. */
static void
test_full_at_the_checkpoint(void **state)
{
	struct scene *scene = *state;
	struct store_operation operation;
	struct outcome outcomes[64];
	unsigned made = 0;

	faulty_fail(FAULTY_WRITE, FAULTY_DATABASE, 0, EVER, SQLITE_FULL);
	while (scene->reports == 0) {
		assert_in_range(made, 0, 1000);
		operation = place_operation(made + 1);
		operation.body = place_blob(BLOB_SPILL_BYTES, made);
		post(scene, STORE_ACCEPT, &operation, &outcomes[made % 64]);
		blob_unref(operation.body);
		wait_for(scene, ++made);
	}
	assert_false(scene->healthy);
	post_accept(scene, 2000, &outcomes[0]);
	wait_for(scene, made + 1);
	assert_int_equal(outcomes[0].error, -ENOSPC);
	faulty_clear();
	wait_for_reports(scene, 2, true);
	post_accept(scene, 2001, &outcomes[0]);
	wait_for(scene, made + 2);
	assert_int_equal(outcomes[0].error, 0);
}

/* Whatever write of whatever file fails once, what was told stays true. */
static void
check_nth(struct scene *scene, enum faulty_file file, unsigned n, int result_code)
{
	struct outcome accepts[6], ends[3];
	struct found found = {.count = 0};
	unsigned made = scene->count;

	faulty_fail(FAULTY_WRITE, file, n, 1, result_code);
	for (uint64_t i = 0; i < 6; i++) {
		struct store_operation operation = place_operation(i + 1);
		operation.body = place_blob(i % 2 ? LARGE : 5000, (unsigned)i);
		post(scene, STORE_ACCEPT, &operation, &accepts[i]);
		blob_unref(operation.body);
		if (i % 2)
			wait_for(scene, made + (unsigned)i + 1);
	}
	for (uint64_t i = 0; i < 3; i++) {
		struct store_operation operation = place_end(2 * i + 1);
		operation.result = place_blob(i % 2 ? LARGE : 5000, (unsigned)i);
		post(scene, STORE_END, &operation, &ends[i]);
		blob_unref(operation.result);
	}
	wait_for(scene, made + 9);
	restart(scene, &found);
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
		post_bare(scene, STORE_FORGET, i + 1, NULL);
		at++;
	}
	assert_int_equal(found.count, at);
	assert_int_equal(place_count_files(&scene->place), files);
	found_fini(&found);
	restart(scene, &found);
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

/* Nothing is written any more; what was told before is there at the next start. */
static void
check_broken(struct scene *scene, struct outcome *refused)
{
	struct outcome outcomes[3];
	unsigned count = scene->count;

	assert_int_equal(refused->error, -EIO);
	wait_for_reports(scene, 1, false);
	assert_non_null(strstr(scene->why, "started again"));
	faulty_clear();
	post_end(scene, 1, &outcomes[0]);
	post_accept(scene, 900, &outcomes[1]);
	post_bare(scene, STORE_FORGET, 1, NULL);
	post_bare(scene, STORE_BEGIN, 1, &outcomes[2]);
	wait_for(scene, count + 2);
	assert_int_equal(outcomes[1].error, -EIO);
	assert_int_equal(outcomes[2].error, -EIO);
	assert_int_equal(scene->reports, 1);
	assert_int_equal(faulty_count(FAULTY_WRITE, FAULTY_LOG), 0);
	assert_int_equal(faulty_count(FAULTY_WRITE, FAULTY_DATABASE), 0);

	struct found found = {.count = 0};
	restart(scene, &found);
	assert_int_equal(scene->count, count + 3);
	assert_int_equal(outcomes[0].error, -ECANCELED);
	assert_true(found.count >= 1 && found.operations[0].sequence == 1);
	assert_int_equal(found.operations[0].state, STORE_QUEUED);
	found_fini(&found);
	post_end(scene, 1, &outcomes[0]);
	wait_for(scene, count + 4);
	assert_int_equal(outcomes[0].error, 0);
}

static void
test_sync_of_the_log_fails(void **state)
{
	struct scene *scene = *state;
	struct outcome outcomes[2];

	post_accept(scene, 1, &outcomes[0]);
	wait_for(scene, 1);
	faulty_fail(FAULTY_SYNC, FAULTY_LOG, 0, 1, SQLITE_IOERR_FSYNC);
	post_accept(scene, 2, &outcomes[1]);
	wait_for(scene, 2);
	check_broken(scene, &outcomes[1]);
}

static void
test_sync_of_a_file_fails(void **state)
{
	struct scene *scene = *state;
	struct outcome outcomes[2];
	struct store_operation large = place_operation(2);

	post_accept(scene, 1, &outcomes[0]);
	wait_for(scene, 1);
	faulty_fail_fsync(true);
	large.body = place_blob(LARGE, 1);
	post(scene, STORE_ACCEPT, &large, &outcomes[1]);
	blob_unref(large.body);
	wait_for(scene, 2);
	check_broken(scene, &outcomes[1]);
}

/* The checkpoint that fails comes after a commit that did not: that one was told, and must be there. */
static void
test_sync_of_the_database_fails(void **state)
{
	struct scene *scene = *state;
	struct store_operation operation;
	struct outcome outcomes[2], refused;
	unsigned made = 1;

	post_accept(scene, 1, &outcomes[0]);
	wait_for(scene, 1);
	faulty_fail(FAULTY_SYNC, FAULTY_DATABASE, 0, 1, SQLITE_IOERR_FSYNC);
	while (scene->reports == 0) {
		assert_in_range(made, 0, FOUND_MAX - 2);
		operation = place_operation(made + 1);
		operation.body = place_blob(BLOB_SPILL_BYTES, made);
		post(scene, STORE_ACCEPT, &operation, &outcomes[1]);
		blob_unref(operation.body);
		wait_for(scene, ++made);
		if (scene->reports == 0)
			assert_int_equal(outcomes[1].error, 0);
	}
	post_accept(scene, 800, &refused);
	wait_for(scene, made + 1);
	check_broken(scene, &refused);
}

static void
test_stop_gives_up(void **state)
{
	struct scene *scene = *state;
	struct outcome outcomes[3];
	struct found found = {.count = 0};

	post_accept(scene, 1, &outcomes[0]);
	wait_for(scene, 1);
	faulty_fail(FAULTY_WRITE, FAULTY_LOG, 0, EVER, SQLITE_FULL);
	post_end(scene, 1, &outcomes[1]);
	wait_for_reports(scene, 1, false);
	post_end(scene, 1, &outcomes[2]);
	post_bare(scene, STORE_EXPIRE, 1, NULL);
	restart(scene, &found);
	assert_int_equal(scene->count, 3);
	assert_int_equal(outcomes[1].error, -ECANCELED);
	assert_int_equal(outcomes[2].error, -ECANCELED);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.operations[0].state, STORE_QUEUED);
	found_fini(&found);
}

/* The last try, at the end, may be the one that succeeds. */
static void
test_stop_tries_once_more(void **state)
{
	struct scene *scene = *state;
	struct outcome outcomes[2];
	struct found found = {.count = 0};

	writer_stop(scene->writer);
	start(scene, 3600000);
	post_accept(scene, 1, &outcomes[0]);
	wait_for(scene, 1);
	faulty_fail(FAULTY_WRITE, FAULTY_LOG, 0, EVER, SQLITE_FULL);
	post_end(scene, 1, &outcomes[1]);
	wait_for_reports(scene, 1, false);
	faulty_clear();
	restart(scene, &found);
	assert_int_equal(outcomes[1].error, 0);
	assert_int_equal(found.operations[0].state, STORE_ENDED);
	found_fini(&found);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_group),
		TEST(test_housekeeping_waits),
		TEST(test_forgetting_does_not_overtake),
		TEST(test_one_fails_alone),
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
