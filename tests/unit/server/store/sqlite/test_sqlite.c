/* Tests of server/store/embedded.c: what a start finds after the files have been damaged or changed. */
#include "tests/unit/server/store/store_place.h"

#include "store/sqlite/disk/schema.h"

#include "common/cleanup.h"
#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define COUNT 40
#define LARGE (BLOB_SPILL_BYTES + 1)

struct scene {
	struct place place;
	struct found found; /* what was stored */
	char *bytes;	    /* of the database after it was closed */
	size_t len;
};

/* Replaces a blob in a file by a copy in memory, because the file goes when the store is closed. */
static void
detach(struct blob **blob)
{
	struct text text = {0};

	if (!blob_is_file(*blob))
		return;
	size_t len = blob_len(*blob);
	assert_int_equal(blob_read(*blob, 0, text_reserve(&text, len), len), len);
	text.len = len;
	blob_unref(*blob);
	*blob = blob_take_text(&text);
}

static void
on_load(void *arg, const struct store_operation *operation)
{
	struct found *found = arg;

	place_on_load(found, operation);
	detach(&found->operations[found->count - 1].body);
	detach(&found->operations[found->count - 1].result);
}

/* Opens the store, loads into found, and closes. The caller frees *ret_why; NULL if all went well. */
static int
try_start(struct scene *scene, struct found *found, char **ret_why)
{
	struct store_config config = {.path = scene->place.path, .mailbox = scene->place.mailbox};
	struct store *store = NULL;

	*ret_why = NULL;
	int rc = store_open(&config, &store, ret_why);
	if (rc == 0)
		rc = store_load(store, on_load, found, ret_why);
	store_close(store);
	return rc;
}

static void
assert_refused(struct scene *scene, int error, const char *words)
{
	struct found found = {.count = 0};
	char *why;

	assert_int_equal(try_start(scene, &found, &why), error);
	assert_non_null(why);
	if (!strstr(why, words))
		print_error("\"%s\" does not say \"%s\"\n", why, words);
	assert_non_null(strstr(why, words));
	free(why);
	found_fini(&found);
}

static void
assert_starts(struct scene *scene)
{
	struct found found = {.count = 0};
	char *why;

	assert_int_equal(try_start(scene, &found, &why), 0);
	assert_int_equal(found.count, scene->found.count);
	for (size_t i = 0; i < found.count; i++)
		place_assert_same(&found.operations[i], &scene->found.operations[i]);
	found_fini(&found);
}

static void
write_bytes(const char *path, const char *data, size_t len)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void
read_bytes(struct scene *scene)
{
	FILE *file = fopen(scene->place.path, "re");
	struct stat status;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &status), 0);
	scene->len = (size_t)status.st_size;
	scene->bytes = xcalloc(scene->len, 1);
	assert_int_equal(fread(scene->bytes, 1, scene->len, file), scene->len);
	fclose(file);
}

/* Stores operations of every state, small and large, and remembers them and the bytes of the file. */
static void
fill(struct scene *scene)
{
	struct store_config config = {.path = scene->place.path, .mailbox = scene->place.mailbox};
	struct store *store;
	struct outcome outcomes[2 * COUNT];
	unsigned count = 0;
	char *why;

	assert_int_equal(store_open(&config, &store, &why), 0);
	assert_int_equal(store_load(store, on_load, &scene->found, &why), 0);
	assert_int_equal(store_start(store), 0);
	for (uint64_t i = 1; i <= COUNT; i++) {
		struct store_operation operation = place_operation(i), last = place_end(i);
		outcomes[2 * i - 2] = outcomes[2 * i - 1] = (struct outcome){.count = &count};
		operation.body = place_blob(i % 10 == 1 ? LARGE : 300 * i, (unsigned)i);
		last.result = place_blob(i % 10 == 2 ? LARGE : 400 * i, (unsigned)i);
		store_accept(store, &operation, outcome_done, &outcomes[2 * i - 2]);
		if (i % 2 == 0)
			store_end(store, &last, outcome_done, &outcomes[2 * i - 1]);
		if (i % 4 == 0)
			store_expire(store, &operation.id, i, 5, NULL, NULL);
		if (i % 8 == 0)
			store_forget(store, &operation.id, i);
		blob_unref(operation.body);
		blob_unref(last.result);
	}
	store_close(store);
	mailbox_drain(scene->place.mailbox);
	assert_int_equal(count, COUNT + COUNT / 2);
	assert_int_equal(try_start(scene, &scene->found, &why), 0);
	assert_int_equal(scene->found.count, COUNT - COUNT / 8);
	read_bytes(scene);
}

static int
set_up(void **state)
{
	struct scene *scene = xcalloc(1, sizeof *scene);

	place_init(&scene->place);
	*state = scene;
	return 0;
}

static int
set_up_filled(void **state)
{
	set_up(state);
	fill(*state);
	return 0;
}

static int
tear_down(void **state)
{
	struct scene *scene = *state;

	found_fini(&scene->found);
	place_fini(&scene->place);
	free(scene->bytes);
	free(scene);
	return 0;
}

static void
test_private(void **state)
{
	struct scene *scene = *state;
	struct stat status;

	assert_starts(scene);
	assert_int_equal(stat(scene->place.path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_int_equal(stat(scene->place.spool_path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0700);
}

static void
test_foreign_files(void **state)
{
	static const char text[] =
		"This is a letter to somebody, and it is long enough to be taken for the header of "
		"a database, or so one might think.";
	struct scene *scene = *state;
	sqlite3 *other;

	write_bytes(scene->place.path, text, sizeof text);
	assert_refused(scene, -EINVAL, "is not a database");
	write_bytes(scene->place.path, text, 1);
	assert_refused(scene, -EINVAL, "is not a database");
	assert_int_equal(unlink(scene->place.path), 0);

	assert_int_equal(sqlite3_open(scene->place.path, &other), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(other, "CREATE TABLE t (a); INSERT INTO t VALUES (1)", 0, 0, 0), SQLITE_OK);
	sqlite3_close(other);
	assert_refused(scene, -EINVAL, "of another program");
	assert_int_equal(unlink(scene->place.path), 0);

	assert_int_equal(mkdir(scene->place.path, 0700), 0);
	assert_refused(scene, -EINVAL, "is not a regular file");
	assert_int_equal(rmdir(scene->place.path), 0);
	assert_starts(scene);
}

static void
test_unreachable(void **state)
{
	struct scene *scene = *state;
	CLEANUP_FREE char *path = scene->place.path;

	scene->place.path = xasprintf("%s/missing/deferd.db", scene->place.directory);
	assert_refused(scene, -ENOENT, "cannot open");
	free(scene->place.path);
	scene->place.path = xasprintf("%s/", scene->place.directory);
	assert_refused(scene, -EINVAL, "is not a regular file");
	free(scene->place.path);
	scene->place.path = xstrdup(path);
	write_bytes(scene->place.spool_path, "x", 1);
	assert_refused(scene, -ENOTDIR, "directory");
}

static void
change(struct scene *scene, const char *sql)
{
	sqlite3 *handle;

	assert_int_equal(sqlite3_open(scene->place.path, &handle), SQLITE_OK);
	int rc = sqlite3_exec(handle, sql, NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		print_error("%s: %s\n", sql, sqlite3_errmsg(handle));
	assert_int_equal(rc, SQLITE_OK);
	sqlite3_close(handle);
}

static void
test_versions(void **state)
{
	struct scene *scene = *state;

	change(scene, "PRAGMA user_version = 1000000");
	assert_refused(scene, -EINVAL, "newer version");
	change(scene, "PRAGMA user_version = -1");
	assert_refused(scene, -EINVAL, "newer version");
	CLEANUP_FREE char *sql =
		xasprintf("PRAGMA user_version = %d; DROP TABLE operation", schema_version());
	change(scene, sql);
	assert_refused(scene, -EINVAL, "table of operations");
}

/* Each case changes one row; the checksum finds it. */
static void
test_changed_rows(void **state)
{
	static const char *const columns[] = {
		"id = x'00112233445566778899aabbccddeeff'",
		"id = x'00'",
		"route = route || 'x'",
		"style = ''",
		"principal = NULL",
		"accepted_ms = accepted_ms + 1",
		"idempotency_key = 'another'",
		"idempotency_key = NULL",
		"key_digest = x'00'",
		"state = 1",
		"state = 7",
		"started_ms = 1",
		"ended_ms = 1",
		"forget_ms = 1",
		"input = NULL",
		"body = zeroblob(length(body))",
		"body_file = 'x'",
		"body_len = 1",
		"ended_as = 'succeeded'",
		"status = 200",
		"fields = x''",
		"result = x''",
		"result_file = '../deferd.db'",
		"result_len = 3",
		"detail = ''",
		"pid = 1",
		"pid_start_time = 1",
		"checksum = checksum + 1",
		"sequence = 10000",
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
		write_bytes(scene->place.path, scene->bytes, scene->len);
		CLEANUP_FREE char *sql = xasprintf("UPDATE operation SET %s WHERE sequence = 5", columns[i]);
		change(scene, sql);
		assert_refused(scene, -EINVAL, "is damaged");
	}
	write_bytes(scene->place.path, scene->bytes, scene->len);
	assert_starts(scene);
}

/* Asserts that either the start is refused or nothing is lost. Returns whether it was refused. */
static bool
is_refused_or_whole(struct scene *scene)
{
	struct found found = {.count = 0};
	char *why;
	int rc = try_start(scene, &found, &why);

	if (rc < 0) {
		assert_non_null(why);
	} else {
		assert_int_equal(found.count, scene->found.count);
		for (size_t i = 0; i < found.count; i++)
			place_assert_same(&found.operations[i], &scene->found.operations[i]);
	}
	free(why);
	found_fini(&found);
	return rc < 0;
}

/* The end of the last page may have been unused. */
static void
test_cut_off(void **state)
{
	struct scene *scene = *state;

	for (size_t len = 1; len < scene->len; len += len < 200 ? 50 : 3001) {
		write_bytes(scene->place.path, scene->bytes, len);
		bool refused = is_refused_or_whole(scene);
		assert_true(refused || len > scene->len - 4096);
	}
	write_bytes(scene->place.path, scene->bytes, scene->len);
	assert_starts(scene);
}

static void
test_any_damage(void **state)
{
	struct scene *scene = *state;
	unsigned refused = 0, random = 12345;

	for (unsigned n = 0; n < 400; n++) {
		random = random * 1103515245 + 12345;
		/* the first bytes of a page have its structure */
		size_t at = n % 2 ? (random >> 4) % scene->len
				  : (random >> 4) % (scene->len / 4096) * 4096 + random % 32;
		char before = scene->bytes[at];
		scene->bytes[at] = (char)(before ^ (1 << (random >> 28 & 7)));
		write_bytes(scene->place.path, scene->bytes, scene->len);
		scene->bytes[at] = before;
		refused += is_refused_or_whole(scene);
	}
	assert_true(refused > 100);
}

/* The file named by the row of the first operation. */
static void
name_of_file(struct scene *scene, char ret_name[static BLOB_NAME_SIZE])
{
	sqlite3 *handle;
	sqlite3_stmt *statement;

	assert_int_equal(sqlite3_open(scene->place.path, &handle), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(handle, "SELECT body_file FROM operation WHERE sequence = 1", -1,
				 &statement, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	snprintf(ret_name, BLOB_NAME_SIZE, "%s", (const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	sqlite3_close(handle);
}

static void
test_spool_files(void **state)
{
	struct scene *scene = *state;
	char name[BLOB_NAME_SIZE];

	name_of_file(scene, name);
	CLEANUP_FREE char *path = xasprintf("%s/%s", scene->place.spool_path, name);
	CLEANUP_FREE char *aside = xasprintf("%s/aside", scene->place.directory);

	assert_int_equal(rename(path, aside), 0);
	assert_refused(scene, -EINVAL, "No such file");
	assert_int_equal(symlink(aside, path), 0);
	assert_refused(scene, -EINVAL, "not in the spool as it was left");
	assert_int_equal(rename(aside, path), 0);
	assert_int_equal(truncate(path, LARGE - 1), 0);
	assert_refused(scene, -EINVAL, "not in the spool as it was left");
}

/* The database is missing or empty but its log or spool is not: that is not a new database. */
static void
test_orphans(void **state)
{
	struct scene *scene = *state;
	CLEANUP_FREE char *log = xasprintf("%s-wal", scene->place.path);

	assert_int_equal(unlink(scene->place.path), 0);
	assert_refused(scene, -EINVAL, "deferd.db.spool has files");
	assert_refused(scene, -EINVAL, "deferd.db.spool has files");
	write_bytes(scene->place.path, "", 0);
	assert_refused(scene, -EINVAL, "deferd.db.spool has files");
	write_bytes(log, "x", 1);
	assert_refused(scene, -EINVAL, "deferd.db-wal is there");
	assert_int_equal(unlink(scene->place.path), 0);
	assert_refused(scene, -EINVAL, "deferd.db-wal is there");
	assert_int_equal(unlink(log), 0);
	write_bytes(scene->place.path, scene->bytes, scene->len);
	assert_starts(scene);
}

/* Another program has the database open, for example sqlite3. */
static void
test_in_use(void **state)
{
	struct scene *scene = *state;
	sqlite3 *other;

	assert_int_equal(sqlite3_open(scene->place.path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE; DELETE FROM probe", 0, 0, 0), SQLITE_OK);
	assert_refused(scene, -EBUSY, "in use by another program");
	sqlite3_close(other);
	assert_starts(scene);
}

#define TEST(name, set_up) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_private, set_up),
		TEST(test_foreign_files, set_up),
		TEST(test_unreachable, set_up),
		TEST(test_versions, set_up_filled),
		TEST(test_changed_rows, set_up_filled),
		TEST(test_cut_off, set_up_filled),
		TEST(test_any_damage, set_up_filled),
		TEST(test_spool_files, set_up_filled),
		TEST(test_orphans, set_up_filled),
		TEST(test_in_use, set_up_filled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
