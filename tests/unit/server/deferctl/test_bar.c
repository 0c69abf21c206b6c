/* Tests of deferctl/bar.c. */
#include "deferctl/bar.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
assert_bar(struct bar *bar, struct monitor_news news, int64_t now_ms, unsigned columns, const char *expected)
{
	struct text line = {0};

	bar_format(bar, &news, now_ms, columns, &line);
	assert_string_equal(line.data, expected);
	text_fini(&line);
}

static void
test_format(void **state)
{
	struct bar bar = {0};

	assert_bar(&bar, (struct monitor_news){.progress = -1}, 0, 80, "waiting");
	assert_bar(
		&bar, (struct monitor_news){.progress = -1, .message = "reading"}, 0, 80, "waiting  reading");
	assert_bar(&bar, (struct monitor_news){.progress = 0}, 1000, 80, "[........................]   0%");
	assert_bar(&bar, (struct monitor_news){.progress = 50}, 26000, 80,
		"[############............]  50%  2.0%/s  0:25 left");
	assert_bar(&bar, (struct monitor_news){.progress = 50, .message = "0123456789"}, 26000, 59,
		"[############............]  50%  2.0%/s  0:25 left  012345");
	assert_bar(&bar, (struct monitor_news){.progress = 50, .message = "0123456789"}, 26000, 12,
		"50%  012345");
	assert_bar(&bar, (struct monitor_news){.progress = 100}, 51000, 80,
		"[########################] 100%  2.0%/s  0:00 left");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_format)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
