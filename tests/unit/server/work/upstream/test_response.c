/* The answer of an upstream as it comes, line by line. */
#include "work/upstream/response.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_BYTES 1000

static const struct {
	const char *head; /* lines, each with its end */
	bool is_head_request;
	int error; /* of the last line; then nothing else counts */
	int status;
	const char *wanted; /* the result's fields */
} cases[] = {
	{"HTTP/1.1 200 OK\r\nA: 1\r\n\r\n", false, 0, 200, "A: 1\r\n"},
	{"HTTP/1.1 200\r\nA:1\r\n\r\n", false, 0, 200, "A: 1\r\n"},
	{"HTTP/2 204 \r\n\r\n", false, 0, 204, ""},
	{"HTTP/1.1 200 OK\nA: \n\n", false, 0, 200, "A: \r\n"},
	{"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 404 No\r\nA: 1\r\n\r\n", false, 0, 404, "A: 1\r\n"},
	{"HTTP/1.1 200 OK\r\nA: 1\r\n\r\nTrailer: 1\r\n\r\n", false, 0, 200, "A: 1\r\n"},
	{"HTTP/1.1 200 OK\r\nConnection: X\r\nX: 1\r\nDate: now\r\nAlt-Svc: y\r\nContent-Length: 5\r\n\r\n",
		false, 0, 200, ""},
	{"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", false, 0, 200, ""},
	{"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", false, -EFBIG, 0, NULL},
	{"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", true, 0, 200, ""},
	{"HTTP/1.1 304 Not\r\nContent-Length: 1001\r\n\r\n", false, 0, 304, ""},
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\ncontent-length: 5\r\n\r\n", false, 0, 200, ""},
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\ncontent-length: 6\r\n\r\n", false, -EBADMSG, 0, NULL},
	{"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n", false, -EBADMSG, 0, NULL},
	{"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", false, -EBADMSG, 0, NULL},
	{"HTTP/1.1 101 Switching\r\n\r\n", false, -EBADMSG, 0, NULL},
	{"HTTP/1.1 2000 OK\r\n", false, -EBADMSG, 0, NULL},
	{"HTTP/1.1 099 OK\r\n", false, -EBADMSG, 0, NULL},
	{"HTTP/1.1 600 OK\r\n", false, -EBADMSG, 0, NULL},
	{"HTTP/1.1 20\r\n", false, -EBADMSG, 0, NULL},
	{"HTTP/1.1\r\n", false, -EBADMSG, 0, NULL},
	{"A: 1\r\n", false, -EBADMSG, 0, NULL},
	{"\r\n", false, -EBADMSG, 0, NULL},
	{"HTTP/1.1 200 OK\r\nno colon\r\n", false, -EBADMSG, 0, NULL},
	{"HTTP/1.1 200 OK\r\n: x\r\n", false, -EBADMSG, 0, NULL},
	{"HTTP/1.1 200 OK\r\nA : x\r\n", false, -EBADMSG, 0, NULL},
	{"HTTP/1.1 200 OK\r\nA: 1\r\n folded\r\n", false, -EBADMSG, 0, NULL},
	{"HTTP/1.1 200 OK\r\nA: 1\r2\r\n", false, -EBADMSG, 0, NULL},
	{"HTTP/1.1 200 OK\r\nLocation: http://h:80/base/x\r\nContent-Location: /base/y\r\n\r\n", false, 0,
		200, "Location: http://us/api/x\r\nContent-Location: http://us/api/y\r\n"},
	{"HTTP/1.1 200 OK\r\nLocation: http://other/base/x\r\n\r\n", false, 0, 200,
		"Location: http://other/base/x\r\n"},
};

static int
take_lines(struct upstream_response *response, const char *head, bool is_head_request)
{
	int rc = 0;

	while (*head && rc == 0) {
		size_t len = strcspn(head, "\n") + 1;
		rc = upstream_response_take_line(response, head, len, is_head_request);
		head += len;
	}
	return rc;
}

static struct work_input *
make_input(void)
{
	struct work_input *input = work_input_new();

	free(input->route);
	free(input->path);
	free(input->base);
	input->route = xstrdup("/api/{rest...}");
	input->path = xstrdup("/api/z");
	input->base = xstrdup("http://us");
	return input;
}

static void
check_result(struct upstream_response *response, int status, const char *wanted)
{
	struct work_input *input = make_input();
	struct work_result result = {0};
	struct upstream_target target;

	assert_int_equal(upstream_target_init(&target, "http://h/base"), 0);
	assert_int_equal(upstream_response_finish(response, &target, input, &result), 0);
	assert_int_equal(result.status, status);
	char *wire = xstrndup(result.fields.wire ? result.fields.wire : "", result.fields.len);
	/* Fields that are replaced go to the end, in their order. */
	assert_string_equal(wire, wanted);
	free(wire);
	work_result_fini(&result);
	upstream_target_fini(&target);
	work_input_free(input);
}

static void
heads_are_read(void **state)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct upstream_response response;

		upstream_response_init(&response, -1, MAX_BYTES, false);
		assert_int_equal(
			take_lines(&response, cases[i].head, cases[i].is_head_request), cases[i].error);
		assert_int_equal(response.error, cases[i].error);
		if (cases[i].error == 0)
			check_result(&response, cases[i].status, cases[i].wanted);
		upstream_response_fini(&response);
	}
}

static void
a_header_has_a_limit(void **state)
{
	char line[1024];
	struct upstream_response response;
	int rc = 0;

	memset(line, 'x', sizeof line);
	memcpy(line, "A: ", 3);
	line[sizeof line - 1] = '\n';
	upstream_response_init(&response, -1, MAX_BYTES, false);
	assert_int_equal(take_lines(&response, "HTTP/1.1 200 OK\r\n", false), 0);
	for (size_t taken = 0; taken + sizeof line <= UPSTREAM_HEADER_MAX; taken += sizeof line)
		assert_int_equal(upstream_response_take_line(&response, line, sizeof line, false), 0);
	rc = upstream_response_take_line(&response, line, sizeof line, false);
	assert_int_equal(rc, -EBADMSG);
	upstream_response_fini(&response);
}

static void
a_body_has_a_limit(void **state)
{
	char data[MAX_BYTES + 1] = {0};
	struct upstream_response response;

	upstream_response_init(&response, -1, MAX_BYTES, false);
	assert_int_equal(take_lines(&response, "HTTP/1.1 200 OK\r\n\r\n", false), 0);
	assert_int_equal(upstream_response_take_body(&response, data, MAX_BYTES), 0);
	assert_int_equal(upstream_response_take_body(&response, data, 1), -EFBIG);
	assert_int_equal(upstream_response_take_body(&response, data, 0), -EFBIG);
	assert_int_equal(upstream_response_take_line(&response, "\r\n", 2, false), -EFBIG);
	upstream_response_fini(&response);
}

static void
without_a_head_there_is_no_result(void **state)
{
	struct work_result result = {0};
	struct upstream_response response;

	upstream_response_init(&response, -1, MAX_BYTES, false);
	assert_int_equal(take_lines(&response, "HTTP/1.1 103 Early\r\n\r\n", false), 0);
	assert_int_equal(upstream_response_finish(&response, NULL, NULL, &result), -EBADMSG);
	assert_int_equal(result.status, 0);
	upstream_response_fini(&response);
}

static void
a_body_becomes_a_blob(void **state)
{
	struct work_input *input = make_input();
	struct work_result result = {0};
	struct upstream_target target;
	struct upstream_response response;

	assert_int_equal(upstream_target_init(&target, "http://h"), 0);
	upstream_response_init(&response, -1, MAX_BYTES, false);
	assert_int_equal(take_lines(&response, "HTTP/1.1 200 OK\r\n\r\n", false), 0);
	assert_int_equal(upstream_response_take_body(&response, "a\0b", 3), 0);
	assert_int_equal(upstream_response_take_body(&response, "c", 1), 0);
	assert_int_equal(upstream_response_finish(&response, &target, input, &result), 0);
	assert_int_equal(blob_len(result.body), 4);
	assert_memory_equal(blob_data(result.body), "a\0bc", 4);
	work_result_fini(&result);
	upstream_response_fini(&response);
	upstream_target_fini(&target);
	work_input_free(input);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_are_read),
		cmocka_unit_test(a_header_has_a_limit),
		cmocka_unit_test(a_body_has_a_limit),
		cmocka_unit_test(without_a_head_there_is_no_result),
		cmocka_unit_test(a_body_becomes_a_blob),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
