/* The header that an upstream is sent. */
#include "work/upstream/request.h"

#include "common/text.h"
#include "work/upstream/forwarded.h"
#include "work/work.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FORWARDED \
	"Forwarded: for=192.0.2.7;host=\"our.example\";proto=https\r\nX-Forwarded-For: 192.0.2.7\r\n" \
	"X-Forwarded-Proto: https\r\nX-Forwarded-Host: our.example\r\n"
#define TRACE "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"

static const struct trusted_proxies nobody;

static const struct {
	bool forward_credentials, pass_key;
	const char *own, *wire, *wanted;
} cases[] = {
	{false, false, "", "", FORWARDED},
	{false, false, "",
		"A: 1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\nPrefer: wait=1\r\nA: 2\r\n",
		"A: 1\r\nA: 2\r\n" FORWARDED},
	{false, false, "",
		"Authorization: a\r\nCookie: b\r\nIdempotency-Key: c\r\nProxy-Authorization: d\r\n",
		FORWARDED},
	{true, true, "", "Authorization: a\r\nCookie: b\r\nIdempotency-Key: c\r\nProxy-Authorization: d\r\n",
		"Authorization: a\r\nCookie: b\r\nIdempotency-Key: c\r\n" FORWARDED},
	{false, false, "X: ours\r\nAuthorization: ours\r\n", "x: theirs\r\nAuthorization: theirs\r\nX: 2\r\n",
		FORWARDED "X: ours\r\nAuthorization: ours\r\n"},
	{false, false, "", "Connection: Forwarded, B\r\nForwarded: for=a\r\nB: 1\r\n", FORWARDED},
	{false, false, "", "Forwarded: for=a\r\n", FORWARDED},
	{false, false, "", TRACE "tracestate: a=b\r\n", TRACE "tracestate: a=b\r\n" FORWARDED},
	{false, false, "", "traceparent: 00-x\r\ntracestate: a=b\r\n", FORWARDED},
	{false, false, "", "tracestate: a=b\r\n", FORWARDED},
};

static struct work_input *
make_input(const char *wire)
{
	struct work_input *input = work_input_new();

	free(input->remote_address);
	free(input->authority);
	free(input->scheme);
	input->remote_address = xstrdup("192.0.2.7");
	input->authority = xstrdup("our.example");
	input->scheme = xstrdup("https");
	assert_int_equal(fields_from_wire(&input->fields, wire, strlen(wire)), 0);
	return input;
}

static void
assert_wire(const struct fields *fields, const char *wanted)
{
	char *wire = xstrndup(fields->wire ? fields->wire : "", fields->len);

	assert_string_equal(wire, wanted);
	free(wire);
}

static void
fields_are_chosen(void **state)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct work_input *input = make_input(cases[i].wire);
		struct fields own = {0}, fields = {0};
		assert_int_equal(fields_from_wire(&own, cases[i].own, strlen(cases[i].own)), 0);
		struct upstream_request_rules rules = {
			cases[i].forward_credentials, cases[i].pass_key, &own, &nobody, NULL, NULL};

		upstream_request_fields(&rules, input, &fields);
		assert_wire(&fields, cases[i].wanted);
		fields_fini(&fields);
		fields_fini(&own);
		work_input_free(input);
	}
}

static const struct {
	const char *address, *authority, *wanted; /* beginning with Forwarded */
} forwards[] = {
	{"192.0.2.7", "h:80", "Forwarded: for=192.0.2.7;host=\"h:80\";proto=https\r\n"},
	{"2001:db8::1", "[::1]:80", "Forwarded: for=\"[2001:db8::1]\";host=\"[::1]:80\";proto=https\r\n"},
	{"", "a\"b\\c", "Forwarded: for=unknown;host=\"a\\\"b\\\\c\";proto=https\r\n"},
	{"192.0.2.7", "", "Forwarded: for=192.0.2.7;proto=https\r\n"},
};

static void
the_client_is_told(void **state)
{
	for (size_t i = 0; i < sizeof forwards / sizeof *forwards; i++) {
		struct work_input *input = make_input("");
		struct fields own = {0}, fields = {0};
		struct upstream_request_rules rules = {.own = &own, .trusted = &nobody};

		free(input->remote_address);
		free(input->authority);
		input->remote_address = xstrdup(forwards[i].address);
		input->authority = xstrdup(forwards[i].authority);
		upstream_request_fields(&rules, input, &fields);
		fields.len = strlen(forwards[i].wanted);
		assert_wire(&fields, forwards[i].wanted);
		fields_fini(&fields);
		work_input_free(input);
	}
}

static void
some_methods_may_be_repeated(void **state)
{
	static const char *const may[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"};
	static const char *const may_not[] = {"POST", "PATCH", "get", "", "CONNECT"};

	for (size_t i = 0; i < sizeof may / sizeof *may; i++)
		assert_true(upstream_request_is_idempotent(may[i]));
	for (size_t i = 0; i < sizeof may_not / sizeof *may_not; i++)
		assert_false(upstream_request_is_idempotent(may_not[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_chosen),
		cmocka_unit_test(the_client_is_told),
		cmocka_unit_test(some_methods_may_be_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
