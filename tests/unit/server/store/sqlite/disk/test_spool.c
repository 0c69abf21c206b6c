/* Tests of server/store/spool.c. */
#include "tests/unit/server/store/sqlite/disk/faulty_vfs.h"
#include "tests/unit/server/store/store_place.h"

#include "store/sqlite/disk/spool.h"

#include "common/cleanup.h"
#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define LARGE (BLOB_SPILL_BYTES + 1)

struct scene {
	struct place place;
	struct spool *spool;
};

static int
set_up(void **state)
{
	struct scene *scene = xcalloc(1, sizeof *scene);
	char *why;

	faulty_clear();
	place_init(&scene->place);
	assert_int_equal(spool_open(scene->place.spool_path, &scene->spool, &why), 0);
	*state = scene;
	return 0;
}

static int
tear_down(void **state)
{
	struct scene *scene = *state;

	faulty_clear();
	spool_close(scene->spool);
	place_fini(&scene->place);
	free(scene);
	return 0;
}

static void
make_file(struct scene *scene, const char *name, size_t len)
{
	int fd = openat(spool_fd(scene->spool), name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)len), 0);
	close(fd);
}

/* A large blob in memory, settled. */
static struct blob *
settle_large(struct scene *scene, unsigned seed)
{
	struct blob *memory = place_blob(LARGE, seed), *file = NULL;

	assert_int_equal(spool_settle(scene->spool, memory, &file), 0);
	assert_true(blob_is_file(file));
	place_assert_same_bytes(file, memory);
	blob_unref(memory);
	return file;
}

static void
test_small_stays_in_the_row(void **state)
{
	struct scene *scene = *state;
	struct blob *small = place_blob(BLOB_SPILL_BYTES, 1), *file = small;

	assert_int_equal(spool_settle(scene->spool, small, &file), 0);
	assert_null(file);
	file = small;
	assert_int_equal(spool_settle(scene->spool, NULL, &file), 0);
	assert_null(file);
	assert_int_equal(spool_is_empty(scene->spool), 1);
	blob_unref(small);
}

/* A settled file that is not kept is deleted with its last reference; a kept one stays until it is dropped.
 * */
static void
test_keep_and_drop(void **state)
{
	struct scene *scene = *state;
	struct blob *first = settle_large(scene, 1), *second = settle_large(scene, 2);

	assert_int_equal(spool_sync(scene->spool), 0);
	assert_int_equal(place_count_files(&scene->place), 2);
	assert_int_equal(spool_is_empty(scene->spool), 0);
	blob_unref(first);
	assert_int_equal(place_count_files(&scene->place), 1);
	spool_keep(scene->spool, 7, SPOOL_RESULT, second);
	blob_unref(second);
	spool_drop(scene->spool, 7, SPOOL_BODY);
	spool_drop(scene->spool, 8, SPOOL_RESULT);
	assert_int_equal(place_count_files(&scene->place), 1);
	spool_drop(scene->spool, 7, SPOOL_RESULT);
	assert_int_equal(place_count_files(&scene->place), 0);
	spool_drop(scene->spool, 7, SPOOL_RESULT);
}

static void
test_reader_outlives_the_drop(void **state)
{
	struct scene *scene = *state;
	struct blob *file = settle_large(scene, 1), *wanted = place_blob(LARGE, 1);

	spool_keep(scene->spool, 7, SPOOL_BODY, file);
	spool_drop(scene->spool, 7, SPOOL_BODY);
	place_assert_same_bytes(file, wanted);
	blob_unref(file);
	blob_unref(wanted);
	assert_int_equal(place_count_files(&scene->place), 0);
}

/* A blob in a file is not copied. */
static void
test_file_is_taken_as_it_is(void **state)
{
	struct scene *scene = *state;
	struct blob *file, *same = NULL;

	make_file(scene, "given", 10);
	file = blob_new_file(spool_fd(scene->spool), "given", 10, true);
	assert_int_equal(spool_settle(scene->spool, file, &same), 0);
	assert_ptr_equal(same, file);
	spool_keep(scene->spool, 1, SPOOL_BODY, same);
	blob_unref(same);
	blob_unref(file);
	assert_int_equal(place_count_files(&scene->place), 1);
	assert_int_equal(spool_sweep(scene->spool), 0);
	assert_int_equal(place_count_files(&scene->place), 1);
}

static void
test_file_is_gone(void **state)
{
	struct scene *scene = *state;
	struct blob *file, *settled = NULL;

	make_file(scene, "cut", 9);
	file = blob_new_file(spool_fd(scene->spool), "cut", 10, true);
	assert_int_equal(spool_settle(scene->spool, file, &settled), -ENOENT);
	blob_unref(file);
	assert_int_equal(place_count_files(&scene->place), 0);
	file = blob_new_file(spool_fd(scene->spool), "gone", 10, true);
	assert_int_equal(spool_settle(scene->spool, file, &settled), -ENOENT);
	blob_unref(file);
	assert_null(settled);
	assert_false(spool_is_broken(scene->spool));
}

/* If only the directory is gone, the blob still has its bytes. */
static void
test_directory_is_gone(void **state)
{
	struct scene *scene = *state;
	struct blob *memory = place_blob(LARGE, 1), *file = NULL;

	assert_int_equal(rmdir(scene->place.spool_path), 0);
	assert_int_equal(spool_settle(scene->spool, memory, &file), -EIO);
	assert_null(file);
	assert_false(spool_is_broken(scene->spool));
	blob_unref(memory);
}

static void
test_sync_fails(void **state)
{
	struct scene *scene = *state;
	struct blob *memory = place_blob(LARGE, 1), *file = NULL, *other = settle_large(scene, 2);

	faulty_fail_fsync(true);
	assert_int_equal(spool_sync(scene->spool), -EIO);
	assert_true(spool_is_broken(scene->spool));
	assert_int_equal(spool_settle(scene->spool, memory, &file), -EIO);
	assert_null(file);
	faulty_fail_fsync(false);
	assert_true(spool_is_broken(scene->spool));
	blob_unref(other);
	blob_unref(memory);
	assert_int_equal(place_count_files(&scene->place), 0);
}

/* Without new files there is no sync. */
static void
test_sync_of_nothing(void **state)
{
	struct scene *scene = *state;

	faulty_fail_fsync(true);
	assert_int_equal(spool_sync(scene->spool), 0);
	assert_false(spool_is_broken(scene->spool));
}

struct adoption {
	const char *name;
	uint64_t len;
	int error;
};

static const struct adoption adoptions[] = {
	{"seven", 7, 0},
	{"seven", 7, -EINVAL}, /* another row has it */
	{"empty", 0, 0},
	{"eight", 7, -EINVAL},
	{"eight", UINT64_MAX, -EINVAL},
	{"missing", 7, -ENOENT},
	{"directory", 4096, -EINVAL},
	{"link", 8, -EINVAL},
	{"../deferd.db.spool/eight", 8, -EINVAL},
	{"/etc/passwd", 8, -EINVAL},
	{".", 8, -EINVAL},
	{"..", 8, -EINVAL},
	{"", 8, -EINVAL},
	{"a-name-that-is-longer-than-any-that-was-ever-given-to-a-file-of-the-spool", 8, -EINVAL},
};

static void
test_adopt(void **state)
{
	struct scene *scene = *state;
	struct blob *file;

	make_file(scene, "seven", 7);
	make_file(scene, "empty", 0);
	make_file(scene, "eight", 8);
	make_file(scene, "another", 8);
	assert_int_equal(mkdirat(spool_fd(scene->spool), "directory", 0700), 0);
	assert_int_equal(symlinkat("eight", spool_fd(scene->spool), "link"), 0);
	for (size_t i = 0; i < sizeof adoptions / sizeof adoptions[0]; i++) {
		const struct adoption *this = &adoptions[i];
		file = NULL;
		int rc = spool_adopt(scene->spool, i, SPOOL_BODY, this->name, this->len, &file);
		if (rc != this->error)
			print_error("\"%s\": %d\n", this->name, rc);
		assert_int_equal(rc, this->error);
		assert_int_equal(file != NULL, rc == 0);
	}
	/* files that were not adopted are deleted; directories stay */
	assert_int_equal(spool_sweep(scene->spool), 0);
	assert_int_equal(place_count_files(&scene->place), 3);
	spool_drop(scene->spool, 0, SPOOL_BODY);
	spool_drop(scene->spool, 2, SPOOL_BODY);
	assert_int_equal(place_count_files(&scene->place), 1);
}

static void
test_open_fails(void **state)
{
	struct scene *scene = *state;
	CLEANUP_FREE char *path = xasprintf("%s/missing/spool", scene->place.directory);
	struct spool *spool = NULL;
	char *why = NULL;

	assert_int_equal(spool_open(path, &spool, &why), -ENOENT);
	assert_non_null(strstr(why, path));
	assert_null(spool);
	free(why);
	spool_close(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_small_stays_in_the_row),
		TEST(test_keep_and_drop),
		TEST(test_reader_outlives_the_drop),
		TEST(test_file_is_taken_as_it_is),
		TEST(test_file_is_gone),
		TEST(test_directory_is_gone),
		TEST(test_sync_fails),
		TEST(test_sync_of_nothing),
		TEST(test_adopt),
		TEST(test_open_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
