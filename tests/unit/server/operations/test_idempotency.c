/* Tests of server/operations/idempotency.c: how a key is written, and what it finds. */
#include "tests/unit/server/operations/operations_fixture.h"

#include "operations/idempotency.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct op_key *
key_of(struct fixture *f, const char *text, const char *principal, uint8_t request)
{
	uint8_t digest[32] = {request};

	return op_key_new(f->a, principal, text, digest);
}

static void
finds_keys(void **state)
{
	struct fixture *f = *state;
	struct op_key *probe;
	struct op *op;
	bool same;

	assert_int_equal(fixture_try_submit(f, f->a, "/1", true, key_of(f, "k", NULL, 1), &op), OP_TAKEN);
	UNTIL(f->accepted);
	probe = key_of(f, "k", NULL, 1);
	assert_ptr_equal(op_key_find(f->operations, probe, &same), op);
	assert_true(same);
	op_key_free(probe);
	probe = key_of(f, "k", NULL, 2);
	assert_ptr_equal(op_key_find(f->operations, probe, &same), op);
	assert_false(same);
	op_key_free(probe);
	probe = key_of(f, "k", "su", 1);
	assert_null(op_key_find(f->operations, probe, &same));
	op_key_free(probe);
	fixture_open_gate(f, 1);
	UNTIL(op_has_ended(op));
	fixture_pass_time(f, 300000);
	probe = key_of(f, "k", NULL, 1);
	assert_ptr_equal(op_key_find(f->operations, probe, &same), op);
	fixture_pass_time(f, 86400000);
	assert_null(op_key_find(f->operations, probe, &same));
	op_key_free(probe);
}

static void
reads_keys(void **state)
{
	static const struct {
		const char *value, *key;
	} cases[] = {
		{"abc", "abc"},
		{"\"abc\"", "abc"},
		{"\"a\\\"b\\\\\"", "a\"b\\"},
		{"8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"},
		{"\"with blank\"", "with blank"},
		{"with blank", NULL},
		{"\"\"", NULL},
		{"", NULL},
		{"\"abc", NULL},
		{"\"abc\"x", NULL},
		{"\"a\\b\"", NULL},
		{"a\"b", NULL},
		{"a,b", NULL},
		{"a\xc3\xa4", NULL},
	};
	char key[IDEMPOTENCY_KEY_SIZE], longest[300];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int rc = idempotency_key_parse(cases[i].value, key);
		assert_int_equal(rc == 0, cases[i].key != NULL);
		if (cases[i].key)
			assert_string_equal(key, cases[i].key);
	}
	memset(longest, 'x', sizeof longest);
	longest[255] = '\0';
	assert_int_equal(idempotency_key_parse(longest, key), 0);
	longest[255] = 'x';
	longest[256] = '\0';
	assert_true(idempotency_key_parse(longest, key) < 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(finds_keys, fixture_set_up, fixture_tear_down),
		cmocka_unit_test(reads_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
