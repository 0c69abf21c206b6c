/* Tests of server/config.c: the configuration as a whole. */
#include "config/config.h"

#include <errno.h>
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
#include "styles/style_table.h"
#include "tests/unit/server/config/config_cases.h"

#define ROUTES "\"routes\": []"

static const struct config_case cases[] = {
	{"{" ROUTES "}", ""},
	{"{\"routes\": [], // to the end of the line\n/* and\nthat */ \"workers\": 1}", ""},
	{"{}", "/routes: is missing\n"},
	{"{\"rutes\": []}", "/rutes: unknown member (did you mean \"routes\"?)\n"},
	{"{\"routes\": {}}", "/routes: an object is not a list\n"},
	{"{\"routes\": null}", "/routes: null is not a list\n"},
	{"{\"public_url\": \"api.example.com\", " ROUTES "}",
		"/public_url: \"api.example.com\" is not a URL: http or https with a host, without user, "
		"query "
		"and "
		"fragment\n"},
	{"{\"state\": \"\", " ROUTES "}", "/state: \"\" is empty\n"},
	{"{\"state\": false, " ROUTES "}", "/state: false is not a string\n"},
	{"{\"workers\": 0, \"capacity\": 10000001, " ROUTES "}",
		"/workers: 0 is not between 1 and 10000\n"
		"/capacity: 10000001 is not between 1 and 10000000\n"},
	{"{\"queue_timeout\": \"0s\", \"run_timeout\": \"31d\", \"keep\": \"366d\", \"keep_timed_out\": "
	 "\"0ms\","
	 " \"keep_tombstone\": \"366d\", \"wait_max\": \"25h\", \"validation_wait\": \"2h\", \"stop_grace\": "
	 "\"61m\", \"drain_timeout\": "
	 "\"25h\","
	 " \"header_timeout\": \"9ms\", \"idle_timeout\": \"0s\", \"max_body\": \"17GiB\", \"max_result\": "
	 "0, \"max_header\": \"121KiB\", \"max_header_fields\": 9, " ROUTES "}",
		"/queue_timeout: \"0s\" is not between 1ms and 30d\n"
		"/run_timeout: \"31d\" is not between 1ms and 30d\n"
		"/keep: \"366d\" is not between 1ms and 365d\n"
		"/keep_timed_out: \"0ms\" is not between 1ms and 365d\n"
		"/keep_tombstone: \"366d\" is not between 0s and 365d\n"
		"/wait_max: \"25h\" is not between 0s and 1d\n"
		"/validation_wait: \"2h\" is not between 0s and 1h\n"
		"/stop_grace: \"61m\" is not between 0s and 1h\n"
		"/drain_timeout: \"25h\" is not between 0s and 1d\n"
		"/header_timeout: \"9ms\" is not between 10ms and 1h\n"
		"/idle_timeout: \"0s\" is not between 10ms and 1d\n"
		"/max_header: \"121KiB\" is not between 1KiB and 120KiB\n"
		"/max_header_fields: 9 is not between 10 and 1000\n"
		"/max_body: \"17GiB\" is not between 0B and 16GiB\n"
		"/max_result: 0 is not between 1B and 64GiB\n"},
};

static void
test_cases(void **state)
{
	config_cases_check(cases, sizeof cases / sizeof *cases);
}

static void
test_too_many_routes(void **state)
{
	struct text json = {0};

	text_add_string(&json, "{\"routes\": [0");
	for (int i = 0; i < CONFIG_ROUTES_MAX; i++)
		text_add_string(&json, ",0");
	text_add_string(&json, "]}");
	struct config_case one = {json.data, "/routes: 10001 routes are more than 10000\n"};
	config_cases_check(&one, 1);
	text_fini(&json);
}

static void
test_defaults(void **state)
{
	struct config *config = config_cases_load("{" ROUTES "}");

	assert_int_equal(config->listen_count, 1);
	assert_string_equal(config->listen[0].address, "127.0.0.1:8580");
	assert_null(config->listen[0].tls_certificate);
	assert_null(config->admin.address);
	assert_null(config->public_url);
	assert_string_equal(config->state, "/var/lib/deferd/deferd.db");
	assert_int_equal(config->workers, 16);
	assert_int_equal(config->capacity, 1000);
	assert_int_equal(config->queue_timeout_ms, 0);
	assert_int_equal(config->run_timeout_ms, 3600000);
	assert_int_equal(config->keep_ms, 0);
	assert_int_equal(config->keep_timed_out_ms, 3600000);
	assert_int_equal(config->keep_tombstone_ms, 86400000);
	assert_int_equal(config->wait_max_ms, 50000);
	assert_int_equal(config->validation_wait_ms, 5000);
	assert_int_equal(config->stop_grace_ms, 5000);
	assert_int_equal(config->drain_timeout_ms, 30000);
	assert_int_equal(config->header_timeout_ms, 30000);
	assert_int_equal(config->idle_timeout_ms, 75000);
	assert_int_equal(config->max_header_bytes, 32 << 10);
	assert_int_equal(config->max_header_fields, 200);
	assert_int_equal(config->max_body_bytes, 8 << 20);
	assert_int_equal(config->max_result_bytes, 64 << 20);
	assert_false(config->has_auth);
	assert_null(config->auth_basic);
	assert_int_equal(config->route_count, 0);
	config_free(config);
}

static void
test_everything(void **state)
{
	struct config *config = config_cases_load(
		"{\"routes\": [], \"listen\": [\"0.0.0.0:80\", {\"address\": \"[::]:443\", \"tls\": "
		"{\"certificate\":"
		" \"tokens\", \"key\": \"./tokens\", \"client_ca\": \"tokens\"}}],"
		" \"admin\": {\"listen\": {\"address\": \"localhost:1\"}}, \"public_url\": \"https://h/x/\","
		" \"state\": \"a.db\", \"workers\": 2, \"capacity\": 3, \"queue_timeout\": \"4ms\","
		" \"run_timeout\": \"5ms\", \"keep\": \"6ms\", \"keep_timed_out\": \"7ms\", "
		"\"keep_tombstone\": \"8ms\","
		" \"wait_max\": \"9ms\", \"validation_wait\": \"13ms\", \"stop_grace\": \"10ms\", "
		"\"drain_timeout\": \"11ms\","
		" \"header_timeout\": \"12ms\", \"idle_timeout\": \"13ms\", \"max_body\": 14, "
		"\"max_result\": 15, \"max_header\": 1600, \"max_header_fields\": 17,"
		" \"auth\": {\"basic\": \"tokens\", \"bearer\": \"tokens\", \"admins\": [\"su\"]}}");

	assert_int_equal(config->listen_count, 2);
	assert_string_equal(config->listen[0].address, "0.0.0.0:80");
	assert_string_equal(config->listen[1].address, "[::]:443");
	assert_non_null(strstr(config->listen[1].tls_certificate, "/config/tokens"));
	assert_int_equal(*config->listen[1].tls_key, '/');
	assert_int_equal(*config->listen[1].tls_client_ca, '/');
	assert_string_equal(config->admin.address, "localhost:1");
	assert_string_equal(config->public_url, "https://h/x");
	assert_int_equal(*config->state, '/');
	assert_non_null(strstr(config->state, "/config/a.db"));
	assert_int_equal(config->workers, 2);
	assert_int_equal(config->capacity, 3);
	assert_int_equal(config->queue_timeout_ms, 4);
	assert_int_equal(config->run_timeout_ms, 5);
	assert_int_equal(config->keep_ms, 6);
	assert_int_equal(config->keep_timed_out_ms, 7);
	assert_int_equal(config->keep_tombstone_ms, 8);
	assert_int_equal(config->wait_max_ms, 9);
	assert_int_equal(config->validation_wait_ms, 13);
	assert_int_equal(config->stop_grace_ms, 10);
	assert_int_equal(config->drain_timeout_ms, 11);
	assert_int_equal(config->header_timeout_ms, 12);
	assert_int_equal(config->idle_timeout_ms, 13);
	assert_int_equal(config->max_body_bytes, 14);
	assert_int_equal(config->max_result_bytes, 15);
	assert_int_equal(config->max_header_bytes, 1600);
	assert_int_equal(config->max_header_fields, 17);
	assert_true(config->has_auth);
	assert_non_null(strstr(config->auth_basic, "/config/tokens"));
	assert_non_null(strstr(config->auth_bearer, "/config/tokens"));
	assert_string_equal(config->auth_admins[0], "su");
	assert_null(config->auth_admins[1]);
	config_free(config);
}

static void
test_memory(void **state)
{
	struct config *config = config_cases_load("{\"state\": \"memory\", " ROUTES "}");

	assert_null(config->state);
	config_free(config);
	config_free(NULL);
}

/* Routes inherit what the server says, wherever it says it. */
static void
test_order(void **state)
{
	struct config *config = config_cases_load("{\"routes\": [{\"path\": \"/\", \"program\": {\"argv\":"
						  " [\"/bin/true\"]}}], \"keep\": \"77s\"}");

	assert_int_equal(config->routes[0].keep_ms, 77000);
	config_free(config);
}

/* The example that every kind of work, every style and a nested collection is in. */
static void
test_example(void **state)
{
	struct config *config = config_cases_load(
		"{\n"
		"  \"listen\": \"127.0.0.1:8580\",            // or a list\n"
		"  \"admin\": { \"listen\": \"127.0.0.1:8581\" },\n"
		"  \"auth\": { \"bearer\": \"tokens\", \"admins\": [\"su\"] },\n"
		"  \"routes\": [\n"
		"    { \"path\": \"/thumbnails/{size}\", \"methods\": [\"POST\"], \"program\": { \"argv\": "
		"[\"/bin/cat\", \"-\","
		" \"{size}\", \"png:-\"], \"response_type\": \"image/png\" }, \"concurrency\": 2, \"queue\": "
		"100,"
		" \"rerun\": true },\n"
		"    { \"path\": \"/v1/servicing/heldTicket/quote\", \"methods\": [\"POST\"], \"style\": "
		"\"token\","
		" \"upstream\": { \"url\": \"http://127.0.0.1:9000\" } },\n"
		"    { \"path\": \"/v1/cloudAccounts\", \"style\": \"status\", \"collection\": { \"name\":"
		" \"cloudAccounts\", \"schema\": \"good.schema.json\" } },\n"
		"    { \"path\": \"/v2/zones\", \"style\": \"resource\", \"collection\": { \"name\": "
		"\"zones\", \"schema\":"
		" \"good.schema.json\", \"unique\": [\"name\"], \"on_change\": { \"program\": { \"argv\":"
		" [\"/bin/true\"] } } } },\n"
		"    { \"path\": \"/v2/zones/{zone_id}/recordsets\", \"style\": \"resource\", "
		"\"collection\": { \"name\":"
		" \"recordsets\", \"parent\": \"zones\" } },\n"
		"    { \"path\": \"/admin/v1/users\", \"base_path\": \"/bc/rest\", \"collection\": { "
		"\"name\": \"users\","
		" \"schema\": \"good.schema.json\", \"envelope\": [\"data\", \"attributes\"] } }\n"
		"  ]\n"
		"}\n");

	assert_int_equal(config->route_count, 6);
	config_free(config);
}

static size_t
count_lines(const char *lines)
{
	size_t count = 0;

	for (; *lines; lines++)
		count += *lines == '\n';
	return count;
}

static void
test_ten_mistakes(void **state)
{
	struct config *config = NULL;
	struct text lines = {0};

	assert_int_equal(config_read(TEST_DATA "/ten_mistakes.json", style_table, &config, &lines), -EINVAL);
	assert_null(config);
	assert_string_equal(lines.data,
		"/workers: \"many\" is not a whole number\n"
		"/capacity: 0 is not between 1 and 10000000\n"
		"/max_body: \"8MB\" is not a size such as \"64KiB\" or \"10MiB\"\n"
		"/routes/0/queu: unknown member (did you mean \"queue\"?)\n"
		"/routes/1/path: \"/jobs/{id}/../x\" has a dot segment\n"
		"/routes/2/queue_timeout: \"30x\" is not a time such as \"30s\", \"5m\" or \"1h\"\n"
		"/routes/3/program/argv/0: \"/usr/bin/nothing-of-that-name\" cannot be run: No such file or "
		"directory\n"
		"/routes/4/program/argv/1: {cuont} is neither in the path nor in \"query\" (did you mean "
		"{count}?)\n"
		"/listen/1: \"0.0.0.0:8580\" is neither loopback nor a unix socket: this needs \"auth\"\n"
		"/routes/5/path: POST /echo is already taken by /routes/0\n");
	assert_int_equal(count_lines(lines.data), 10);
	text_fini(&lines);
}

/* What config_read answers to a file with json; the file's name is F in lines. */
static int
read_file(const char *json, size_t len, struct config **ret_config, char **ret_lines)
{
	char path[] = P_tmpdir "/deferd-test-XXXXXX";
	int fd = mkstemp(path);
	struct text lines = {0};

	assert_true(fd >= 0);
	assert_int_equal(write(fd, json, len), (ssize_t)len);
	close(fd);
	int error = config_read(path, style_table, ret_config, &lines);
	unlink(path);
	char *all = text_take(&lines);
	*ret_lines =
		strncmp(all, path, strlen(path)) == 0 ? xasprintf("F%s", all + strlen(path)) : xstrdup(all);
	free(all);
	return error;
}

struct file_case {
	const char *json;
	const char *lines;
};

static void
test_read(void **state)
{
	static const struct file_case files[] = {
		{"", "F:1:1: unexpected end\n"},
		{"{\n  \"routes\" []\n}\n", "F:2:12: unexpected character\n"},
		{"{\"routes\": [],\n\"workers\": 1,\n\"workers\": 2}", "F:3:1: repeated member\n"},
		{"[]", "F: an array is not an object\n"},
		{"null", "F: null is not an object\n"},
		{"{\"routes\": []} {}", "F:1:16: unexpected character\n"},
	};
	struct config *config = NULL;
	char *lines;

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		assert_int_equal(read_file(files[i].json, strlen(files[i].json), &config, &lines), -EINVAL);
		assert_string_equal(lines, files[i].lines);
		assert_null(config);
		free(lines);
	}
	assert_int_equal(read_file("{\"routes\": []}", 14, &config, &lines), 0);
	assert_string_equal(lines, "");
	assert_non_null(config);
	config_free(config);
	free(lines);
}

static void
test_unreadable(void **state)
{
	struct config *config = NULL;
	struct text lines = {0};

	assert_int_equal(config_read("/nowhere/deferd.json", style_table, &config, &lines), -EINVAL);
	assert_string_equal(lines.data, "/nowhere/deferd.json: cannot be read: No such file or directory\n");
	text_clear(&lines);
	assert_int_equal(config_read("/", style_table, &config, &lines), -EINVAL);
	assert_string_equal(lines.data, "/: cannot be read: Is a directory\n");
	text_clear(&lines);
	assert_int_equal(config_read("", style_table, &config, &lines), -EINVAL);
	assert_string_equal(lines.data, ": cannot be read: No such file or directory\n");
	assert_null(config);
	text_fini(&lines);
}

/* Every setting has a meaning, and the description of each is three lines. */
static void
test_describe(void **state)
{
	static const char *const some[] = {"listen\n", "listen.tls.certificate\n", "admin.listen\n",
		"workers\n", "auth.basic\n", "routes\n", "routes[].path\n", "routes[].program.argv\n",
		"routes[].upstream.url\n", "routes[].collection.on_change.program.argv\n"};
	struct text text = {0};

	config_describe(style_table, &text);
	for (size_t i = 0; i < sizeof some / sizeof *some; i++)
		if (!strstr(text.data, some[i]))
			fail_msg("%s is missing", some[i]);
	assert_non_null(strstr(text.data, "workers\n    whole number, 1 to 10000; default: 16\n    "));
	assert_non_null(
		strstr(text.data, "routes[].queue_timeout\n    time, 1ms to 30d; default: the server's\n"));
	assert_null(strstr(text.data, "(null)"));
	assert_int_equal(count_lines(text.data) % 3, 0);
	text_fini(&text);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_too_many_routes),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_ten_mistakes),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_describe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
