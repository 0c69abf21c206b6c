/* Tests of the database: transactions, the log, the size of the file, and what failures mean. */
#include "tests/unit/server/store/sqlite/disk/faulty_vfs.h"
#include "tests/unit/server/store/store_place.h"

#include "store/sqlite/disk/open.h"

#include "common/cleanup.h"
#include "common/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct scene {
	struct place place;
	struct database *database;
	sqlite3_stmt *insert; /* inserts a row of ?1 bytes */
	sqlite3_stmt *remove; /* deletes the first ?1 + 1 rows */
};

static void
open_database(struct scene *scene)
{
	char *why;

	assert_int_equal(database_open(scene->place.path, &scene->database, &why), 0);
	assert_int_equal(database_prepare(scene->database, "INSERT INTO probe VALUES (NULL, zeroblob(?1))",
				 &scene->insert),
		0);
	assert_int_equal(
		database_prepare(scene->database,
			"DELETE FROM probe WHERE id <= (SELECT min(id) FROM probe) + ?1", &scene->remove),
		0);
}

static void
close_database(struct scene *scene)
{
	sqlite3_finalize(scene->insert);
	sqlite3_finalize(scene->remove);
	database_close(scene->database);
	scene->insert = scene->remove = NULL;
	scene->database = NULL;
}

static int
set_up(void **state)
{
	struct scene *scene = xcalloc(1, sizeof *scene);

	faulty_install();
	faulty_clear();
	place_init(&scene->place);
	open_database(scene);
	*state = scene;
	return 0;
}

static int
tear_down(void **state)
{
	struct scene *scene = *state;

	faulty_clear();
	close_database(scene);
	place_fini(&scene->place);
	free(scene);
	return 0;
}

static void
run_with(struct scene *scene, sqlite3_stmt *statement, int value)
{
	assert_int_equal(sqlite3_bind_int(statement, 1, value), SQLITE_OK);
	assert_int_equal(database_run(scene->database, statement), 0);
}

static int
count_rows(struct scene *scene)
{
	sqlite3_stmt *statement;

	assert_int_equal(database_prepare(scene->database, "SELECT count(*) FROM probe", &statement), 0);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	int count = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return count;
}

static off_t
size_of(const struct scene *scene, const char *suffix)
{
	CLEANUP_FREE char *path = xasprintf("%s%s", scene->place.path, suffix);
	struct stat status;

	return stat(path, &status) < 0 ? 0 : status.st_size;
}

static void
test_transaction(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(database_begin(scene->database), 0);
	run_with(scene, scene->insert, 100);
	assert_int_equal(database_changes(scene->database), 1);
	assert_int_equal(database_commit(scene->database), 0);
	assert_int_equal(database_begin(scene->database), 0);
	run_with(scene, scene->insert, 100);
	assert_int_equal(count_rows(scene), 2);
	database_rollback(scene->database);
	database_rollback(scene->database);
	assert_int_equal(count_rows(scene), 1);
	close_database(scene);
	open_database(scene);
	assert_int_equal(count_rows(scene), 1);
}

/* Every commit is synced, and the log is copied to the database before it has grown much. */
static void
test_log(void **state)
{
	struct scene *scene = *state;
	off_t largest = 0;

	faulty_clear();
	for (unsigned i = 1; i <= 1000; i++) {
		assert_int_equal(database_begin(scene->database), 0);
		run_with(scene, scene->insert, 10000);
		assert_int_equal(database_commit(scene->database), 0);
		assert_true(faulty_count(FAULTY_SYNC, FAULTY_LOG) >= i);
		assert_int_equal(database_tidy(scene->database), 0);
		off_t size = size_of(scene, "-wal");
		largest = size > largest ? size : largest;
	}
	assert_in_range(largest, 1 << 20, 6 << 20);
	assert_in_range(size_of(scene, ""), 6000000, 20000000);
	assert_int_equal(database_file_bytes(scene->database), size_of(scene, ""));
	close_database(scene);
	assert_int_equal(size_of(scene, "-wal"), 0);
	open_database(scene);
	assert_int_equal(count_rows(scene), 1000);
}

/* A log that one large transaction has made long is cut back. */
static void
test_log_is_cut_back(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(database_begin(scene->database), 0);
	for (unsigned i = 0; i < 40; i++)
		run_with(scene, scene->insert, 1000000);
	assert_int_equal(database_commit(scene->database), 0);
	assert_true(size_of(scene, "-wal") > 40000000);
	assert_int_equal(database_tidy(scene->database), 0);
	run_with(scene, scene->insert, 10);
	assert_in_range(size_of(scene, "-wal"), 1, 17 << 20);
}

/* What a crash left in the log is in the database after the next open. */
static void
test_log_is_moved_at_open(void **state)
{
	struct scene *scene = *state;
	CLEANUP_FREE char *command = xasprintf("cp %s %s.copy && cp %s-wal %s.copy-wal", scene->place.path,
		scene->place.path, scene->place.path, scene->place.path);
	CLEANUP_FREE char *copy = xasprintf("%s.copy", scene->place.path);
	struct scene other = {.place = {.path = copy}};

	for (unsigned i = 0; i < 10; i++)
		run_with(scene, scene->insert, 10000);
	assert_int_equal(system(command), 0);
	off_t before = size_of(&other, "");
	assert_true(size_of(&other, "-wal") > 100000);
	open_database(&other);
	assert_int_equal(size_of(&other, "-wal"), 0);
	assert_true(size_of(&other, "") > before + 100000);
	assert_int_equal(count_rows(&other), 10);
	close_database(&other);
}

/* After a peak the file shrinks, a little with each commit; a quarter stays free. */
static void
test_shrink(void **state)
{
	struct scene *scene = *state;
	unsigned steps = 0;

	for (unsigned i = 0; i < 400; i++) {
		run_with(scene, scene->insert, 100000);
		assert_int_equal(database_tidy(scene->database), 0);
	}
	off_t peak = size_of(scene, "");
	assert_true(peak > 35000000);
	while (count_rows(scene) > 20) {
		assert_int_equal(database_begin(scene->database), 0);
		run_with(scene, scene->remove, 2);
		assert_int_equal(database_shrink(scene->database), 0);
		assert_int_equal(database_commit(scene->database), 0);
		assert_int_equal(database_tidy(scene->database), 0);
	}
	assert_true(size_of(scene, "") > peak / 3);
	for (off_t before = peak; steps < 2000; steps++) {
		assert_int_equal(database_begin(scene->database), 0);
		assert_int_equal(database_shrink(scene->database), 0);
		assert_int_equal(database_commit(scene->database), 0);
		assert_int_equal(database_tidy(scene->database), 0);
		off_t size = size_of(scene, "");
		assert_true(size <= before);
		before = size;
	}
	assert_int_equal(database_probe(scene->database), 0);
	assert_in_range(size_of(scene, ""), 2000000, 7000000);
	assert_int_equal(count_rows(scene), 0);
}

static void
test_probe(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(database_probe(scene->database), 0);
	assert_int_equal(count_rows(scene), 0);
	faulty_fail(FAULTY_WRITE, FAULTY_LOG, 5, 1, SQLITE_FULL);
	assert_int_equal(database_probe(scene->database), -ENOSPC);
	assert_false(database_is_broken(scene->database));
	faulty_fail(FAULTY_WRITE, FAULTY_DATABASE, 0, 1, SQLITE_FULL);
	assert_int_equal(database_probe(scene->database), -ENOSPC);
	assert_int_equal(database_probe(scene->database), 0);
}

struct error_case {
	int result_code;
	int error;
	bool breaks;
};

static const struct error_case error_cases[] = {
	{SQLITE_OK, 0, false},
	{SQLITE_ROW, 0, false},
	{SQLITE_DONE, 0, false},
	{SQLITE_FULL, -ENOSPC, false},
	{SQLITE_BUSY, -EBUSY, false},
	{SQLITE_BUSY_RECOVERY, -EBUSY, false},
	{SQLITE_NOMEM, -ENOMEM, false},
	{SQLITE_READONLY, -EROFS, false},
	{SQLITE_CONSTRAINT_ROWID, -EEXIST, false},
	{SQLITE_CANTOPEN, -EIO, false},
	{SQLITE_IOERR_WRITE, -EIO, false},
	{SQLITE_IOERR_READ, -EIO, false},
	{SQLITE_IOERR_FSYNC, -EIO, true},
	{SQLITE_IOERR_DIR_FSYNC, -EIO, true},
	{SQLITE_IOERR_CORRUPTFS, -EIO, true},
	{SQLITE_CORRUPT, -EINVAL, true},
	{SQLITE_CORRUPT_VTAB, -EINVAL, true},
	{SQLITE_NOTADB, -EINVAL, true},
};

static void
test_errors(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < sizeof error_cases / sizeof error_cases[0]; i++) {
		const struct error_case *this = &error_cases[i];
		close_database(scene);
		open_database(scene);
		assert_int_equal(database_error(scene->database, this->result_code), this->error);
		assert_int_equal(database_is_broken(scene->database), this->breaks);
		assert_int_equal(strlen(database_message(scene->database)) > 0, this->error != 0);
		/* once broken it stays so */
		assert_int_equal(database_error(scene->database, SQLITE_FULL), -ENOSPC);
		assert_int_equal(database_is_broken(scene->database), this->breaks);
	}
}

/* Adds a row and closes as a crash would: the row is only in the log. */
static void
leave_log(struct scene *scene)
{
	faulty_clear();
	open_database(scene);
	run_with(scene, scene->insert, 1000);
	assert_int_equal(database_error(scene->database, SQLITE_CORRUPT), -EINVAL);
	close_database(scene);
	assert_true(size_of(scene, "-wal") > 0);
}

/* The disk fails at any call while the database is opened: the open returns an error and a sentence, and
 * nothing is lost. */
static void
test_open_fails(void **state)
{
	static const struct {
		enum faulty_call call;
		enum faulty_file file;
		int result_code;
	} calls[] = {
		{FAULTY_READ, FAULTY_DATABASE, SQLITE_IOERR_READ},
		{FAULTY_READ, FAULTY_LOG, SQLITE_IOERR_READ},
		{FAULTY_WRITE, FAULTY_DATABASE, SQLITE_FULL},
		{FAULTY_SYNC, FAULTY_DATABASE, SQLITE_IOERR_FSYNC},
		{FAULTY_SYNC, FAULTY_LOG, SQLITE_IOERR_FSYNC},
	};
	struct scene *scene = *state;
	int rows = 0;

	close_database(scene);
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		for (unsigned n = 0; n < 4; n++) {
			struct database *database = NULL;
			char *why = NULL;
			leave_log(scene);
			rows++;
			faulty_fail(calls[i].call, calls[i].file, n, 1, calls[i].result_code);
			int rc = database_open(scene->place.path, &database, &why);
			assert_true(rc < 0 || n > 0);
			assert_int_equal(rc < 0, why != NULL);
			database_close(database);
			free(why);
		}
	}
	faulty_clear();
	open_database(scene);
	assert_int_equal(count_rows(scene), rows);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_transaction),
		TEST(test_log),
		TEST(test_log_is_cut_back),
		TEST(test_log_is_moved_at_open),
		TEST(test_shrink),
		TEST(test_probe),
		TEST(test_errors),
		TEST(test_open_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
