/* Replies, byte for byte, by a fake transport: heads, small and large bodies, problems, and replies that are cut
 * short or come too late. */
#include "http/message/reply.h"

#include "common/clock.h"
#include "http/message/head.h"
#include "tests/unit/server/http/message/fake_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#define DATE "Date: Thu, 01 Jan 1970 00:00:07 GMT\r\n"
#define ID "X-Request-Id: abc\r\n"
#define LARGE_BYTES (16 * 1024 + 1)

static struct http_shared shared;
static int counted_status;
static uint64_t counted_bytes;
static unsigned counted;

static void
on_reply(void *arg, const struct http_request *request, int status, uint64_t body_bytes)
{
	(void)request;
	assert_ptr_equal(arg, &shared);
	counted++;
	counted_status = status;
	counted_bytes = body_bytes;
}

static int
start(void **state)
{
	struct fake_request *fake = xcalloc(1, sizeof *fake);

	clock_hold(7000, 7000);
	shared = (struct http_shared){.on_reply = on_reply, .arg = &shared};
	counted = 0;
	http_shared_init(&shared);
	fake_request_init(fake, &shared, HTTP_GET, NULL);
	strcpy(fake->request.id, "abc");
	*state = fake;
	return 0;
}

static int
stop(void **state)
{
	fake_request_fini(*state);
	free(*state);
	http_shared_fini(&shared);
	clock_release();
	return 0;
}

static void
check_counted(int status, uint64_t bytes)
{
	assert_int_equal(counted, 1);
	assert_int_equal(counted_status, status);
	assert_int_equal(counted_bytes, bytes);
}

static void
test_small(void **state)
{
	struct fake_request *fake = *state;

	reply_bytes(&fake->request, 200, NULL, "hello", 5);
	assert_string_equal(
		fake->written.data, "HTTP/1.1 200 OK\r\n" DATE ID "Content-Length: 5\r\n\r\nhello");
	assert_true(fake->has_ended);
	assert_false(fake->is_cut_short);
	check_counted(200, 5);
}

/* The order of everything that a head may have. */
static void
test_whole_head(void **state)
{
	struct fake_request *fake = *state;
	struct fields fields = {0};

	fields_put(&fields, "X-One", "1");
	fields_put(&fake->request.extra, "X-Two", "2");
	fake->request.is_not_stored = true;
	fake->persistence = "close";
	reply_bytes(&fake->request, 201, &fields, NULL, 0);
	assert_string_equal(fake->written.data,
		"HTTP/1.1 201 Created\r\n" DATE "X-One: 1\r\nCache-Control: no-store\r\nX-Two: 2\r\n"
		"X-Request-Id: abc\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
	fields_fini(&fields);
}

/* A result may have an id of its own, such as an upstream's: it is as it was. */
static void
test_id_of_a_result(void **state)
{
	struct fake_request *fake = *state;
	struct fields fields = {0};

	fields_put(&fields, "x-request-id", "its");
	reply_bytes(&fake->request, 200, &fields, NULL, 0);
	assert_string_equal(fake->written.data,
		"HTTP/1.1 200 OK\r\n" DATE "x-request-id: its\r\nContent-Length: 0\r\n\r\n");
	fields_fini(&fields);
}

/* Statuses without a body have no length either, whatever is given. */
static void
test_no_body(void **state)
{
	struct fake_request *fake = *state;

	reply_bytes(&fake->request, 204, NULL, "x", 1);
	assert_string_equal(fake->written.data, "HTTP/1.1 204 No Content\r\n" DATE ID "\r\n");
	check_counted(204, 0);
	assert_true(head_has_body(200) && head_has_body(404));
	assert_false(head_has_body(100) || head_has_body(204) || head_has_body(304));
}

/* HEAD has GET's length without the body, and no length where GET's is not known. */
static void
test_head(void **state)
{
	struct fake_request *fake = *state;

	fake->request.method = HTTP_HEAD;
	reply_bytes(&fake->request, 200, NULL, "hello", 5);
	assert_string_equal(fake->written.data, "HTTP/1.1 200 OK\r\n" DATE ID "Content-Length: 5\r\n\r\n");
	check_counted(200, 0);
}

static void
test_head_without_body(void **state)
{
	struct fake_request *fake = *state;

	fake->request.method = HTTP_HEAD;
	reply_blob(&fake->request, 200, NULL, NULL);
	assert_string_equal(fake->written.data, "HTTP/1.1 200 OK\r\n" DATE ID "\r\n");
}

static struct blob *
make_blob(size_t len)
{
	char *bytes = xcalloc(len, 1);
	struct blob *blob = blob_new(memset(bytes, 'b', len), len);

	free(bytes);
	return blob;
}

static void
test_large(void **state)
{
	struct fake_request *fake = *state;
	struct blob *large = make_blob(LARGE_BYTES);

	reply_blob(&fake->request, 200, NULL, large);
	assert_string_equal(
		fake->written.data, "HTTP/1.1 200 OK\r\n" DATE ID "Content-Length: 16385\r\n\r\n");
	assert_ptr_equal(fake->blob, large);
	assert_false(fake->is_cut_short);
	check_counted(200, LARGE_BYTES);
	blob_unref(large);
}

/* A body of the largest size that goes with the head. */
static void
test_largest_small(void **state)
{
	struct fake_request *fake = *state;
	struct blob *blob = make_blob(LARGE_BYTES - 1);

	reply_blob(&fake->request, 200, NULL, blob);
	assert_null(fake->blob);
	assert_int_equal(strlen(fake->body), LARGE_BYTES - 1);
	blob_unref(blob);
}

/* The length has been promised and the body cannot be had: the connection is cut, and the request ends. */
static void
test_cut_short(void **state)
{
	struct fake_request *fake = *state;
	struct blob *large = make_blob(LARGE_BYTES);

	fake->write_blob_rc = -5;
	reply_blob(&fake->request, 200, NULL, large);
	assert_true(fake->is_cut_short);
	assert_true(fake->has_ended);
	assert_null(fake->request.on_gone);
	blob_unref(large);
}

/* The client has left: nothing is written, and the request is counted as one without a reply. */
static void
test_too_late(void **state)
{
	struct fake_request *fake = *state;

	fake_request_leave(fake);
	reply_bytes(&fake->request, 200, NULL, "hello", 5);
	assert_int_equal(fake->written.len, 0);
	assert_true(fake->has_ended);
	assert_false(fake->is_cut_short);
	check_counted(HTTP_CLIENT_LEFT, 0);
}

static void
test_json(void **state)
{
	struct fake_request *fake = *state;
	struct text json = {0};

	text_add_string(&json, "{}");
	reply_json(&fake->request, 202, NULL, &json);
	assert_string_equal(fake->written.data,
		"HTTP/1.1 202 Accepted\r\n" DATE "Content-Type: application/json\r\n" ID
		"Content-Length: 3\r\n\r\n{}\n");
	text_fini(&json);
}

static void
test_problem(void **state)
{
	struct fake_request *fake = *state;

	reply_problemf(&fake->request, PROBLEM_NOT_FOUND, "No %s here.", "cat");
	assert_int_equal(fake_request_status(fake), 404);
	assert_true(fake_request_has_line(fake, "Content-Type: " PROBLEM_CONTENT_TYPE));
	assert_true(fake_request_has_line(fake, "Cache-Control: no-store"));
	assert_true(fake_request_has_line(fake, "X-Request-Id: abc"));
	assert_non_null(strstr(fake->body, "\"detail\":\"No cat here.\""));
	check_counted(404, strlen(fake->body));
}

/* The status of a report goes before that of its problem. */
static void
test_other_status(void **state)
{
	struct fake_request *fake = *state;
	struct problem_report report = {.problem = PROBLEM_NOT_FOUND, .status = 410};

	reply_problem(&fake->request, &report, NULL);
	assert_int_equal(fake_request_status(fake), 410);
}

static void
test_refusal(void **state)
{
	struct problem_report report = {.problem = PROBLEM_BAD_REQUEST, .detail = "No."};
	struct text reply = {0};
	struct fake_request *fake = *state;
	char length[64];

	head_format_refusal(&fake->request, &report, &reply);
	const char *body = strstr(reply.data, "\r\n\r\n") + 4;
	snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n", strlen(body));
	assert_int_equal(strncmp(reply.data, "HTTP/1.1 400 Bad Request\r\n" DATE, 26 + strlen(DATE)), 0);
	assert_non_null(strstr(reply.data, length));
	assert_non_null(strstr(reply.data, "\r\n" ID));
	assert_non_null(strstr(reply.data, "\r\nConnection: close\r\n"));
	check_counted(400, strlen(body));
	text_fini(&reply);
}

static void
test_reasons(void **state)
{
	static const struct {
		int status;
		const char *reason;
	} cases[] = {{200, "OK"}, {202, "Accepted"}, {404, "Not Found"}, {503, "Service Unavailable"},
		{199, "Informational"}, {299, "Successful"}, {399, "Redirection"}, {499, "Client Error"},
		{599, "Server Error"}, {600, "Unknown"}, {99, "Unknown"}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(head_reason(cases[i].status), cases[i].reason);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_small, start, stop),
		cmocka_unit_test_setup_teardown(test_whole_head, start, stop),
		cmocka_unit_test_setup_teardown(test_id_of_a_result, start, stop),
		cmocka_unit_test_setup_teardown(test_no_body, start, stop),
		cmocka_unit_test_setup_teardown(test_head, start, stop),
		cmocka_unit_test_setup_teardown(test_head_without_body, start, stop),
		cmocka_unit_test_setup_teardown(test_large, start, stop),
		cmocka_unit_test_setup_teardown(test_largest_small, start, stop),
		cmocka_unit_test_setup_teardown(test_cut_short, start, stop),
		cmocka_unit_test_setup_teardown(test_too_late, start, stop),
		cmocka_unit_test_setup_teardown(test_json, start, stop),
		cmocka_unit_test_setup_teardown(test_problem, start, stop),
		cmocka_unit_test_setup_teardown(test_other_status, start, stop),
		cmocka_unit_test_setup_teardown(test_refusal, start, stop),
		cmocka_unit_test_setup_teardown(test_reasons, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
