/* Tests of common/fields.c. */
#include "common/http/fields.h"

#include "common/text.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* The list is this text, and a walk over it gives the same lines. */
static void
check_wire(const struct fields *fields, const char *expected)
{
	struct text walked = {0};

	assert_int_equal(fields->len, strlen(expected));
	if (fields->len > 0)
		assert_memory_equal(fields->wire, expected, fields->len);
	text_add(&walked, "", 0);
	fields_for_each(field, fields) {
		text_add(&walked, field.name, field.name_len);
		text_add_string(&walked, ": ");
		text_add(&walked, field.value, field.value_len);
		text_add_string(&walked, "\r\n");
	}
	assert_string_equal(walked.data, expected);
	text_fini(&walked);
}

static void
test_empty(void **state)
{
	struct fields fields = {0}, copy;
	struct field field;

	check_wire(&fields, "");
	assert_false(fields_find(&fields, "Host", &field));
	assert_null(fields_dup_value(&fields, "Host"));
	fields_remove(&fields, "Host");
	fields_copy(&copy, &fields);
	check_wire(&copy, "");
	fields_fini(&copy);
	fields_fini(&fields);
	fields_fini(&fields);
}

static void
test_add(void **state)
{
	static const struct {
		const char *name, *value;
		const char *line; /* NULL: refused */
	} cases[] = {
		{"Host", "example.com", "Host: example.com\r\n"},
		{"X", "", "X: \r\n"},
		{"X", " \t ", "X: \r\n"},
		{"X", " a b\t", "X: a b\r\n"},
		{"X", "a\tb", "X: a\tb\r\n"},
		{"X", "a: b:c", "X: a: b:c\r\n"},
		{"!#$%&'*+-.^_`|~09azAZ", "1", "!#$%&'*+-.^_`|~09azAZ: 1\r\n"},
		{"X", "\xc3\xa9\xff", "X: \xc3\xa9\xff\r\n"},
		{"", "a", NULL},
		{"X Y", "a", NULL},
		{"X:", "a", NULL},
		{" X", "a", NULL},
		{"X\r\nY", "a", NULL},
		{"X\xe9", "a", NULL},
		{"X", "a\r\nSet-Cookie: b", NULL},
		{"X", "a\nb", NULL},
		{"X", "a\rb", NULL},
		{"X", "\r\n", NULL},
		{"X", "a\x7f", NULL},
		{"X", "\x01", NULL},
		{"X", "a\x1b[2J", NULL},
	};
	struct text expected = {0};
	struct fields fields = {0};

	text_add(&expected, "", 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int rc = fields_add(&fields, cases[i].name, cases[i].value);

		assert_int_equal(rc, cases[i].line ? 0 : -EINVAL);
		text_add_string(&expected, cases[i].line ? cases[i].line : "");
		check_wire(&fields, expected.data);
	}
	assert_int_equal(fields_add_bytes(&fields, "X", 1, "a\0b", 3), -EINVAL);
	assert_int_equal(fields_add_bytes(&fields, "X\0", 2, "a", 1), -EINVAL);
	assert_int_equal(fields_add_bytes(&fields, "Xxx", 1, " abc ", 4), 0);
	text_add_string(&expected, "X: abc\r\n");
	check_wire(&fields, expected.data);
	text_fini(&expected);
	fields_fini(&fields);
}

static void
test_put(void **state)
{
	struct fields fields = {0};

	fields_put(&fields, "A", "b");
	fields_putf(&fields, "Content-Length", "%d", 42);
	fields_putf(&fields, "Empty", "%s", "");
	check_wire(&fields, "A: b\r\nContent-Length: 42\r\nEmpty: \r\n");
	fields_fini(&fields);
}

/* A broken field of our own is a mistake of ours: it never goes out. */
static void
test_put_aborts(void **state)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct fields fields = {0};

		close(STDERR_FILENO);
		fields_put(&fields, "A", "b\r\nC: d");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void
test_find(void **state)
{
	struct fields fields = {0};
	struct field field;
	char *value;

	fields_put(&fields, "Accept", "one");
	fields_put(&fields, "X-Accept", "two");
	fields_put(&fields, "accept", "three");
	fields_put(&fields, "Empty", "");
	assert_true(fields_find(&fields, "ACCEPT", &field));
	assert_int_equal(field.name_len, 6);
	assert_memory_equal(field.name, "Accept", 6);
	assert_int_equal(field.value_len, 3);
	assert_memory_equal(field.value, "one", 3);
	assert_false(fields_find(&fields, "Accep", &field));
	assert_false(fields_find(&fields, "Accept-", &field));
	assert_false(fields_find(&fields, "one", &field));
	assert_false(fields_find(&fields, "", &field));
	value = fields_dup_value(&fields, "x-accept");
	assert_string_equal(value, "two");
	free(value);
	value = fields_dup_value(&fields, "empty");
	assert_string_equal(value, "");
	free(value);
	assert_null(fields_dup_value(&fields, "none"));
	fields_fini(&fields);
}

static void
test_remove(void **state)
{
	static const struct {
		const char *name, *left;
	} cases[] = {
		{"A", "B: 2\r\nb: 4\r\nC: 5\r\n"},
		{"b", "A: 1\r\na: 3\r\nC: 5\r\n"},
		{"c", "A: 1\r\nB: 2\r\na: 3\r\nb: 4\r\n"},
		{"D", "A: 1\r\nB: 2\r\na: 3\r\nb: 4\r\nC: 5\r\n"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fields fields = {0};

		fields_put(&fields, "A", "1");
		fields_put(&fields, "B", "2");
		fields_put(&fields, "a", "3");
		fields_put(&fields, "b", "4");
		fields_put(&fields, "C", "5");
		fields_remove(&fields, cases[i].name);
		check_wire(&fields, cases[i].left);
		fields_remove(&fields, "a");
		fields_remove(&fields, "B");
		fields_remove(&fields, "C");
		check_wire(&fields, "");
		fields_put(&fields, "E", "again");
		check_wire(&fields, "E: again\r\n");
		fields_fini(&fields);
	}
}

static void
test_copy(void **state)
{
	struct fields fields = {0}, copy;

	fields_put(&fields, "A", "1");
	fields_copy(&copy, &fields);
	fields_put(&fields, "B", "2");
	fields_put(&copy, "C", "3");
	check_wire(&fields, "A: 1\r\nB: 2\r\n");
	check_wire(&copy, "A: 1\r\nC: 3\r\n");
	fields_fini(&fields);
	check_wire(&copy, "A: 1\r\nC: 3\r\n");
	fields_fini(&copy);
}

static void
test_many(void **state)
{
	struct text expected = {0};
	struct fields fields = {0};

	for (int i = 0; i < 500; i++) {
		char *name = xasprintf("Name-%d", i), *value = xasprintf("%*d", i, i);

		assert_int_equal(fields_add(&fields, name, value), 0);
		text_addf(&expected, "%s: %d\r\n", name, i);
		free(name);
		free(value);
	}
	check_wire(&fields, expected.data);
	text_fini(&expected);
	fields_fini(&fields);
}

static void
test_from_wire(void **state)
{
	static const struct {
		const char *wire;
		bool is_good;
	} cases[] = {
		{"", true},
		{"A: 1\r\n", true},
		{"A: \r\n", true},
		{"A: 1\r\nB: x: y\r\nA: 2\r\n", true},
		{"A: 1", false},
		{"A: 1\r", false},
		{"A: 1\n", false},
		{"A: 1\r\n\r\n", false},
		{"A: 1\r\nB", false},
		{"A: 1\r\nB:", false},
		{"A: 1\r\nB: ", false},
		{"A:1\r\n", false},
		{"A:\r\n", false},
		{"A\r\n", false},
		{"A\r\n: 1\r\n", false},
		{": 1\r\n", false},
		{"A B: 1\r\n", false},
		{"A: 1\r\n folded\r\n", false},
		{"A: 1\rB: 2\r\n", false},
		{"A: 1\r\r\n", false},
		{"A: \x01\r\n", false},
		{"\r\n", false},
		{":", false},
		{"A: 1\r\nB\n: 2\r\n", false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t len = strlen(cases[i].wire);
		char *wire = malloc(len + !len); /* without a NUL: nothing beyond len is read */
		struct fields fields = {.len = 12345};

		memcpy(wire, cases[i].wire, len);
		int rc = fields_from_wire(&fields, wire, len);
		free(wire);
		assert_int_equal(rc, cases[i].is_good ? 0 : -EINVAL);
		if (rc < 0) {
			assert_int_equal(fields.len, 12345);
			continue;
		}
		check_wire(&fields, cases[i].wire);
		fields_fini(&fields);
	}
}

static void
test_trim(void **state)
{
	struct fields fields = {0};

	(void)state;
	fields_trim(&fields);
	assert_int_equal(fields.size, 0);
	fields_put(&fields, "A", "1");
	fields_trim(&fields);
	assert_int_equal(fields.size, fields.len);
	fields_put(&fields, "B", "2");
	check_wire(&fields, "A: 1\r\nB: 2\r\n");
	fields_fini(&fields);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_put_aborts),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_from_wire),
		cmocka_unit_test(test_trim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
