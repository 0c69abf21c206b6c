/* Tests of common/blob.c. */
#include "common/blob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

static char spool[] = "/tmp/test_blob.XXXXXX";
static int dir_fd;

static int
setup(void **state)
{
	strcpy(spool + strlen(spool) - 6, "XXXXXX");
	if (!mkdtemp(spool))
		return -1;
	dir_fd = open(spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd >= 0 ? 0 : -1;
}

/* Nothing is left behind: the directory is empty. */
static int
teardown(void **state)
{
	close(dir_fd);
	return rmdir(spool);
}

static unsigned
count_files(void)
{
	DIR *dir = opendir(spool);
	unsigned count = 0;

	for (struct dirent *entry; (entry = readdir(dir));)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static void
write_file(const char *name, const char *content)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	close(fd);
}

/* The blob's bytes are these, read in pieces of every size that divides nothing evenly. */
static void
check_content(const struct blob *blob, const char *expected, size_t len)
{
	static const size_t pieces[] = {1000003, 4096, 7};
	char *buffer = malloc(len + 1);

	assert_int_equal(blob_len(blob), len);
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		size_t at = 0;

		if (len / pieces[i] > 1000)
			continue;
		while (at < len) {
			size_t room = len - at < pieces[i] ? len - at : pieces[i];
			ssize_t n = blob_read(blob, at, buffer + at, room);

			assert_in_range(n, 1, room);
			at += (size_t)n;
		}
		assert_memory_equal(buffer, expected, len);
		assert_int_equal(blob_read(blob, at, buffer, 1), 0);
		assert_int_equal(blob_read(blob, UINT64_MAX, buffer, 1), 0);
	}
	free(buffer);
}

static void
test_memory(void **state)
{
	struct blob *blob = blob_new("a\0b", 3), *empty = blob_new(NULL, 0);

	check_content(blob, "a\0b", 3);
	assert_memory_equal(blob_data(blob), "a\0b", 3);
	assert_false(blob_is_file(blob));
	assert_non_null(blob_data(empty));
	assert_int_equal(blob_len(empty), 0);
	check_content(empty, "", 0);
	blob_unref(empty);
	blob_unref(blob);
}

static void
test_none(void **state)
{
	assert_null(blob_ref(NULL));
	blob_unref(NULL);
	assert_int_equal(blob_len(NULL), 0);
	assert_false(blob_is_file(NULL));
}

static void
test_take_text(void **state)
{
	struct text text = {0};
	struct blob *blob;

	text_add_string(&text, "hello");
	blob = blob_take_text(&text);
	assert_null(text.data);
	assert_int_equal(text.len, 0);
	check_content(blob, "hello", 5);
	blob_unref(blob);
	blob = blob_take_text(&text);
	check_content(blob, "", 0);
	assert_non_null(blob_data(blob));
	blob_unref(blob);
}

static void
test_references(void **state)
{
	struct blob *blob = blob_new("x", 1);

	for (int i = 0; i < 5; i++)
		assert_ptr_equal(blob_ref(blob), blob);
	for (int i = 0; i < 5; i++)
		blob_unref(blob);
	check_content(blob, "x", 1);
	blob_unref(blob);
}

static void
test_temporary_file(void **state)
{
	struct blob *blob;
	int fd;

	write_file("one", "content");
	blob = blob_new_file(dir_fd, "one", 7, true);
	assert_true(blob_is_file(blob));
	assert_null(blob_data(blob));
	assert_string_equal(blob_name(blob), "one");
	check_content(blob, "content", 7);
	fd = blob_open(blob);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	blob_ref(blob);
	blob_unref(blob);
	assert_int_equal(count_files(), 1);
	blob_unref(blob);
	assert_int_equal(count_files(), 0);
	char c;
	assert_int_equal(read(fd, &c, 1), 1); /* who has opened it reads on */
	close(fd);
}

/* Kept under its final name, then dropped again. */
static void
test_keep_and_drop(void **state)
{
	struct blob *blob;

	write_file("final", "content");
	blob = blob_new_file(dir_fd, "temporary", 7, true);
	assert_int_equal(blob_open(blob), -ENOENT);
	char c;
	assert_int_equal(blob_read(blob, 0, &c, 1), -ENOENT);
	blob_keep(blob, "final");
	assert_string_equal(blob_name(blob), "final");
	check_content(blob, "content", 7);
	blob_unref(blob);
	assert_int_equal(count_files(), 1);
	blob = blob_new_file(dir_fd, "final", 7, false);
	blob_unref(blob);
	assert_int_equal(count_files(), 1);
	blob = blob_new_file(dir_fd, "final", 7, false);
	blob_drop_file(blob);
	check_content(blob, "content", 7);
	blob_unref(blob);
	assert_int_equal(count_files(), 0);
}

/* A link in the spool is not followed, a file that is shorter than it should be ends early. */
static void
test_strange_files(void **state)
{
	struct blob *blob;
	char buffer[10];

	assert_int_equal(symlinkat("/etc/hostname", dir_fd, "link"), 0);
	blob = blob_new_file(dir_fd, "link", 5, true);
	assert_int_equal(blob_open(blob), -ELOOP);
	blob_unref(blob);
	write_file("short", "abc");
	blob = blob_new_file(dir_fd, "short", 8, true);
	assert_int_equal(blob_read(blob, 1, buffer, sizeof buffer), 2);
	assert_int_equal(blob_read(blob, 3, buffer, sizeof buffer), 0);
	blob_unref(blob);
}

/* Writes len bytes in pieces and gives the blob; *ret_content is the caller's. */
static struct blob *
sink_bytes(int spool_fd, size_t len, size_t piece, char **ret_content)
{
	char *content = malloc(len + 1);
	struct blob_sink sink;
	struct blob *blob;

	for (size_t i = 0; i < len; i++)
		content[i] = (char)(i * 7 + i / 251);
	blob_sink_init(&sink, spool_fd, len);
	for (size_t at = 0; at < len; at += piece)
		assert_int_equal(
			blob_sink_write(&sink, content + at, len - at < piece ? len - at : piece), 0);
	assert_int_equal(sink.len, len);
	assert_int_equal(blob_sink_write(&sink, "x", 1), -EFBIG);
	assert_int_equal(blob_sink_write(&sink, NULL, 0), 0);
	assert_int_equal(blob_sink_finish(&sink, &blob), 0);
	*ret_content = content;
	return blob;
}

static void
test_sink(void **state)
{
	static const size_t lens[] = {0, 1, 1000, BLOB_SPILL_BYTES - 1, BLOB_SPILL_BYTES,
		BLOB_SPILL_BYTES + 1, 3 * BLOB_SPILL_BYTES + 17};
	static const size_t pieces[] = {1 << 20, 40000, 4096, 999};

	for (size_t i = 0; i < sizeof lens / sizeof *lens; i++)
		for (size_t j = 0; j < 2 * sizeof pieces / sizeof *pieces; j++) {
			bool has_spool = j % 2;
			bool is_file = has_spool && lens[i] > BLOB_SPILL_BYTES;
			char *content;
			struct blob *blob =
				sink_bytes(has_spool ? dir_fd : -1, lens[i], pieces[j / 2], &content);

			assert_int_equal(blob_is_file(blob), is_file);
			assert_int_equal(count_files(), is_file);
			check_content(blob, content, lens[i]);
			blob_unref(blob);
			assert_int_equal(count_files(), 0);
			free(content);
		}
}

static void
test_sink_limit(void **state)
{
	struct blob_sink sink;
	struct blob *blob;

	blob_sink_init(&sink, dir_fd, 5);
	assert_int_equal(blob_sink_write(&sink, "abc", 3), 0);
	assert_int_equal(blob_sink_write(&sink, "def", 3), -EFBIG);
	assert_int_equal(blob_sink_write(&sink, "abc", SIZE_MAX), -EFBIG);
	assert_int_equal(blob_sink_write(&sink, "de", 2), 0);
	assert_int_equal(blob_sink_write(&sink, "f", 1), -EFBIG);
	assert_int_equal(blob_sink_finish(&sink, &blob), 0);
	check_content(blob, "abcde", 5);
	blob_unref(blob);
}

/* Once finished a sink is as it was at first. */
static void
test_sink_again(void **state)
{
	char *big = calloc(1, BLOB_SPILL_BYTES + 1);
	struct blob_sink sink;
	struct blob *blob;

	blob_sink_init(&sink, dir_fd, BLOB_SPILL_BYTES + 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(blob_sink_write(&sink, big, BLOB_SPILL_BYTES + 1), 0);
		assert_int_equal(blob_sink_finish(&sink, &blob), 0);
		assert_int_equal(blob_len(blob), BLOB_SPILL_BYTES + 1);
		blob_unref(blob);
		assert_int_equal(blob_sink_write(&sink, "ab", 2), 0);
		assert_int_equal(blob_sink_finish(&sink, &blob), 0);
		check_content(blob, "ab", 2);
		blob_unref(blob);
	}
	blob_sink_fini(&sink);
	free(big);
}

static void
test_sink_fini(void **state)
{
	char *big = calloc(1, BLOB_SPILL_BYTES + 1);
	struct blob_sink sink;

	blob_sink_init(&sink, dir_fd, UINT64_MAX);
	blob_sink_fini(&sink);
	blob_sink_init(&sink, dir_fd, UINT64_MAX);
	assert_int_equal(blob_sink_write(&sink, big, 10), 0);
	blob_sink_fini(&sink);
	blob_sink_init(&sink, dir_fd, UINT64_MAX);
	assert_int_equal(blob_sink_write(&sink, big, BLOB_SPILL_BYTES + 1), 0);
	assert_int_equal(count_files(), 1);
	blob_sink_fini(&sink);
	assert_int_equal(count_files(), 0);
	blob_sink_fini(&sink);
	free(big);
}

/* A disk that takes no more: the error is told, and nothing is left behind. */
static void
test_sink_disk_full(void **state)
{
	char *big = calloc(1, 2 * BLOB_SPILL_BYTES);
	struct rlimit old, small;
	struct blob_sink sink;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	for (rlim_t limit = 0; limit <= 2 * BLOB_SPILL_BYTES; limit += BLOB_SPILL_BYTES / 2) {
		int rc = 0;

		small = (struct rlimit){limit, old.rlim_max};
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
		blob_sink_init(&sink, dir_fd, UINT64_MAX);
		for (int i = 0; i < 5 && rc == 0; i++)
			rc = blob_sink_write(&sink, big, BLOB_SPILL_BYTES / 2);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
		assert_int_equal(rc, -EFBIG); /* what such a limit is called */
		blob_sink_fini(&sink);
		assert_int_equal(count_files(), 0);
	}
	free(big);
}

static void
test_sink_no_spool(void **state)
{
	char *big = calloc(1, BLOB_SPILL_BYTES + 1);
	struct blob_sink sink;
	int file_fd;

	write_file("file", "");
	file_fd = openat(dir_fd, "file", O_RDONLY | O_CLOEXEC);
	blob_sink_init(&sink, file_fd, UINT64_MAX);
	assert_int_equal(blob_sink_write(&sink, big, BLOB_SPILL_BYTES), 0);
	assert_int_equal(blob_sink_write(&sink, big, 1), -ENOTDIR);
	blob_sink_fini(&sink);
	close(file_fd);
	unlinkat(dir_fd, "file", 0);
	free(big);
}

static void *
use_blob(void *arg)
{
	struct blob *blob = arg;
	char buffer[8];

	for (int i = 0; i < 2000; i++) {
		struct blob *mine = blob_ref(blob);

		if (blob_read(mine, 0, buffer, sizeof buffer) != 7)
			abort();
		blob_unref(mine);
	}
	blob_unref(blob);
	return NULL;
}

/* Threads read while the store keeps the file and drops it again; the last reference takes it away. */
static void
test_threads(void **state)
{
	enum { THREADS = 3 };
	pthread_t threads[THREADS];
	struct blob *blob;

	write_file("one", "content");
	blob = blob_new_file(dir_fd, "one", 7, true);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use_blob, blob_ref(blob)), 0);
	for (int i = 0; i < 1000; i++) {
		blob_keep(blob, "one");
		blob_drop_file(blob);
	}
	blob_unref(blob);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(count_files(), 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_memory),
		TEST(test_none),
		TEST(test_take_text),
		TEST(test_references),
		TEST(test_temporary_file),
		TEST(test_keep_and_drop),
		TEST(test_strange_files),
		TEST(test_sink),
		TEST(test_sink_limit),
		TEST(test_sink_again),
		TEST(test_sink_fini),
		TEST(test_sink_disk_full),
		TEST(test_sink_no_spool),
		TEST(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
