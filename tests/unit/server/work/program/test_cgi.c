/* Heads of CGI responses (RFC 3875, 6). */
#include "work/program/cgi.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *head;
	int status; /* 0: malformed */
	const char *wire;
} cases[] = {
	/* the four kinds of RFC 3875, 6.2 */
	{"Content-Type: text/plain\n\n", 200, "Content-Type: text/plain\r\n"},
	{"Content-Type: text/plain\r\n\r\n", 200, "Content-Type: text/plain\r\n"},
	{"Location: /other?x=1\n\n", 302, "Location: /other?x=1\r\n"},
	{"Location: https://example.com/#f\n\n", 302, "Location: https://example.com/#f\r\n"},
	{"Location: /x\nStatus: 302 Found\nContent-Type: text/html\n\n", 302,
		"Location: /x\r\nContent-Type: text/html\r\n"},
	/* Status */
	{"Status: 201 Created\nLocation: /items/7\n\n", 201, "Location: /items/7\r\n"},
	{"Status: 204\n\n", 204, ""},
	{"Status:404\n\n", 404, ""},
	{"sTaTuS: \t 599\t\n\n", 599, ""},
	{"Status: 200 \n\n", 200, ""},
	{"Status: 199\n\n", 0, NULL},
	{"Status: 100 Continue\n\n", 0, NULL},
	{"Status: 600\n\n", 0, NULL},
	{"Status: 099\n\n", 0, NULL},
	{"Status: 20\n\n", 0, NULL},
	{"Status: 2000\n\n", 0, NULL},
	{"Status: 200OK\n\n", 0, NULL},
	{"Status: -20\n\n", 0, NULL},
	{"Status: OK\n\n", 0, NULL},
	{"Status:\n\n", 0, NULL},
	{"Status: 200\nStatus: 200\n\n", 0, NULL},
	/* other fields */
	{"Content-Type: a/b\nX-One: 1\nx-one: 2\n\n", 200, "Content-Type: a/b\r\nX-One: 1\r\nx-one: 2\r\n"},
	{"Content-Type: a/b\nX-Empty:\n\n", 200, "Content-Type: a/b\r\nX-Empty: \r\n"},
	{"Content-Type:\ta/b \t\nETag: \"x\"\n\n", 200, "Content-Type: a/b\r\nETag: \"x\"\r\n"},
	{"Content-Type: a/b\nX: \xc3\xa9\n\n", 200, "Content-Type: a/b\r\nX: \xc3\xa9\r\n"},
	{"Content-Type: a/b\r\nX: 1\n\r\n", 200, "Content-Type: a/b\r\nX: 1\r\n"},
	/* not the program's to say */
	{"Content-Type: a/b\nConnection: close\nTransfer-Encoding: chunked\nContent-Length: 5\n"
	 "Keep-Alive: timeout=1\nUpgrade: h2c\nTrailer: X\nDate: now\nServer: me\nTE: x\n"
	 "proxy-connection: close\n\n",
		200, "Content-Type: a/b\r\n"},
	{"Content-Length: 5\n\n", 0, NULL},
	/* malformed */
	{"", 0, NULL},
	{"\n", 0, NULL},
	{"\r\n", 0, NULL},
	{"X-Other: 1\n\n", 0, NULL},
	{"Content-Type:\n\n", 0, NULL},
	{"Content-Type: \t \n\n", 0, NULL},
	{"Location:\n\n", 0, NULL},
	{"Content-Type: a/b\nContent-Type: a/b\n\n", 0, NULL},
	{"Location: /a\nLocation: /b\n\n", 0, NULL},
	{"Content-Type: a/b\n", 0, NULL},
	{"Content-Type: a/b", 0, NULL},
	{"Content-Type a/b\n\n", 0, NULL},
	{"Content-Type : a/b\n\n", 0, NULL},
	{": a/b\n\n", 0, NULL},
	{"Content-Type: a/b\n folded\n\n", 0, NULL},
	{"Content-Type: a/b\nX: a\rb\n\n", 0, NULL},
	{"Content-Type: a/b\nX: a\x01\n\n", 0, NULL},
	{"Content-Type: a/b\nX Y: a\n\n", 0, NULL},
	{"Content-Type: a/b\r\r\n\n", 0, NULL},
	{"HTTP/1.1 200 OK\nContent-Type: a/b\n\n", 0, NULL},
	{"<html>\n\n", 0, NULL},
	{"Content-Type: a/b\n\nmore", 0, NULL},
};

static int
parse_exact(const char *data, size_t len, int *ret_status, struct fields *ret_fields)
{
	char *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, data, len);
	int rc = cgi_parse_head(copy, len, ret_status, ret_fields);
	free(copy);
	return rc;
}

static void
test_heads(void **state)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fields fields = {0};
		int status = 0;
		int rc = parse_exact(cases[i].head, strlen(cases[i].head), &status, &fields);

		if ((rc == 0) != (cases[i].status != 0) || status != cases[i].status)
			fail_msg("case %zu: %d, status %d", i, rc, status);
		if (rc < 0) {
			assert_int_equal(rc, -EINVAL);
			assert_null(fields.wire);
			continue;
		}
		assert_int_equal(fields.len, strlen(cases[i].wire));
		if (fields.len > 0)
			assert_memory_equal(fields.wire, cases[i].wire, fields.len);
		fields_fini(&fields);
	}
}

static void
test_nul_is_malformed(void **state)
{
	static const char head[] = "Content-Type: a/b\nX: a\0b\n\n";
	struct fields fields = {0};
	int status;

	assert_int_equal(parse_exact(head, sizeof head - 1, &status, &fields), -EINVAL);
}

static const struct {
	const char *data;
	size_t len; /* of the head in it; 0: there is no end */
} ends[] = {
	{"", 0},
	{"A: b", 0},
	{"A: b\n", 0},
	{"A: b\n\r", 0},
	{"A: b\r\n\r", 0},
	{"A: b\n\n", 6},
	{"A: b\n\r\n", 7},
	{"A: b\r\n\n", 7},
	{"A: b\r\n\r\n", 8},
	{"A: b\n\nbody\n\n", 6},
	{"\n", 1},
	{"\r\n", 2},
	{"\nA: b\n\n", 1},
	{"A: b\r\r\n", 0},
	{"A: b\n\r\r\n", 0},
	{"A: b\n \n\n", 8},
};

/* The end is found at once and byte by byte alike. */
static void
test_ends(void **state)
{
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		size_t whole = strlen(ends[i].data), found = 0;
		char *copy = malloc(whole ? whole : 1);

		assert_non_null(copy);
		memcpy(copy, ends[i].data, whole);
		assert_int_equal(cgi_head_len(copy, whole, 0), ends[i].len);
		for (size_t len = 1; len <= whole && found == 0; len++)
			found = cgi_head_len(copy, len, len - 1);
		assert_int_equal(found, ends[i].len);
		free(copy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heads),
		cmocka_unit_test(test_nul_is_malformed),
		cmocka_unit_test(test_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
