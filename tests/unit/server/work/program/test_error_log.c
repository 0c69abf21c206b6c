/* Standard error on its way to the log. */
#include "work/program/error_log.h"

#include "common/text.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* Takes what the log writes in the place of standard error; what it wrote before is dropped. */
static int saved_stderr, log_fd;

static void
begin_log(void)
{
	log_fd = memfd_create("log", MFD_CLOEXEC);
	saved_stderr = dup(STDERR_FILENO);
	assert_true(log_fd >= 0 && saved_stderr >= 0);
	assert_true(dup2(log_fd, STDERR_FILENO) == STDERR_FILENO);
}

/* Answers it; the caller frees it. */
static char *
end_log(void)
{
	off_t len = lseek(log_fd, 0, SEEK_END);
	char *data = calloc((size_t)len + 1, 1);

	assert_true(dup2(saved_stderr, STDERR_FILENO) == STDERR_FILENO);
	assert_non_null(data);
	assert_int_equal(pread(log_fd, data, (size_t)len, 0), len);
	close(saved_stderr);
	close(log_fd);
	return data;
}

static size_t
count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

static struct error_log
new_log(void)
{
	struct error_log log;
	struct id id;

	assert_int_equal(id_parse("01234567-89ab-4def-8123-456789abcdef", 36, &id), 0);
	error_log_init(&log, &id);
	return log;
}

static void
test_lines(void **state)
{
	struct error_log log = new_log();

	begin_log();
	error_log_feed(&log, "first\nsec", 9);
	error_log_feed(&log, "ond line\n\n\x1b[31mred\nlast", 23);
	error_log_finish(&log);
	char *text = end_log();
	assert_int_equal(count(text, "\n"), 4);
	assert_int_equal(count(text, "operation=01234567 "), 4);
	assert_non_null(strstr(text, " line=first\n"));
	assert_non_null(strstr(text, " line=\"second line\"\n"));
	assert_non_null(strstr(text, "[31mred"));
	assert_null(strchr(text, '\x1b'));
	assert_non_null(strstr(text, " line=last\n"));
	free(text);
}

static void
test_long_line_is_cut(void **state)
{
	struct error_log log = new_log();
	char data[10000];

	memset(data, 'x', sizeof data);
	begin_log();
	error_log_feed(&log, data, sizeof data);
	error_log_finish(&log);
	char *text = end_log();
	assert_int_equal(count(text, "\n"), 1);
	assert_int_equal(count(text, "x"), LINES_MAX);
	free(text);
}

static void
assert_flood_is_bounded(const char *line, size_t least_lines)
{
	struct error_log log = new_log();

	begin_log();
	for (size_t i = 0; i < 4 * ERROR_LOG_MAX; i++)
		error_log_feed(&log, line, strlen(line));
	error_log_finish(&log);
	char *text = end_log();
	assert_true(count(text, "\n") > least_lines);
	assert_true(count(text, "\n") <= ERROR_LOG_MAX / 16 + 1);
	assert_int_equal(count(text, "too much"), 1);
	free(text);
}

static void
test_flood_is_bounded(void **state)
{
	assert_flood_is_bounded("x\n", 3000);
	assert_flood_is_bounded("a line of some length\n", 1500);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_long_line_is_cut),
		cmocka_unit_test(test_flood_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
