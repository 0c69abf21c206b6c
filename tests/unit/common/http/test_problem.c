/* Tests of common/problem.c. */
#include "common/http/problem.h"

#include "common/json/json.h"

#include <ctype.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

/* Every row of the table is filled in, and its name is one of a kind and finds it. */
static void
test_table(void **state)
{
	for (int i = PROBLEM_NONE + 1; i < PROBLEM_COUNT; i++) {
		enum problem problem = (enum problem)i;
		const char *name = problem_name(problem), *title = problem_title(problem);

		assert_non_null(name);
		assert_non_null(title);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
		assert_true(isupper((unsigned char)title[0]));
		assert_int_not_equal(title[strlen(title) - 1], '.');
		assert_in_range(problem_status(problem), 400, 599);
	}
}

/* The problem of that name, which must be the only one. */
static enum problem
find(const char *name)
{
	enum problem found = PROBLEM_NONE;

	for (int i = PROBLEM_NONE + 1; i < PROBLEM_COUNT; i++) {
		if (strcmp(problem_name((enum problem)i), name) != 0)
			continue;
		assert_int_equal(found, PROBLEM_NONE);
		found = (enum problem)i;
	}
	assert_int_not_equal(found, PROBLEM_NONE);
	return found;
}

/* Clients rely on these numbers. */
static void
test_statuses(void **state)
{
	static const struct {
		const char *name;
		int status;
	} cases[] = {
		{"bad-request", 400},
		{"length-required", 411},
		{"content-too-large", 413},
		{"uri-too-long", 414},
		{"header-too-large", 431},
		{"not-implemented", 501},
		{"version-not-supported", 505},
		{"unauthorized", 401},
		{"forbidden", 403},
		{"not-found", 404},
		{"method-not-allowed", 405},
		{"unsupported-media-type", 415},
		{"invalid-json", 400},
		{"invalid-body", 400},
		{"conflict", 409},
		{"precondition-failed", 412},
		{"capacity", 503},
		{"queue-full", 429},
		{"queue-timeout", 503},
		{"run-timeout", 504},
		{"cancelled", 410},
		{"interrupted", 500},
		{"expired", 410},
		{"already-ended", 409},
		{"result-too-large", 500},
		{"upstream-unreachable", 502},
		{"upstream-broken", 502},
		{"upstream-untrusted", 502},
		{"upstream-timeout", 504},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(problem_status(find(cases[i].name)), cases[i].status);
	assert_int_equal(problem_status(PROBLEM_KEY_REQUIRED), 400);
	assert_int_equal(problem_status(PROBLEM_KEY_REUSED), 422);
}

static void
check_format(const struct problem_report *report, const char *expected)
{
	struct text text = {0};
	struct json_object *value = NULL;
	struct json_mistake mistake;

	problem_format(report, &text);
	assert_string_equal(text.data, expected);
	assert_int_equal(json_parse(text.data, text.len, &value, &mistake), 0);
	json_object_put(value);
	text_fini(&text);
}

static void
test_format(void **state)
{
	check_format(&(struct problem_report){.problem = PROBLEM_NOT_FOUND},
		"{\"type\":\"/problems/not-found\",\"title\":\"Not found\",\"status\":404,"
		"\"detail\":\"Not found\"}\n");
	check_format(&(struct problem_report){.problem = PROBLEM_NOT_FOUND,
			     .status = 418,
			     .detail = "No \"pot\"\n\xff",
			     .instance = "/pots/1"},
		"{\"type\":\"/problems/not-found\",\"title\":\"Not found\",\"status\":418,"
		"\"detail\":\"No \\\"pot\\\"\\n\xef\xbf\xbd\",\"instance\":\"/pots/1\"}\n");
	check_format(&(struct problem_report){.problem = PROBLEM_EXPIRED, .operation_status = 201},
		"{\"type\":\"/problems/expired\",\"title\":\"The result is no longer kept\",\"status\":410,"
		"\"detail\":\"The result is no longer kept\",\"operation_status\":201}\n");
}

static void
test_dialects(void **state)
{
	struct problem_report report = {.problem = PROBLEM_QUEUE_FULL, .detail = "d", .request_id = "r"};

#define COMMON \
	"{\"type\":\"/problems/queue-full\",\"title\":\"The queue is full\",\"status\":429,\"detail\":\"d\""
	check_format(&report, COMMON "}\n");
	report.dialect = PROBLEM_WITH_MSG;
	check_format(&report, COMMON ",\"msg\":\"d\"}\n");
	report.dialect = PROBLEM_WITH_CODE;
	check_format(&report, COMMON ",\"code\":429,\"message\":\"d\",\"request_id\":\"r\"}\n");
	report.dialect = PROBLEM_WITH_MSG | PROBLEM_WITH_CODE;
	report.request_id = NULL;
	report.status = 503;
	report.detail = NULL;
	check_format(&report,
		"{\"type\":\"/problems/queue-full\",\"title\":\"The queue is full\",\"status\":503,"
		"\"detail\":\"The queue is full\",\"msg\":\"The queue is full\",\"code\":503,"
		"\"message\":\"The queue is full\"}\n");
}

static void
test_errors(void **state)
{
	struct json_object *errors = NULL;
	struct json_mistake mistake;
	static const char text[] =
		"[{\"pointer\":\"/a~1b\",\"keyword\":\"type\",\"message\":\"no / \\\"x\\\"\"},{}]";

	assert_int_equal(json_parse(text, strlen(text), &errors, &mistake), 0);
	check_format(&(struct problem_report){.problem = PROBLEM_INVALID_BODY, .errors = errors},
		"{\"type\":\"/problems/invalid-body\",\"title\":\"The body does not match the schema\","
		"\"status\":400,\"detail\":\"The body does not match the schema\",\"errors\":"
		"[{\"pointer\":\"/a~1b\",\"keyword\":\"type\",\"message\":\"no / \\\"x\\\"\"},{}]}\n");
	json_object_put(errors);
}

/* The document is added: what the buffer had before stays. */
static void
test_appends(void **state)
{
	struct text text = {0};

	text_add_string(&text, "before ");
	problem_format(&(struct problem_report){.problem = PROBLEM_INTERNAL}, &text);
	assert_memory_equal(text.data, "before {\"type\":\"/problems/internal\"", 34);
	text_fini(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_dialects),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_appends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
