/* Header fields of one connection. */
#include "work/upstream/hop_fields.h"

#include "common/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *wire, *wanted;
} cases[] = {
	{"", ""},
	{"A: 1\r\nB: 2\r\n", "A: 1\r\nB: 2\r\n"},
	{"connection: close\r\nA: 1\r\n", "A: 1\r\n"},
	{"Connection: x, Y ,\t,z\r\nX: 1\r\nA: 1\r\ny: 2\r\nZ: 3\r\nx: 4\r\n", "A: 1\r\n"},
	{"X: 1\r\nConnection: A\r\nB: 2\r\nConnection: X\r\nA: 3\r\n", "B: 2\r\n"},
	{"Connection: \r\nConnection: ,,\r\nA: 1\r\n", "A: 1\r\n"},
	{"Connection: Connection, \"x\", a/b\r\nx: 1\r\n", "x: 1\r\n"},
	{"Keep-Alive: 5\r\nTE: trailers\r\nTrailer: X\r\nTransfer-Encoding: chunked\r\nUpgrade: h2c\r\nA: "
	 "1\r\n"
	 "Proxy-Connection: close\r\nProxy-Authorization: x\r\nProxy-Authenticate: y\r\nHTTP2-Settings: "
	 "z\r\n",
		"A: 1\r\n"},
};

static void
they_are_removed(void **state)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fields fields = {0};
		struct text text = {0};

		assert_int_equal(fields_from_wire(&fields, cases[i].wire, strlen(cases[i].wire)), 0);
		hop_fields_remove(&fields, NULL, NULL);
		text_add(&text, fields.wire, fields.len);
		text_add_char(&text, '\0');
		assert_string_equal(text.data, cases[i].wanted);
		text_fini(&text);
		fields_fini(&fields);
	}
}

static bool
is_short(const struct field *field, const void *arg)
{
	return field->name_len <= *(const size_t *)arg;
}

static void
others_may_go_with_them(void **state)
{
	static const char wire[] = "Ab: 1\r\nConnection: Long\r\nlong: 2\r\nAbc: 3\r\n";
	struct fields fields = {0};
	size_t most = 2;

	assert_int_equal(fields_from_wire(&fields, wire, strlen(wire)), 0);
	hop_fields_remove(&fields, is_short, &most);
	assert_int_equal(fields.len, strlen("Abc: 3\r\n"));
	assert_memory_equal(fields.wire, "Abc: 3\r\n", fields.len);
	fields_fini(&fields);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_are_removed),
		cmocka_unit_test(others_may_go_with_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
