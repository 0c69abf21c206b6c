/* Tests of deferctl/monitor.c. */
#include "deferctl/monitor.h"

#include "common/cleanup.h"
#include "common/json/json.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_final(void **state)
{
	static const struct {
		long status;
		bool has_result, is_final, is_passing;
	} cases[] = {
		{202, false, false, false},
		{202, true, true, false},
		{200, false, true, false},
		{404, false, true, false},
		{500, false, true, false},
		{503, false, false, true},
		{503, true, true, false},
		{429, false, false, true},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP(fields_fini) struct fields fields = {0};
		bool is_passing;
		if (cases[i].has_result)
			fields_put(&fields, "AsyncResult", "200");
		assert_int_equal(monitor_is_final(cases[i].status, &fields, &is_passing), cases[i].is_final);
		assert_int_equal(is_passing, cases[i].is_passing);
	}
}

static const struct {
	enum monitor_kind kind;
	const char *field, *body;
	bool has_ended, has_failed;
	int progress;
	const char *message;
} cases[] = {
	{MONITOR_PLAIN, NULL, NULL, false, false, -1, ""},
	{MONITOR_PLAIN, "40% half way", NULL, false, false, 40, "half way"},
	{MONITOR_PLAIN, "140% much", NULL, false, false, -1, "140% much"},
	{MONITOR_PLAIN, "words", NULL, false, false, -1, "words"},
	{MONITOR_STATUS, NULL, "{\"status\":\"RUNNING\",\"progress\":7}", false, false, 7, ""},
	{MONITOR_STATUS, NULL, "{\"status\":\"Succeeded\",\"percentComplete\":100}", true, false, 100, ""},
	{MONITOR_STATUS, NULL, "{\"status\":\"FAILED\",\"progress\":1e300}", true, true, -1, ""},
	{MONITOR_STATUS, NULL, "{\"status\":5}", false, false, -1, ""},
	{MONITOR_TOKEN, NULL, "{\"asyncOperation\":{\"status\":\"IN_PROGRESS\"}}", false, false, -1, ""},
	{MONITOR_TOKEN, NULL, "{\"asyncOperation\":{\"status\":\"READY\"},\"resultStatus\":200}", true, false,
		-1, ""},
	{MONITOR_TOKEN, NULL, "{\"asyncOperation\":{\"status\":\"READY\"},\"resultStatus\":422}", true, true,
		-1, ""},
	{MONITOR_LONG_RUNNING, NULL, "{\"done\":false}", false, false, -1, ""},
	{MONITOR_LONG_RUNNING, NULL, "{\"done\":true,\"error\":{}}", true, true, -1, ""},
};

static void
check(size_t i)
{
	CLEANUP(fields_fini) struct fields fields = {0};
	CLEANUP(cleanup_json) struct json_object *body = NULL;
	struct json_mistake mistake;
	struct monitor_news news;

	if (cases[i].field)
		fields_put(&fields, "X-Progress", cases[i].field);
	if (cases[i].body)
		assert_int_equal(json_parse(cases[i].body, strlen(cases[i].body), &body, &mistake), 0);
	monitor_read(cases[i].kind, &fields, body, &news);
	assert_int_equal(news.has_ended, cases[i].has_ended);
	assert_int_equal(news.has_failed, cases[i].has_failed);
	assert_int_equal(news.progress, cases[i].progress);
	assert_string_equal(news.message, cases[i].message);
}

static void
test_read(void **state)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		check(i);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_final), cmocka_unit_test(test_read)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
