/* Tests of server/config_files.c. */
#include "config/files.h"

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

#include "config/private.h"
#include "tests/unit/server/config/config_cases.h"

static void
test_paths(void **state)
{
	static const struct config_value_case cases[] = {
		{"/a/b", "/a/b", NULL},
		{"b", "/etc/deferd/b", NULL},
		{"./b", "/etc/deferd/b", NULL},
		{"././b", "/etc/deferd/b", NULL},
		{"../b", "/etc/deferd/../b", NULL},
	};
	static const struct config_value_case of_root[] = {{"b", "/b", NULL}};

	CONFIG_VALUES_CHECK(config_convert_path, cases);
	config_values_check(config_convert_path, "/", of_root, 1);
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
check_file(config_convert_fn convert, const char *directory, const char *name, const char *line)
{
	char *path = xasprintf("%s/%s", directory, name + (strncmp(name, "./", 2) == 0 ? 2 : 0));
	struct config_value_case cases[] = {{name, line ? NULL : path, line}};

	config_values_check(convert, directory, cases, 1);
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

/* The name of a schema's file if it can be read. */
static char *
read_schema_name(struct settings *settings, const char *name)
{
	struct json_object *value = json_object_new_string(name);
	struct json_object *schema = config_read_schema(settings, value);

	json_object_put(value);
	json_object_put(schema);
	return schema ? xstrdup(name) : NULL;
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
	check_file(read_schema_name, *state, "file", "F: \"file\" cannot be read: File too large\n");
	free(path);
}

static void
check_schema(const char *json, const char *schema, const char *line)
{
	struct settings settings;
	struct json_object *value = json_tokener_parse(json);

	config_begin(&settings, TEST_DATA "/config/deferd.json", NULL);
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
		": \"list.schema.json\" is not a schema: it is neither an object nor a boolean\n");
	check_schema(
		"\"broken.schema.json\"", NULL, "/config/broken.schema.json:2:19: unexpected character\n");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_directories),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_large_file),
		cmocka_unit_test(test_schemas),
	};
	return cmocka_run_group_tests(tests, make_files, remove_files);
}
