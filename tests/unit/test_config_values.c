/* Tests of server/config_values.c, server/config_address.c and server/config_files.c. */
#include "config_values.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config_cases.h"
#include "config_files.h"
#include "config_parts.h"

typedef char *(*convert_fn)(struct settings *settings, const char *string);

struct value_case {
	const char *string;
	const char *kept; /* NULL: it is a mistake */
	const char *line; /* the end of what is told of one; NULL: not looked at */
};

static void
check(convert_fn convert, const char *directory, const struct value_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct settings settings = {.mistakes.file = "F", .directory = xstrdup(directory)};
		char *kept = convert(&settings, cases[i].string);
		if ((kept == NULL) != (cases[i].kept == NULL) || (kept && strcmp(kept, cases[i].kept) != 0))
			fail_msg("%s: kept %s", cases[i].string, kept ? kept : "nothing");
		if (settings.mistakes.count != (kept ? 0 : 1))
			fail_msg("%s: %zu lines", cases[i].string, settings.mistakes.count);
		if (cases[i].line && !strstr(settings.mistakes.lines.data, cases[i].line))
			fail_msg("%s: %s", cases[i].string, settings.mistakes.lines.data);
		free(kept);
		config_end(&settings);
	}
}

#define CHECK(convert, cases) check(convert, "/etc/deferd", cases, sizeof cases / sizeof *cases)

static void
test_addresses(void **state)
{
	static const struct value_case cases[] = {
		{"127.0.0.1:8580", "127.0.0.1:8580", NULL},
		{"0.0.0.0:0", "0.0.0.0:0", NULL},
		{"127.0.0.1:65535", "127.0.0.1:65535", NULL},
		{"[::]:8580", "[::]:8580", NULL},
		{"[::1]:8580", "[::1]:8580", NULL},
		{"[::ffff:127.0.0.1]:1", "[::ffff:127.0.0.1]:1", NULL},
		{"[0000:0000:0000:0000:0000:ffff:192.168.100.100]:1",
			"[0000:0000:0000:0000:0000:ffff:192.168.100.100]:1", NULL},
		{"localhost:0", "localhost:0", NULL},
		{"unix:/run/deferd.sock", "unix:/run/deferd.sock", NULL},
		{"unix:deferd.sock", "unix:/etc/deferd/deferd.sock", NULL},
		{"unix:", NULL, "has no path"},
		{"unix:/run/"
		 "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"
		 "89012345678901",
			"unix:/run/"
			"012345678901234567890123456789012345678901234567890123456789012345678901234567890123"
			"456789"
			"012345678901",
			NULL},
		{"unix:/run/"
		 "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"
		 "890123456789012",
			NULL, "is too long a path for a socket"},
		{"127.0.0.1", NULL, "is no address"},
		{"127.0.0.1:", NULL, NULL},
		{"127.0.0.1:http", NULL, NULL},
		{"127.0.0.1:-1", NULL, NULL},
		{"127.0.0.1:+1", NULL, NULL},
		{"127.0.0.1: 1", NULL, NULL},
		{"127.0.0.1:65536", NULL, NULL},
		{"127.0.0.1:99999999999999999999", NULL, NULL},
		{"127.0.0.256:1", NULL, NULL},
		{"127.1:1", NULL, NULL},
		{":8580", NULL, NULL},
		{"*:8580", NULL, NULL},
		{"8580", NULL, NULL},
		{"::1:8580", NULL, NULL},
		{"[::1]", NULL, NULL},
		{"[::1:8580", NULL, NULL},
		{"[]:8580", NULL, NULL},
		{"[:8580", NULL, NULL},
		{"]:8580", NULL, NULL},
		{"[::1%lo]:8580", NULL, NULL},
		{"[127.0.0.1]:8580", NULL, NULL},
		{"Localhost:80", NULL, NULL},
		{"example.com:80", NULL, NULL},
		{"http://127.0.0.1:80", NULL, NULL},
		{":", NULL, NULL},
		{"0123456789012345678901234567890123456789012345678901234567890123456789:1", NULL, NULL},
	};

	CHECK(config_convert_address, cases);
}

static void
test_local_addresses(void **state)
{
	static const char *const local[] = {"127.0.0.1:1", "127.255.255.254:1", "[::1]:1", "localhost:1",
		"unix:/run/x", "[::ffff:127.0.0.1]:1"};
	static const char *const other[] = {"0.0.0.0:1", "[::]:1", "192.168.0.1:1", "128.0.0.1:1",
		"126.255.255.255:1", "[::2]:1", "[::127.0.0.1]:1", "[::ffff:128.0.0.1]:1", "[fe80::1]:1"};

	for (size_t i = 0; i < sizeof local / sizeof *local; i++)
		assert_true(config_address_is_local(local[i]));
	for (size_t i = 0; i < sizeof other / sizeof *other; i++)
		assert_false(config_address_is_local(other[i]));
	assert_true(config_address_is_any_port("127.0.0.1:0"));
	assert_true(config_address_is_any_port("[::1]:00"));
	assert_false(config_address_is_any_port("127.0.0.1:10"));
	assert_false(config_address_is_any_port("unix:/a:0"));
}

static void
test_urls(void **state)
{
	static const struct value_case cases[] = {
		{"http://127.0.0.1:9000", "http://127.0.0.1:9000", NULL},
		{"https://api.example.com", "https://api.example.com", NULL},
		{"HTTPS://api.example.com", "HTTPS://api.example.com", NULL},
		{"http://h/", "http://h", NULL},
		{"http://h/base///", "http://h/base", NULL},
		{"http://[::1]:80/a/b", "http://[::1]:80/a/b", NULL},
		{"http://h/a%20b", "http://h/a%20b", NULL},
		{"http://", NULL, "is no URL"},
		{"http:///", NULL, NULL},
		{"http:///a", NULL, NULL},
		{"http:/h", NULL, NULL},
		{"http:h", NULL, NULL},
		{"h", NULL, NULL},
		{"//h", NULL, NULL},
		{"://h", NULL, NULL},
		{"ftp://h", NULL, NULL},
		{"file:///etc/passwd", NULL, NULL},
		{"xhttp://h", NULL, NULL},
		{" http://h", NULL, NULL},
		{"http://h/a b", NULL, NULL},
		{"http://h\n", NULL, NULL},
		{"http://h/\xc3\xa4", NULL, NULL},
		{"http://user@h", NULL, NULL},
		{"http://user:password@h", NULL, NULL},
		{"http://@h", NULL, NULL},
		{"http://h?a=b", NULL, NULL},
		{"http://h?", NULL, NULL},
		{"http://h#a", NULL, NULL},
		{"http://h:99999", NULL, NULL},
		{"http://h:x", NULL, NULL},
		{"http://[::1", NULL, NULL},
		{"http://h\\a", NULL, NULL},
		{"http://h/{a}", NULL, NULL},
	};

	CHECK(config_convert_url, cases);
}

static void
test_paths_of_routes(void **state)
{
	static const struct value_case patterns[] = {
		{"/a/{b}/{c...}", "/a/{b}/{c...}", NULL},
		{"a", NULL, "\"a\" does not begin with a slash"},
	};
	static const struct value_case bases[] = {
		{"", "", NULL},
		{"/bc/rest", "/bc/rest", NULL},
		{"/", NULL, "ends with a slash"},
		{"/bc/", NULL, "ends with a slash"},
		{"bc", NULL, "does not begin with a slash"},
		{"/{a}", NULL, "has a parameter"},
		{"/a?b", NULL, "has a query"},
	};

	CHECK(config_convert_pattern, patterns);
	CHECK(config_convert_base_path, bases);
}

static void
test_methods(void **state)
{
	static const struct value_case cases[] = {
		{"GET", "GET", NULL},
		{"HEAD", "HEAD", NULL},
		{"POST", "POST", NULL},
		{"PUT", "PUT", NULL},
		{"PATCH", "PATCH", NULL},
		{"DELETE", "DELETE", NULL},
		{"OPTIONS", "OPTIONS", NULL},
		{"post", NULL, "\"post\" is no method (did you mean \"POST\"?)\n"},
		{"PSOT", NULL, "(did you mean \"POST\"?)\n"},
		{"CONNECT", NULL, "\"CONNECT\" is no method\n"},
		{"TRACE", NULL, "is no method"},
		{"*", NULL, "is no method"},
	};

	CHECK(config_convert_method, cases);
}

static void
test_names(void **state)
{
	static const struct value_case query[] = {
		{"page", "page", NULL},
		{"_a9", "_a9", NULL},
		{"Async", "Async", NULL},
		{"async", NULL, "is never seen by the work"},
		{"a-b", NULL, "is no name"},
		{"9", NULL, "is no name"},
		{"{a}", NULL, "is no name"},
	};
	static const struct value_case collections[] = {
		{"cloudAccounts", "cloudAccounts", NULL},
		{"a-b_9", "a-b_9", NULL},
		{"a234567890123456789012345678901234567890123456789012345678901234",
			"a234567890123456789012345678901234567890123456789012345678901234", NULL},
		{"a2345678901234567890123456789012345678901234567890123456789012345", NULL, "is no name"},
		{"9a", NULL, "is no name"},
		{"_a", NULL, NULL},
		{"a b", NULL, NULL},
		{"a/b", NULL, NULL},
		{"\xc3\xa4", NULL, NULL},
	};

	CHECK(config_convert_query_name, query);
	CHECK(config_convert_collection_name, collections);
}

static void
test_media_types(void **state)
{
	static const struct value_case types[] = {
		{"image/png", "image/png", NULL},
		{"application/problem+json", "application/problem+json", NULL},
		{"text/plain; charset=utf-8", "text/plain; charset=utf-8", NULL},
		{"text/plain ;charset=utf-8", "text/plain ;charset=utf-8", NULL},
		{"image", NULL, "is no media type"},
		{"image/", NULL, NULL},
		{"/png", NULL, NULL},
		{"/", NULL, NULL},
		{"image/png/x", NULL, NULL},
		{"image/*", NULL, NULL},
		{"image png", NULL, NULL},
		{"; charset=utf-8", NULL, NULL},
		{"text/plain; a=b\r\nX: y", NULL, NULL},
	};
	static const struct value_case ranges[] = {
		{"image/png", "image/png", NULL},
		{"image/*", "image/*", NULL},
		{"*/*", "*/*", NULL},
		{"*", NULL, "is no media type"},
		{"*/png", NULL, NULL},
		{"image/*png", NULL, NULL},
		{"image/p*", NULL, NULL},
		{"image/**", NULL, NULL},
		{"im*ge/png", NULL, NULL},
		{"image/png; q=1", NULL, NULL},
		{"", NULL, NULL},
	};

	CHECK(config_convert_media_type, types);
	CHECK(config_convert_media_range, ranges);
}

static void
test_plain(void **state)
{
	static const struct value_case cases[] = {
		{"alice", "alice", NULL},
		{"\xc3\xa4 b", "\xc3\xa4 b", NULL},
		{"a\nb", NULL, "has a control character"},
		{"a\x7f", NULL, "has a control character"},
	};

	CHECK(config_convert_plain, cases);
}

static void
test_paths(void **state)
{
	static const struct value_case cases[] = {
		{"/a/b", "/a/b", NULL},
		{"b", "/etc/deferd/b", NULL},
		{"./b", "/etc/deferd/b", NULL},
		{"././b", "/etc/deferd/b", NULL},
		{"../b", "/etc/deferd/../b", NULL},
	};
	static const struct value_case of_root[] = {{"b", "/b", NULL}};

	CHECK(config_convert_path, cases);
	check(config_convert_path, "/", of_root, 1);
}

/* A directory with a file, a program, a file that may not be run, a directory and a FIFO. */
static int
make_files(void **state)
{
	char directory[] = P_tmpdir "/deferd-test-XXXXXX";

	assert_non_null(mkdtemp(directory));
	*state = xstrdup(directory);
	int fd = open(directory, O_RDONLY | O_DIRECTORY);
	assert_true(fd >= 0);
	close(openat(fd, "file", O_CREAT | O_WRONLY, 0600));
	close(openat(fd, "program", O_CREAT | O_WRONLY, 0700));
	assert_int_equal(mkdirat(fd, "directory", 0700), 0);
	assert_int_equal(mkfifoat(fd, "fifo", 0700), 0);
	assert_int_equal(symlinkat("nowhere", fd, "dangling"), 0);
	close(fd);
	return 0;
}

static int
remove_files(void **state)
{
	static const char *const names[] = {"file", "program", "directory", "fifo", "dangling", "."};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char *path = xasprintf("%s/%s", (char *)*state, names[i]);
		remove(path);
		free(path);
	}
	rmdir(*state);
	free(*state);
	return 0;
}

/* What a name in the directory gives: the line's end, NULL if it is kept. */
static void
check_file(convert_fn convert, const char *directory, const char *name, const char *line)
{
	char *path = xasprintf("%s/%s", directory, name + (strncmp(name, "./", 2) == 0 ? 2 : 0));
	struct value_case cases[] = {{name, line ? NULL : path, line}};

	check(convert, directory, cases, 1);
	free(path);
}

static void
test_files(void **state)
{
	check_file(config_convert_file, *state, "file", NULL);
	check_file(config_convert_file, *state, "nothing",
		"F: \"nothing\" cannot be read: No such file or directory\n");
	check_file(config_convert_file, *state, "dangling", "cannot be read: No such file or directory\n");
	check_file(config_convert_file, *state, "directory", "is not a regular file\n");
	check_file(config_convert_file, *state, "fifo", "is not a regular file\n");
	check_file(config_convert_file, *state, "file/x", "cannot be read: Not a directory\n");
}

static void
test_directories(void **state)
{
	check_file(config_convert_directory, *state, "directory", NULL);
	check_file(config_convert_directory, *state, "file", "cannot be entered: Not a directory\n");
	check_file(config_convert_directory, *state, "nothing",
		"cannot be entered: No such file or directory\n");
}

static void
test_programs(void **state)
{
	check_file(config_convert_program, *state, "./program", NULL);
	check_file(
		config_convert_program, *state, "program", "has no slash: a program is given by its path\n");
	check_file(config_convert_program, *state, "./file", "cannot be run: Permission denied\n");
	check_file(config_convert_program, *state, "./directory", "is not a regular file\n");
	check_file(config_convert_program, *state, "./fifo", "is not a regular file\n");
	check_file(config_convert_program, *state, "./nothing", "cannot be run: No such file or directory\n");
}

/* A file that is too large is refused before it is read into memory whole. */
static void
test_large_file(void **state)
{
	struct text text = {0};
	char *path = xasprintf("%s/file", (char *)*state);

	assert_int_equal(truncate(path, CONFIG_FILE_MAX_BYTES), 0);
	assert_int_equal(config_read_file(path, &text), 0);
	assert_int_equal(text.len, CONFIG_FILE_MAX_BYTES);
	text_clear(&text);
	assert_int_equal(truncate(path, CONFIG_FILE_MAX_BYTES + 1), 0);
	assert_int_equal(config_read_file(path, &text), -EFBIG);
	assert_int_equal(text.len, 0);
	assert_int_equal(config_read_file("/nowhere/at/all", &text), -ENOENT);
	assert_int_equal(config_read_file("/", &text), -EISDIR);
	text_fini(&text);
	free(path);
}

static void
check_schema(const char *json, const char *schema, const char *line)
{
	struct settings settings;
	struct json_object *value = json_tokener_parse(json);

	config_begin(&settings, TEST_DATA "/config/deferd.json");
	struct json_object *kept = config_read_schema(&settings, value);
	json_object_put(value);
	assert_int_equal(settings.mistakes.count, line ? 1 : 0);
	if (line)
		assert_non_null(strstr(settings.mistakes.lines.data, line));
	if (schema)
		assert_string_equal(json_object_to_json_string_ext(kept, JSON_C_TO_STRING_PLAIN), schema);
	else
		assert_null(kept);
	json_object_put(kept);
	config_end(&settings);
}

static void
test_schemas(void **state)
{
	check_schema("{\"type\": \"object\"}", "{\"type\":\"object\"}", NULL);
	check_schema("true", "true", NULL);
	check_schema("false", "false", NULL);
	check_schema("\"good.schema.json\"", "{\"type\":\"object\"}", NULL);
	check_schema("\"\"", NULL, ": \"\" is empty\n");
	check_schema("5", NULL, ": 5 is neither a file nor a schema\n");
	check_schema("null", NULL, ": null is neither a file nor a schema\n");
	check_schema("[]", NULL, ": an array is neither a file nor a schema\n");
	check_schema("\"none.json\"", NULL, ": \"none.json\" cannot be read: No such file or directory\n");
	check_schema("\"list.schema.json\"", NULL,
		": \"list.schema.json\" holds no schema: neither an object nor a boolean\n");
	check_schema(
		"\"broken.schema.json\"", NULL, "/config/broken.schema.json:2:19: unexpected character\n");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_local_addresses),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_paths_of_routes),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_media_types),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_directories),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_large_file),
		cmocka_unit_test(test_schemas),
	};
	return cmocka_run_group_tests(tests, make_files, remove_files);
}
