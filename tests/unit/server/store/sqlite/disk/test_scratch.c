/* Tests of server/store/scratch.c. */
#include "store/sqlite/disk/scratch.h"

#include "common/blob.h"
#include "common/cleanup.h"
#include "common/text.h"

#include <dirent.h>
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

static int
set_up(void **state)
{
	char *place = xasprintf("%s/deferd-unit-XXXXXX", scratch_place());

	assert_ptr_equal(mkdtemp(place), place);
	*state = place;
	return 0;
}

static int
tear_down(void **state)
{
	assert_int_equal(rmdir(*state), 0);
	free(*state);
	return 0;
}

static struct scratch *
open_scratch(const char *place)
{
	struct scratch *scratch = NULL;
	char *why = NULL;

	assert_int_equal(scratch_open(place, &scratch, &why), 0);
	assert_null(why);
	return scratch;
}

/* Counts the names in a directory that do not begin with a dot; name is one of them. */
static unsigned
count_names(const char *path, char name[static 256])
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	unsigned count = 0;

	assert_non_null(directory);
	while ((entry = readdir(directory)))
		if (entry->d_name[0] != '.') {
			strcpy(name, entry->d_name);
			count++;
		}
	closedir(directory);
	return count;
}

static struct blob *
make_blob(const struct scratch *scratch)
{
	CLEANUP_FREE char *bytes = xcalloc(1, LARGE);
	struct blob_sink sink;
	struct blob *blob = NULL;

	blob_sink_init(&sink, scratch_fd(scratch), UINT64_MAX);
	assert_int_equal(blob_sink_write(&sink, bytes, LARGE), 0);
	assert_int_equal(blob_sink_finish(&sink, &blob), 0);
	assert_true(blob_is_file(blob));
	return blob;
}

/* Makes what a killed server leaves: a directory of that name, with a file. */
static char *
leave_directory(const char *place, const char *name)
{
	char *path = xasprintf("%s/%s", place, name);
	CLEANUP_FREE char *file = xasprintf("%s/file", path);

	assert_int_equal(mkdir(path, 0700), 0);
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	return path;
}

static void
remove_left_directory(char *path)
{
	CLEANUP_FREE char *file = xasprintf("%s/file", path);

	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(path), 0);
	free(path);
}

static void
test_directory_of_its_own(void **state)
{
	struct scratch *scratch = open_scratch(*state);
	char name[256];
	struct stat status;

	assert_int_equal(count_names(*state, name), 1);
	assert_int_equal(fstat(scratch_fd(scratch), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	assert_int_equal(fcntl(scratch_fd(scratch), F_GETFD), FD_CLOEXEC);
	scratch_close(scratch);
	assert_int_equal(count_names(*state, name), 0);
}

static void
test_files_go_with_their_blobs(void **state)
{
	struct scratch *scratch = open_scratch(*state);
	struct blob *gone = make_blob(scratch), *left = make_blob(scratch);
	char name[256];

	assert_int_equal(count_names(*state, name), 1);
	CLEANUP_FREE char *path = xasprintf("%s/%s", (char *)*state, name);
	assert_int_equal(count_names(path, name), 2);
	blob_unref(gone);
	assert_int_equal(count_names(path, name), 1);
	assert_string_equal(name, blob_name(left));
	scratch_close(scratch);
	assert_int_equal(count_names(*state, name), 0);
	blob_unref(left);
}

static void
test_left_directory_is_removed(void **state)
{
	CLEANUP_FREE char *left = leave_directory(*state, "deferd-scratch-Ab3xyz");
	struct scratch *scratch = open_scratch(*state);
	char name[256];

	assert_int_equal(access(left, F_OK), -1);
	assert_int_equal(count_names(*state, name), 1);
	scratch_close(scratch);
}

static void
test_directory_of_another_server_stays(void **state)
{
	struct scratch *first = open_scratch(*state);
	struct blob *blob = make_blob(first);
	struct scratch *second = open_scratch(*state);
	char name[256], byte;

	assert_int_equal(count_names(*state, name), 2);
	assert_int_equal(blob_read(blob, 0, &byte, 1), 1);
	scratch_close(second);
	assert_int_equal(blob_read(blob, 0, &byte, 1), 1);
	blob_unref(blob);
	scratch_close(first);
}

static void
test_other_names_stay(void **state)
{
	static const char *const names[] = {"deferd-scratch-Ab3xyzz", "deferd-scratch-",
		"deferd-scratchAb3xyz", "x-deferd-scratch-Ab3xyz", "deferd-scratch-Ab3xyz.db"};
	char *left[sizeof names / sizeof *names];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		left[i] = leave_directory(*state, names[i]);
	scratch_close(open_scratch(*state));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		remove_left_directory(left[i]);
}

/* A symbolic link does not lead to files elsewhere. */
static void
test_links_are_not_followed(void **state)
{
	char *elsewhere = leave_directory(*state, "elsewhere");
	CLEANUP_FREE char *link = xasprintf("%s/deferd-scratch-Ab3xyz", (char *)*state);

	assert_int_equal(symlink("elsewhere", link), 0);
	scratch_close(open_scratch(*state));
	assert_int_equal(unlink(link), 0);
	remove_left_directory(elsewhere);
}

static void
test_directory_of_another_user_stays(void **state)
{
	char *left = leave_directory(*state, "deferd-scratch-Ab3xyz");

	if (chown(left, 65534, (gid_t)-1) < 0) {
		remove_left_directory(left);
		skip();
	}
	scratch_close(open_scratch(*state));
	remove_left_directory(left);
}

/* Directories inside are not removed. */
static void
test_left_directory_with_others_things(void **state)
{
	CLEANUP_FREE char *left = leave_directory(*state, "deferd-scratch-Ab3xyz");
	char *inner = leave_directory(left, "inner");

	/* the file that leave_directory has made beside it goes */
	scratch_close(open_scratch(*state));
	remove_left_directory(inner);
	assert_int_equal(rmdir(left), 0);
}

static void
test_no_place(void **state)
{
	CLEANUP_FREE char *nowhere = xasprintf("%s/nowhere", (char *)*state);
	CLEANUP_FREE char *why = NULL;
	struct scratch *scratch = NULL;

	assert_int_equal(scratch_open(nowhere, &scratch, &why), -ENOENT);
	assert_null(scratch);
	assert_non_null(strstr(why, nowhere));
	assert_int_equal(scratch_fd(NULL), -1);
	scratch_close(NULL);
}

static void
test_place(void **state)
{
	CLEANUP_FREE char *before = getenv("TMPDIR") ? xstrdup(getenv("TMPDIR")) : NULL;

	setenv("TMPDIR", "/some/where", 1);
	assert_string_equal(scratch_place(), "/some/where");
	setenv("TMPDIR", "some/where", 1);
	assert_int_equal(scratch_place()[0], '/');
	setenv("TMPDIR", "", 1);
	assert_int_equal(scratch_place()[0], '/');
	unsetenv("TMPDIR");
	assert_int_equal(access(scratch_place(), W_OK | X_OK), 0);
	if (before)
		setenv("TMPDIR", before, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_directory_of_its_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_files_go_with_their_blobs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_left_directory_is_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_directory_of_another_server_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_other_names_stay, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_links_are_not_followed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_directory_of_another_user_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_left_directory_with_others_things, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_place, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_place, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
