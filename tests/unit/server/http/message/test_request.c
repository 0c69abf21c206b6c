/* Requests, by a fake transport: id, fields, persistence, origin, parameters of the path, a client that leaves. */
#include "http/message/request.h"

#include "tests/unit/server/http/message/fake_request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

static void
test_target(void **state)
{
	struct http_request request = {0};

	(void)state;
	http_request_set_target(&request, "/a/b", 4);
	assert_int_equal(request.path_len, 4);
	assert_null(request.query);
	http_request_set_target(&request, "/a?b?c", 6);
	assert_int_equal(request.path_len, 2);
	assert_string_equal(request.query, "b?c");
	http_request_set_target(&request, "/?", 2);
	assert_int_equal(request.path_len, 1);
	assert_string_equal(request.query, "");
}

static const char longest[] = "0123456789012345678901234567890123456789012345678901234567890123";

/* An X-Request-Id is taken if it is a token and short enough. */
static void
test_id(void **state)
{
	struct http_shared shared = {0};
	struct fake_request fake;
	const char *given[] = {"X-Request-Id", "abc", NULL};
	const char *good[] = {"abc", "a.b-c_d~1", longest},
		   *bad[] = {"", "a b", "a\"",
			   "01234567890123456789012345678901234567890123456789012345678901234"};
	char first[HTTP_REQUEST_ID_SIZE];

	(void)state;
	http_shared_init(&shared);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		given[1] = good[i];
		fake_request_init(&fake, &shared, HTTP_GET, given);
		http_request_set_id(&fake.request);
		assert_string_equal(fake.request.id, good[i]);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		given[1] = bad[i];
		fake_request_init(&fake, &shared, HTTP_GET, given);
		http_request_set_id(&fake.request);
		assert_int_equal(strspn(fake.request.id, "0123456789abcdef"), 16);
		assert_int_equal(strlen(fake.request.id), 16);
		if (i > 0)
			assert_string_not_equal(fake.request.id, first);
		strcpy(first, fake.request.id);
	}
	http_shared_fini(&shared);
}

static void
test_asks_close(void **state)
{
	static const struct {
		const char *connection;
		bool closes;
	} cases[] = {{NULL, false}, {"", false}, {"close", true}, {"Close", true}, {"te, close", true},
		{"close,te", true}, {" ,\t close", true}, {"closed", false}, {"keep-alive", false},
		{"not close", true}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *fields[] = {"Connection", cases[i].connection, NULL};
		struct fake_request fake;
		fake_request_init(&fake, NULL, HTTP_GET, cases[i].connection ? fields : NULL);
		assert_int_equal(http_request_asks_close(&fake.request), cases[i].closes);
	}
}

static void
add_value(const char *value, void *text)
{
	text_addf(text, "[%s]", value);
}

static void
test_fields(void **state)
{
	const char *given[] = {"Accept", "x", "Prefer", "a", "prefer", "b", NULL};
	struct fake_request fake;
	struct fields copied;
	struct text values = {0};

	(void)state;
	fake_request_init(&fake, NULL, HTTP_GET, given);
	assert_string_equal(http_request_field(&fake.request, "PREFER"), "a");
	assert_null(http_request_field(&fake.request, "Host"));
	http_request_each_field(&fake.request, "Prefer", add_value, &values);
	assert_string_equal(values.data, "[a][b]");
	http_request_copy_fields(&fake.request, &copied);
	assert_int_equal(copied.len, strlen("Accept: x\r\nPrefer: a\r\nprefer: b\r\n"));
	assert_memory_equal(copied.wire, "Accept: x\r\nPrefer: a\r\nprefer: b\r\n", copied.len);
	fields_fini(&copied);
	text_fini(&values);
}

static void
check_base(const struct http_request *request, const char *expected)
{
	char *base = http_request_base(request);

	assert_string_equal(base, expected);
	free(base);
}

static void
test_origin(void **state)
{
	const char *given[] = {"Host", "a.example:81", NULL};
	struct http_shared shared = {0};
	struct fake_request fake;

	(void)state;
	fake_request_init(&fake, &shared, HTTP_GET, NULL);
	check_base(&fake.request, "http://localhost");
	fake_request_init(&fake, &shared, HTTP_GET, given);
	check_base(&fake.request, "http://a.example:81");
	fake.peer.is_tls = true;
	check_base(&fake.request, "https://a.example:81");
	assert_string_equal(http_request_remote_address(&fake.request), "192.0.2.1");
	shared.public_url = "https://b.example/x";
	check_base(&fake.request, "https://b.example/x");
}

static void
on_gone(struct http_request *request)
{
	assert_null(request->peer);
	++*(unsigned *)request->arg;
}

static void
test_leave(void **state)
{
	struct fake_request fake;
	unsigned gone = 0;

	(void)state;
	fake_request_init(&fake, NULL, HTTP_GET, NULL);
	fake.request.on_gone = on_gone;
	fake.request.arg = &gone;
	fake_request_leave(&fake);
	assert_int_equal(gone, 1);
	assert_string_equal(http_request_remote_address(&fake.request), "192.0.2.1");
	assert_string_equal(http_request_scheme(&fake.request), "http");
}

static void
test_params(void **state)
{
	struct http_request request = {0};
	struct id id, made;
	char text[ID_TEXT_SIZE], escaped[ID_TEXT_SIZE + 2];

	(void)state;
	id_generate(&made);
	id_format(&made, text);
	snprintf(escaped, sizeof escaped, "%%%02x%s", text[0], text + 1);
	request.match.param_count = 3;
	request.match.params[0] = (struct router_param){"id", text, strlen(text)};
	request.match.params[1] = (struct router_param){"again", escaped, strlen(escaped)};
	request.match.params[2] = (struct router_param){"name", "a%20b+/c", 6};
	assert_int_equal(http_request_id_param(&request, "id", &id), 0);
	assert_memory_equal(&id, &made, sizeof id);
	assert_int_equal(http_request_id_param(&request, "again", &id), 0);
	assert_memory_equal(&id, &made, sizeof id);
	assert_int_equal(http_request_id_param(&request, "name", &id), -EINVAL);
	assert_int_equal(http_request_id_param(&request, "none", &id), -EINVAL);
	char *name = http_request_param(&request, "name");
	assert_string_equal(name, "a b+");
	free(name);
	assert_null(http_request_param(&request, "none"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_target),
		cmocka_unit_test(test_id),
		cmocka_unit_test(test_asks_close),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_origin),
		cmocka_unit_test(test_leave),
		cmocka_unit_test(test_params),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
