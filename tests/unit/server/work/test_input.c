/* The input of a call and its text form. */
#include "work/work.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct work_input *
new_input(void)
{
	struct work_input *input = work_input_new();

	assert_int_equal(id_parse("01234567-89ab-4def-8123-456789abcdef", 36, &input->id), 0);
	input->method = xstrdup("POST");
	input->path = xstrdup("/thumb%6eails/a%20b");
	input->query = xstrdup("size=1&x=%ff");
	input->route = xstrdup("/thumbnails/{name}");
	input->principal = xstrdup("alice");
	input->remote_address = xstrdup("");
	input->scheme = xstrdup("https");
	input->authority = xstrdup("example.com:8580");
	input->base = xstrdup("https://api.example.com");
	work_input_add_param(input, "name", "a b");
	work_input_add_param(input, "size", "");
	work_input_add_param(input, "x", "\xff\n1:-\n");
	fields_put(&input->fields, "Host", "example.com:8580");
	fields_put(&input->fields, "X-Empty", "");
	return input;
}

static void
assert_string_same(const char *a, const char *b)
{
	assert_int_equal(a == NULL, b == NULL);
	if (a)
		assert_string_equal(a, b);
}

static void
assert_same(const struct work_input *a, const struct work_input *b)
{
	assert_true(id_equal(&a->id, &b->id));
	assert_string_same(a->method, b->method);
	assert_string_same(a->path, b->path);
	assert_string_same(a->query, b->query);
	assert_string_same(a->route, b->route);
	assert_string_same(a->principal, b->principal);
	assert_string_same(a->remote_address, b->remote_address);
	assert_string_same(a->scheme, b->scheme);
	assert_string_same(a->authority, b->authority);
	assert_string_same(a->base, b->base);
	assert_int_equal(a->unjudged, b->unjudged);
	assert_int_equal(a->param_count, b->param_count);
	for (size_t i = 0; i < a->param_count; i++) {
		assert_string_equal(a->params[i].name, b->params[i].name);
		assert_string_equal(a->params[i].value, b->params[i].value);
	}
	assert_int_equal(a->fields.len, b->fields.len);
	if (a->fields.len > 0)
		assert_memory_equal(a->fields.wire, b->fields.wire, a->fields.len);
}

static void
assert_comes_back(const struct work_input *input)
{
	struct text text = {0};
	struct work_input *again;

	work_input_format(input, &text);
	assert_int_equal(work_input_parse(text.data, text.len, &again), 0);
	assert_same(input, again);
	assert_null(again->body);
	text_fini(&text);
	work_input_free(again);
}

static void
test_comes_back(void **state)
{
	struct work_input *input = new_input();

	assert_comes_back(input);
	free(input->query);
	input->query = NULL;
	free(input->principal);
	input->principal = NULL;
	assert_comes_back(input);
	input->unjudged = true;
	assert_comes_back(input);
	fields_fini(&input->fields);
	assert_comes_back(input);
	work_input_free(input);
	work_input_free(NULL);
}

static void
test_long_values(void **state)
{
	struct work_input *input = new_input();
	struct text value = {0};

	for (int i = 0; i < 100000; i++)
		text_add_char(&value, (char)(1 + i % 255));
	for (int i = 0; i < 50; i++)
		work_input_add_param(input, "p", value.data);
	assert_comes_back(input);
	text_fini(&value);
	work_input_free(input);
}

/* What a caller left out comes back as an empty string, where it may not be NULL. */
static void
test_missing_strings(void **state)
{
	struct work_input *input = work_input_new(), *again;
	struct text text = {0};

	input->method = xstrdup("GET");
	work_input_format(input, &text);
	assert_int_equal(work_input_parse(text.data, text.len, &again), 0);
	assert_string_equal(again->path, "");
	assert_string_equal(again->base, "");
	assert_null(again->query);
	assert_null(again->principal);
	assert_int_equal(again->param_count, 0);
	text_fini(&text);
	work_input_free(input);
	work_input_free(again);
}

static void
test_params(void **state)
{
	struct work_input *input = new_input();

	assert_string_equal(work_input_param(input, "name"), "a b");
	assert_string_equal(work_input_param(input, "size"), "");
	assert_null(work_input_param(input, "nam"));
	assert_null(work_input_param(input, ""));
	work_input_free(input);
}

/* Reads every byte of an input, so that a sanitizer sees one that is not ours, and writes it again. */
static void
assert_well_formed(const struct work_input *input)
{
	struct text text = {0};

	assert_true(text_is_token(input->method, strlen(input->method)));
	assert_non_null(input->path);
	assert_non_null(input->route);
	assert_non_null(input->remote_address);
	assert_non_null(input->scheme);
	assert_non_null(input->authority);
	assert_non_null(input->base);
	fields_for_each(field, &input->fields)
		assert_true(text_is_token(field.name, field.name_len));
	work_input_format(input, &text);
	assert_true(text.len > 0);
	text_fini(&text);
	assert_comes_back(input);
}

/* Parses a copy that ends where its memory does. */
static int
parse_exact(const char *data, size_t len, struct work_input **ret_input)
{
	char *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, data, len);
	int rc = work_input_parse(copy, len, ret_input);
	free(copy);
	return rc;
}

static void
test_every_truncation_fails(void **state)
{
	struct work_input *input = new_input(), *parsed = NULL;
	struct text text = {0};

	work_input_format(input, &text);
	for (size_t len = 0; len < text.len; len++) {
		assert_int_equal(parse_exact(text.data, len, &parsed), -EINVAL);
		assert_null(parsed);
	}
	text_add_char(&text, '\n');
	assert_int_equal(parse_exact(text.data, text.len, &parsed), -EINVAL);
	assert_null(parsed);
	text_fini(&text);
	work_input_free(input);
}

static void
test_every_changed_byte(void **state)
{
	struct work_input *input = new_input();
	struct text text = {0};
	size_t accepted = 0, refused = 0;

	work_input_format(input, &text);
	for (size_t at = 0; at < text.len; at++) {
		char byte = text.data[at];
		for (int change = 1; change < 256; change++) {
			struct work_input *parsed = NULL;
			text.data[at] = (char)(byte ^ change);
			if (parse_exact(text.data, text.len, &parsed) == 0) {
				assert_well_formed(parsed);
				work_input_free(parsed);
				accepted++;
			} else {
				assert_null(parsed);
				refused++;
			}
		}
		text.data[at] = byte;
	}
	/* Both happen: the first line and the lengths are checked, the letters of a path are anybody's. */
	assert_true(accepted > 0);
	assert_true(refused > 0);
	text_fini(&text);
	work_input_free(input);
}

#define HEAD \
	"deferd-input 1\n36:01234567-89ab-4def-8123-456789abcdef\n4:POST\n1:/\n-\n1:/\n-\n0:\n4:http\n1:h\n" \
	"8:http://h\n"

static void
test_hostile(void **state)
{
	static const char *const cases[] = {
		"",
		"deferd-input 2\n",
		"deferd-input 1\n",
		"deferd-input 1\n-\n",
		HEAD,
		HEAD "0:\n",
		HEAD "-\n0\n",
		HEAD "0:\n1\n",
		HEAD "0:\n1\n1:a\n",
		HEAD "0:\n1\n1:a\n-\n",
		HEAD "0:\n18446744073709551615\n",
		HEAD "0:\n99999999999999999999999\n",
		HEAD "0:\n3\n1:a\n1:b\n",
		HEAD "18446744073709551615:\n0\n",
		HEAD "5:a: b\n0\n",
		HEAD "4:a\r\n\n\n0\n",
		HEAD "0:\n-1\n",
		HEAD "0:\n\n",
		HEAD "0:\n0",
		HEAD "0:\n0\n0\n",
	};
	struct work_input *input = NULL;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(parse_exact(cases[i], strlen(cases[i]), &input), -EINVAL);
		assert_null(input);
	}
	/* The frame of the cases is good as such. */
	static const char good[] = HEAD "6:a: b\r\n\n1\n1:a\n0:\n";
	assert_int_equal(parse_exact(good, strlen(good), &input), 0);
	assert_string_equal(work_input_param(input, "a"), "");
	work_input_free(input);
}

/* All of them, some, and none, the longest too. */
static void
test_copied_strings(void **state)
{
	struct work_input *from = new_input();

	(void)state;
	for (int round = 0; round < 4; round++) {
		struct work_input *input = work_input_new();
		work_input_copy_strings(input, from);
		assert_string_same(input->method, from->method);
		assert_string_same(input->path, from->path);
		assert_string_same(input->query, from->query);
		assert_string_same(input->route, from->route);
		assert_string_same(input->principal, from->principal);
		assert_string_same(input->remote_address, from->remote_address);
		assert_string_same(input->scheme, from->scheme);
		assert_string_same(input->authority, from->authority);
		assert_string_same(input->base, from->base);
		assert_true(!from->base || input->base != from->base);
		work_input_free(input);
		char **changed[] = {&from->query, &from->principal, &from->base, &from->path};
		free(*changed[round]);
		*changed[round] = round < 2 ? NULL : xcalloc(10000, 1);
		if (*changed[round])
			memset(*changed[round], 'x', 9999);
	}
	work_input_free(from);
	struct work_input *none = work_input_new(), *input = work_input_new();
	work_input_copy_strings(input, none);
	assert_null(input->method);
	assert_null(input->base);
	work_input_free(input);
	work_input_free(none);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_back),
		cmocka_unit_test(test_long_values),
		cmocka_unit_test(test_missing_strings),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_every_truncation_fails),
		cmocka_unit_test(test_every_changed_byte),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_copied_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
