/* Tests of server/store/write.c: what a write copies, and how it completes. */
#include "tests/unit/server/store/store_place.h"

#include "store/writer/write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct place place;

static int
set_up(void **state)
{
	place_init(&place);
	return 0;
}

static int
tear_down(void **state)
{
	place_fini(&place);
	return 0;
}

/* An operation with every member set, so that a test sees which members a verb reads. */
static struct store_operation
full_operation(void)
{
	struct store_operation operation = place_operation(3), last = place_end(3);

	operation.end = last.end;
	operation.status = last.status;
	operation.fields = last.fields;
	operation.fields_len = last.fields_len;
	operation.detail = last.detail;
	operation.started_ms = 4;
	operation.ended_ms = 5;
	operation.forget_ms = 6;
	operation.pid = 7;
	operation.pid_start_time = 8;
	operation.body = place_blob(10, 1);
	operation.result = place_blob(20, 2);
	return operation;
}

static void
free_blobs(struct store_operation *operation)
{
	blob_unref(operation->body);
	blob_unref(operation->result);
}

static void
test_accept_copies(void **state)
{
	struct store_operation from = full_operation(), wanted = place_operation(3);
	char route[] = "/a/{b}";

	from.route = route;
	struct store_write *write = write_new(STORE_ACCEPT, &from, NULL, NULL);
	memset(route, 'x', sizeof route - 1);
	wanted.route = "/a/{b}";
	assert_string_equal(write->operation.route, wanted.route);
	assert_string_equal(write->operation.principal, wanted.principal);
	assert_string_equal(write->operation.key, wanted.key);
	assert_memory_equal(write->operation.key_digest, wanted.key_digest, sizeof wanted.key_digest);
	assert_memory_equal(write->operation.input, wanted.input, wanted.input_len);
	assert_true(write->operation.input != from.input && write->operation.style != from.style);
	assert_null(write->operation.end);
	assert_null(write->operation.fields);
	assert_null(write->operation.detail);
	assert_null(write->operation.result);
	assert_ptr_equal(write_blob(write), from.body);
	free_blobs(&from);
	assert_int_equal(blob_len(write_blob(write)), 10);
	assert_null(write_complete(write, 0));
}

static void
test_end_copies(void **state)
{
	struct store_operation from = full_operation(), wanted = place_end(3);
	char fields[] = "A: b\r\n";

	from.fields = fields;
	from.fields_len = 6;
	struct store_write *write = write_new(STORE_END, &from, NULL, NULL);
	memset(fields, 'x', sizeof fields - 1);
	wanted.fields = "A: b\r\n";
	wanted.fields_len = 6;
	wanted.started_ms = 4;
	wanted.ended_ms = 5;
	wanted.forget_ms = 6;
	wanted.result = from.result;
	place_assert_same(&write->operation, &wanted);
	assert_ptr_equal(write_blob(write), from.result);
	free_blobs(&from);
	assert_int_equal(blob_len(write_blob(write)), 20);
	assert_null(write_complete(write, 0));
}

static void
test_numbers(void **state)
{
	static const enum store_verb verbs[] = {STORE_BEGIN, STORE_PROCESS, STORE_EXPIRE, STORE_FORGET};

	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		struct store_operation from = full_operation();
		struct store_write *write = write_new(verbs[i], &from, NULL, NULL);
		assert_true(id_equal(&write->operation.id, &from.id));
		assert_int_equal(write->operation.sequence, 3);
		assert_int_equal(write->operation.started_ms, 4);
		assert_int_equal(write->operation.forget_ms, 6);
		assert_int_equal(write->operation.pid, 7);
		assert_int_equal(write->operation.pid_start_time, 8);
		assert_null(write->operation.route);
		assert_null(write->operation.input);
		assert_null(write->operation.end);
		assert_null(write_blob(write));
		assert_null(write_complete(write, 0));
		free_blobs(&from);
	}
}

static void
test_completion(void **state)
{
	struct store_operation operation = place_operation(1);
	unsigned count = 0;
	struct outcome outcome = {.count = &count};

	mailbox_post(place.mailbox,
		write_complete(write_new(STORE_ACCEPT, &operation, outcome_done, &outcome), -ENOSPC));
	assert_int_equal(count, 0);
	mailbox_drain(place.mailbox);
	assert_int_equal(count, 1);
	assert_int_equal(outcome.error, -ENOSPC);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accept_copies),
		cmocka_unit_test(test_end_copies),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_completion),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
