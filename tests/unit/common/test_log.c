/* Tests of common/log.c. */
#include "common/log.h"

#include "common/clock.h"
#include "common/text.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define DATE "2026-11-21T21:07:39.123Z"

static int old_stderr = -1;
static FILE *written; /* what standard error is during a test */

static int
setup(void **state)
{
	written = tmpfile();
	old_stderr = dup(STDERR_FILENO);
	dup2(fileno(written), STDERR_FILENO);
	clock_hold(0, 1795295259123);
	return 0;
}

static int
teardown(void **state)
{
	dup2(old_stderr, STDERR_FILENO);
	close(old_stderr);
	fclose(written);
	clock_release();
	log_set_level(LOG_LEVEL_INFO);
	log_set_journal(0);
	return 0;
}

/* What was written since the last call; valid until the next. */
static const char *
take_written(void)
{
	static char buffer[1 << 16];
	ssize_t n = pread(fileno(written), buffer, sizeof buffer - 1, 0);

	assert_true(n >= 0);
	buffer[n] = '\0';
	assert_int_equal(ftruncate(fileno(written), 0), 0);
	lseek(fileno(written), 0, SEEK_SET);
	return buffer;
}

static void
test_line(void **state)
{
	log_info("listening", "address=%s port=%d", "127.0.0.1", 8580);
	assert_string_equal(take_written(), DATE " info: listening address=127.0.0.1 port=8580\n");
	log_error("alone");
	assert_string_equal(take_written(), DATE " error: alone\n");
	log_warning("empty", "%s", "");
	assert_string_equal(take_written(), DATE " warning: empty\n");
}

static void
test_levels(void **state)
{
	static const char *const expected[] = {"error: e\n", "warning: w\n", "info: i\n", "debug: d\n"};

	assert_int_equal(log_get_level(), LOG_LEVEL_INFO);
	for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
		struct text all = {0};

		log_set_level((enum log_level)level);
		assert_int_equal(log_get_level(), level);
		log_error("e");
		log_warning("w");
		log_info("i");
		log_debug("d");
		for (int i = 0; i <= level; i++)
			text_addf(&all, DATE " %s", expected[i]);
		assert_string_equal(take_written(), all.data);
		text_fini(&all);
	}
}

/* sd-daemon(3): the number of syslog's priority in front, and no date, which the journal has itself. */
static void
test_journal(void **state)
{
	log_set_journal(1);
	log_set_level(LOG_LEVEL_DEBUG);
	log_error("e", "a=%d", 1);
	log_warning("w");
	log_info("i");
	log_debug("d");
	assert_string_equal(take_written(), "<3>e a=1\n<4>w\n<6>i\n<7>d\n");
}

/* Whatever a value has in it: one line, of UTF-8, without controls. */
static void
test_escapes(void **state)
{
	static const struct {
		const char *value, *escaped;
	} cases[] = {
		{"plain", "plain"},
		{"a\nb", "a\\x0ab"},
		{"a\r\n<3>fake", "a\\x0d\\x0a<3>fake"},
		{"\x1b[2J\x7f\t", "\\x1b[2J\\x7f\\x09"},
		{"caf\xc3\xa9 \xe2\x82\xac", "caf\xc3\xa9 \xe2\x82\xac"},
		{"\xc2\xa0", "\xc2\xa0"},
		{"\xc2\x9b[2J\xc2\x85", "\\u009b[2J\\u0085"},
		{"\xff\xfe", "\\xff\\xfe"},
		{"\xc3\xa9\xff", "\\xc3\\xa9\\xff"},
		{"\xc2", "\\xc2"},
	};

	log_set_journal(1);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *expected = xasprintf("<6>m v=%s\n", cases[i].escaped);

		log_info("m", "v=%s", cases[i].value);
		assert_string_equal(take_written(), expected);
		free(expected);
	}
}

static void
test_quote(void **state)
{
	static const struct {
		const char *value, *quoted;
	} cases[] = {
		{"plain", "plain"},
		{"a/b.c:1,[2]{3}", "a/b.c:1,[2]{3}"},
		{"caf\xc3\xa9", "caf\xc3\xa9"},
		{"", "\"\""},
		{NULL, "\"\""},
		{"two words", "\"two words\""},
		{"a=b", "\"a=b\""},
		{"say \"hi\"", "\"say \\\"hi\\\"\""},
		{"back\\slash", "\"back\\\\slash\""},
		{"a\nb\x01", "\"a\\nb\\u0001\""},
		{"\xff", "\"\xef\xbf\xbd\""},
	};
	char buffer[256];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_ptr_equal(log_quote(cases[i].value, buffer, sizeof buffer), buffer);
		assert_string_equal(buffer, cases[i].quoted);
	}
}

/* What is cut keeps its last quote, cuts no escape and no character in two, and fits. */
static void
test_quote_cut(void **state)
{
	static const struct {
		const char *value;
		size_t size;
		const char *quoted;
	} cases[] = {
		{"abcdefghij", 11, "abcdefghij"},
		{"abcdefghij", 10, "abcdef..."},
		{"abcdefghij", 5, "a..."},
		{"abc\xe2\x82\xac\xe2\x82\xac", 9, "abc..."},
		{"ab cdefghijk", 15, "\"ab cdefghijk\""},
		{"ab cdefghijk", 14, "\"ab cdefg...\""},
		{"ab\ncdefghijk", 9, "\"ab...\""},
		{"ab\ncdefghijk", 10, "\"ab\\n...\""},
		{"ab\x01 defghijk", 13, "\"ab...\""},
		{"ab\x01 defghijk", 14, "\"ab\\u0001...\""},
	};
	char value[600];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *buffer = malloc(cases[i].size);

		log_quote(cases[i].value, buffer, cases[i].size);
		assert_string_equal(buffer, cases[i].quoted);
		free(buffer);
	}
	for (size_t size = 1; size < 40; size++)
		for (int byte = 1; byte < 256; byte += 3) {
			char *buffer = malloc(size);

			memset(value, byte, sizeof value - 1);
			value[sizeof value - 1] = '\0';
			log_quote(value, buffer, size);
			assert_in_range(strlen(buffer), size < 10 ? 0 : size - 8, size - 1);
			assert_true(text_is_utf8(buffer, strlen(buffer)));
			free(buffer);
		}
}

static void
test_id(void **state)
{
	struct id id;

	assert_int_equal(id_parse("01234567-89ab-4def-8123-456789abcdef", 36, &id), 0);
	assert_string_equal(LOG_ID(&id), "01234567");
}

static void *
write_lines(void *arg)
{
	const char *word = arg;

	for (int i = 0; i < 200; i++)
		log_info("m", "word=%s", word);
	return NULL;
}

/* Lines of several threads do not run into each other. */
static void
test_threads(void **state)
{
	static char words[3][41];
	pthread_t threads[3];
	unsigned lines = 0;

	fcntl(STDERR_FILENO, F_SETFL, O_APPEND);
	log_set_journal(1);
	for (int i = 0; i < 3; i++) {
		memset(words[i], 'a' + i, 40);
		assert_int_equal(pthread_create(&threads[i], NULL, write_lines, words[i]), 0);
	}
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	for (const char *at = take_written(); *at; at += strlen("<6>m word=\n") + 40, lines++) {
		assert_memory_equal(at, "<6>m word=", 10);
		assert_int_equal(strspn(at + 10, (char[2]){at[10], '\0'}), 40);
		assert_int_equal(at[50], '\n');
	}
	assert_int_equal(lines, 600);
}

/* Without a standard error the log goes on, silently. */
static void
test_no_stderr(void **state)
{
	close(STDERR_FILENO);
	log_error("nobody", "hears=%s", "this");
	assert_string_equal(take_written(), "");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* Reads what is in the pipe, without waiting. */
static void
read_pipe(int fd, struct text *ret_text)
{
	char buffer[4096];
	ssize_t n;

	while ((n = read(fd, buffer, sizeof buffer)) > 0)
		text_add(ret_text, buffer, (size_t)n);
}

/* A pipe that nobody reads: lines are lost, and no time; the count of lost lines follows. */
static void
does_not_wait_for_a_reader(void **state)
{
	struct text lines = {0}, more = {0};
	char told[64];
	int fds[2];

	log_info("tells what was dropped before");
	uint64_t before = log_dropped();
	assert_int_equal(pipe(fds), 0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	for (int i = 0; i < 5000; i++)
		log_info("a line of some length that fills a pipe after some thousand of them", "i=%d", i);
	uint64_t lost = log_dropped() - before;
	read_pipe(fds[0], &lines);
	log_info("next");
	read_pipe(fds[0], &more);
	unsigned kept = 0;
	for (const char *at = lines.data; (at = strchr(at, '\n')); at++)
		kept++;
	assert_int_equal(kept + lost, 5000);
	assert_in_range(lost, 1, 4999);
	snprintf(told, sizeof told, "log lines dropped count=%llu\n", (unsigned long long)lost);
	assert_non_null(strstr(more.data, told));
	assert_non_null(strstr(more.data, ": next\n"));
	text_fini(&lines);
	text_fini(&more);
	close(fds[0]);
}

static void
cuts_a_line_that_no_pipe_takes(void **state)
{
	char *value = calloc(1, 10001);

	memset(value, 'x', 10000);
	log_info("long", "value=%s", value);
	const char *line = take_written();
	assert_int_equal(strlen(line), PIPE_BUF);
	assert_string_equal(line + PIPE_BUF - 5, "x...\n");
	free(value);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_line),
		TEST(test_levels),
		TEST(test_journal),
		TEST(test_escapes),
		cmocka_unit_test(test_quote),
		cmocka_unit_test(test_quote_cut),
		cmocka_unit_test(test_id),
		TEST(test_threads),
		TEST(test_no_stderr),
		TEST(does_not_wait_for_a_reader),
		TEST(cuts_a_line_that_no_pipe_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
