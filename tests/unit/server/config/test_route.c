/* Tests of server/config_route.c, server/config_collection.c and server/config_program.c. */
#include "config/config.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "style/style.h"
#include "tests/unit/server/config/config_cases.h"

/* The work of a route that is looked at for something else. */
#define TRUE_PROGRAM "\"program\": {\"argv\": [\"/bin/true\"]}"

/* Longer than the words that likeness is looked for in. */
#define LONG "0123456789012345678901234567890123456789012345678901234567890123456789"

static const struct config_case routes[] = {
	{"{\"path\": \"/a\", " TRUE_PROGRAM "}", ""},
	{"1", "/routes/0: 1 is not an object\n"},
	{"null", "/routes/0: null is not an object\n"},
	{"{" TRUE_PROGRAM "}", "/routes/0/path: is missing\n"},
	{"{\"path\": \"a\", " TRUE_PROGRAM "}", "/routes/0/path: \"a\" does not begin with a slash\n"},
	{"{\"path\": 1, " TRUE_PROGRAM "}", "/routes/0/path: 1 is not a string\n"},
	{"{\"path\": \"/a\", \"queu\": 1, " TRUE_PROGRAM "}",
		"/routes/0/queu: unknown member (did you mean \"queue\"?)\n"},
	{"{\"path\": \"/a\", \"queue_timeout\": \"30x\", " TRUE_PROGRAM "}",
		"/routes/0/queue_timeout: \"30x\" is not a time such as \"30s\", \"5m\" or \"1h\"\n"},
	{"{\"path\": \"/a\", \"concurrency\": 0, " TRUE_PROGRAM "}",
		"/routes/0/concurrency: 0 is not between 1 and 10000\n"},
	{"{\"path\": \"/a\", \"queue\": 0, " TRUE_PROGRAM "}", ""},
	{"{\"path\": \"/a\", \"queue\": -1, " TRUE_PROGRAM "}",
		"/routes/0/queue: -1 is not between 0 and 10000000\n"},
	{"{\"path\": \"/a\", \"max_body\": \"8MB\", \"max_result\": 0, " TRUE_PROGRAM "}",
		"/routes/0/max_body: \"8MB\" is not a size such as \"64KiB\" or \"10MiB\"\n"
		"/routes/0/max_result: 0 is not between 1B and 64GiB\n"},
	{"{\"path\": \"/a\", \"keep_tombstone\": \"1h\", " TRUE_PROGRAM "}",
		"/routes/0/keep_tombstone: unknown member\n"},
	{"{\"path\": \"/a\", \"rerun\": 1, \"idempotency\": true, " TRUE_PROGRAM "}",
		"/routes/0/rerun: 1 is neither true nor false\n"
		"/routes/0/idempotency: true is not one of \"optional\", \"required\"\n"},
	{"{\"path\": \"/a\", \"schema\": true, \"assert_formats\": \"yes\", " TRUE_PROGRAM "}",
		"/routes/0/assert_formats: \"yes\" is neither true nor false\n"},
	{"{\"path\": \"/a\", \"schema\": \"none.json\", " TRUE_PROGRAM "}",
		"/routes/0/schema: \"none.json\" cannot be read: No such file or directory\n"},
	{"{\"path\": \"/a\", \"request_types\": [\"image\"], " TRUE_PROGRAM "}",
		"/routes/0/request_types/0: \"image\" is not a media type\n"},
	/* methods */
	{"{\"path\": \"/a\", \"methods\": [\"GET\", \"get\", \"FETCH\", \"GET\"], " TRUE_PROGRAM "}",
		"/routes/0/methods/1: \"get\" is not a method (did you mean \"GET\"?)\n"
		"/routes/0/methods/2: \"FETCH\" is not a method (did you mean \"PATCH\"?)\n"
		"/routes/0/methods/3: \"GET\" is listed twice\n"},
	{"{\"path\": \"/a\", \"methods\": [], " TRUE_PROGRAM "}",
		"/routes/0/methods: 0 elements are not between 1 and 7\n"},
	{"{\"path\": \"/a\", \"methods\": \"POST\", " TRUE_PROGRAM "}",
		"/routes/0/methods: \"POST\" is not a list\n"},
	/* styles */
	{"{\"path\": \"/a\", \"style\": \"status\", " TRUE_PROGRAM "}", ""},
	{"{\"path\": \"/a\", \"style\": \"token\", " TRUE_PROGRAM "}", ""},
	{"{\"path\": \"/a\", \"style\": \"sync\", " TRUE_PROGRAM "}", ""},
	{"{\"path\": \"/a\", \"style\": \"location\", " TRUE_PROGRAM "}",
		"/routes/0/style: \"location\" is not one of \"sync\", \"status\", \"token\", "
		"\"resource\", \"azure\", \"google\", \"prediction\"\n"},
	{"{\"path\": \"/a\", \"style\": \"resource\", " TRUE_PROGRAM "}",
		"/routes/0/style: \"resource\" needs a collection\n"},
	{"{\"path\": \"/a/\", \"style\": \"token\", " TRUE_PROGRAM "}",
		"/routes/0/path: \"/a/\" ends with a slash: style \"token\" could not be polled at "
		"PATH/poll\n"},
	{"{\"path\": \"/a/{rest...}\", \"style\": \"token\", " TRUE_PROGRAM "}",
		"/routes/0/path: \"/a/{rest...}\" ends with {...}: style \"token\" is polled at PATH/poll, "
		"which "
		"{...} matches too\n"},
	/* the kind of work */
	{"{\"path\": \"/a\"}", "/routes/0: has no work: a route needs exactly one of \"program\", "
			       "\"upstream\" and \"collection\"\n"},
	{"{\"path\": \"/a\", \"style\": \"resource\"}", "/routes/0: has no work: a route needs exactly one "
							"of \"program\", \"upstream\" and \"collection\"\n"},
	{"{\"path\": \"/a\", \"progam\": {\"argv\": [\"/bin/true\"]}}",
		"/routes/0/progam: unknown member (did you mean \"program\"?)\n"},
	{"{\"path\": \"/a\", \"upstream\": {\"url\": \"http://h\"}, " TRUE_PROGRAM "}",
		"/routes/0: has more than one kind of work: a route needs exactly one of \"program\", "
		"\"upstream\" and "
		"\"collection\"\n"},
	{"{\"path\": \"/a\", \"program\": []}", "/routes/0/program: an array is not an object\n"},
	/* users */
	{"{\"path\": \"/a\", \"users\": [\"alice\"], " TRUE_PROGRAM "}",
		"/routes/0/users: needs \"auth\": without it callers have no names\n"},
};

static const struct config_case programs[] = {
	{"{\"path\": \"/a\", \"program\": {}}", "/routes/0/program/argv: is missing\n"},
	{"{\"path\": \"/a\", \"program\": {\"args\": []}}",
		"/routes/0/program/args: unknown member (did you mean \"argv\"?)\n"},
	{"{\"path\": \"/a\", \"program\": {\"argv\": \"/bin/true\"}}",
		"/routes/0/program/argv: \"/bin/true\" is not a list\n"},
	{"{\"path\": \"/a\", \"program\": {\"argv\": []}}",
		"/routes/0/program/argv: 0 elements are not between 1 and 1000\n"},
	{"{\"path\": \"/a\", \"program\": {\"argv\": [1, \"x\"]}}",
		"/routes/0/program/argv/0: 1 is not a string\n"},
	{"{\"path\": \"/a\", \"program\": {\"argv\": [null]}}",
		"/routes/0/program/argv/0: null is not a string\n"},
	{"{\"path\": \"/a\", \"program\": {\"argv\": [\"\"]}}",
		"/routes/0/program/argv/0: \"\" has no slash: a program is given by its path\n"},
	{"{\"path\": \"/a\", \"program\": {\"argv\": [\"/bin/true\\u0000x\"]}}",
		"/routes/0/program/argv/0: \"/bin/true\\u0000x\" has a NUL in it\n"},
	{"{\"path\": \"/a\", \"program\": {\"argv\": [\"true\"]}}",
		"/routes/0/program/argv/0: \"true\" has no slash: a program is given by its path\n"},
	{"{\"path\": \"/a\", \"program\": {\"argv\": [\"./program\"]}}", ""},
	{"{\"path\": \"/a\", \"program\": {\"argv\": [\"./nothing\"]}}",
		"/routes/0/program/argv/0: \"./nothing\" cannot be run: No such file or directory\n"},
	{"{\"path\": \"/a\", \"program\": {\"argv\": [\"./tokens\"]}}",
		"/routes/0/program/argv/0: \"./tokens\" cannot be run: Permission denied\n"},
	{"{\"path\": \"/a\", \"program\": {\"argv\": [\"/bin\"]}}",
		"/routes/0/program/argv/0: \"/bin\" is not a regular file\n"},
	{"{\"path\": \"/a\", \"program\": {\"argv\": [\"/bin/true\", \"\", \"/bin/true\", 1, \"x\\u0000\"]}}",
		"/routes/0/program/argv/3: 1 is not a string\n"
		"/routes/0/program/argv/4: \"x\\u0000\" has a NUL in it\n"},
	/* names in arguments */
	{"{\"path\": \"/a/{size}/{rest...}\", \"query\": [\"q\"],"
	 " \"program\": {\"argv\": [\"/bin/true\", \"{size}x{q}\", \"{rest}\", \"{}\", \"{9}\", \"{a b}\", "
	 "\"{\"]}}",
		""},
	{"{\"path\": \"/{a" LONG "}\", \"query\": [\"b" LONG "\"],"
	 " \"program\": {\"argv\": [\"/bin/true\", \"{a" LONG "}\", \"{b" LONG "}\", \"{b" LONG "}\"]}}",
		""},
	{"{\"path\": \"/a\", \"query\": [\"\"], \"program\": {\"argv\": [\"/bin/true\", \"{a}\"]}}",
		"/routes/0/query/0: \"\" is empty\n"
		"/routes/0/program/argv/1: {a} is neither in the path nor in \"query\"\n"},
	{"{\"path\": \"/a/{size}\", \"program\": {\"argv\": [\"/bin/true\", \"{size}\", "
	 "\"{siez}{wholly}\"]}}",
		"/routes/0/program/argv/2: {siez} is neither in the path nor in \"query\" (did you mean "
		"{size}?)\n"
		"/routes/0/program/argv/2: {wholly} is neither in the path nor in \"query\"\n"},
	{"{\"path\": \"/a\", \"query\": [\"page\"], \"program\": {\"argv\": [\"/bin/true\", \"{pages}\"]}}",
		"/routes/0/program/argv/1: {pages} is neither in the path nor in \"query\" (did you mean "
		"{page}?)\n"},
	{"{\"path\": \"/{a}\", \"program\": {\"argv\": [\"./{a}\"]}}",
		"/routes/0/program/argv/0: \"./{a}\" cannot be run: No such file or directory\n"
		"/routes/0/program/argv/0: {a} is never replaced in the program's path\n"},
	/* a path or a query that is wrong itself is one mistake */
	{"{\"path\": \"/{a\", \"program\": {\"argv\": [\"/bin/true\", \"{a}\"]}}",
		"/routes/0/path: \"/{a\" has a brace outside a parameter, in \"{a\"\n"},
	{"{\"path\": \"/\", \"query\": \"a\", \"program\": {\"argv\": [\"/bin/true\", \"{a}\"]}}",
		"/routes/0/query: \"a\" is not a list\n"},
	{"{\"path\": \"/{a}\", \"query\": [\"a\", \"b\", \"b\", \"async\"], " TRUE_PROGRAM "}",
		"/routes/0/query/2: \"b\" is listed twice\n"
		"/routes/0/query/3: \"async\" is reserved: the work never sees it\n"
		"/routes/0/query/0: \"a\" is already a parameter of the path\n"},
	/* the rest */
	{"{\"path\": \"/a\", \"program\": {\"argv\": [\"/bin/true\"], \"protocol\": \"fcgi\","
	 " \"response_type\": \"png\", \"working_directory\": \"nowhere\", \"env\": []}}",
		"/routes/0/program/protocol: \"fcgi\" is not one of \"filter\", \"cgi\"\n"
		"/routes/0/program/response_type: \"png\" is not a media type\n"
		"/routes/0/program/env: an array is not an object\n"
		"/routes/0/program/working_directory: \"nowhere\" cannot be entered: No such file or "
		"directory\n"},
	{"{\"path\": \"/a\", \"program\": {\"argv\": [\"/bin/true\"], \"env\": {\"A\": \"\", \"B=\": \"x\", "
	 "\"\": \"x\","
	 " \"C\": 1, \"DEFERD_X\": \"x\", \"D\": \"a\\u0000\"}}}",
		"/routes/0/program/env/B=: is not the name of a variable: letters, digits and \"_\"\n"
		"/routes/0/program/env/: is not the name of a variable: letters, digits and \"_\"\n"
		"/routes/0/program/env/C: 1 is not a string\n"
		"/routes/0/program/env/DEFERD_X: is a name that is reserved for deferd\n"
		"/routes/0/program/env/D: \"a\\u0000\" has a NUL in it\n"},
};

static const struct config_case upstreams[] = {
	{"{\"path\": \"/a/{rest...}\", \"upstream\": {\"url\": \"http://127.0.0.1:9000\"}}", ""},
	{"{\"path\": \"/a\", \"upstream\": {}}", "/routes/0/upstream/url: is missing\n"},
	{"{\"path\": \"/a\", \"upstream\": {\"uri\": 1}}",
		"/routes/0/upstream/uri: unknown member (did you mean \"url\"?)\n"},
	{"{\"path\": \"/a\", \"upstream\": {\"url\": \"ftp://h\"}}",
		"/routes/0/upstream/url: \"ftp://h\" is not a URL: http or https with a host, without user, "
		"query and "
		"fragment\n"},
	{"{\"path\": \"/a\", \"upstream\": {\"url\": \"http://h\", \"forward_credentials\": \"yes\"}}",
		"/routes/0/upstream/forward_credentials: \"yes\" is neither true nor false\n"},
	{"{\"path\": \"/a\", \"upstream\": {\"url\": \"https://h:8443/b\", \"timeout\": \"1m\", "
	 "\"stall_timeout\": \"5s\", \"connect_timeout\": \"1s\", \"headers\": {\"X-A\": \"1\", \"X-B\": "
	 "\"\"}, "
	 "\"retry\": {}, \"breaker\": {\"failures\": 0}}}",
		""},
	{"{\"path\": \"/a\", \"upstream\": {\"url\": \"http://h\", \"headers\": [\"X-A: 1\"]}}",
		"/routes/0/upstream/headers: an array is not an object\n"},
	{"{\"path\": \"/a\", \"upstream\": {\"url\": \"http://h\", \"headers\": {\"X A\": \"1\", \"host\": "
	 "\"h\", "
	 "\"X-B\": \"a\\nb\", \"X-C\": 1}}}",
		"/routes/0/upstream/headers/X A: is not the name of a header field\n"
		"/routes/0/upstream/headers/host: is a field that the connection sets itself\n"
		"/routes/0/upstream/headers/X-B: has control characters\n"
		"/routes/0/upstream/headers/X-C: 1 is not a string\n"},
	{"{\"path\": \"/a\", \"upstream\": {\"url\": \"http://h\", \"retry\": {\"times\": -1, \"for\": "
	 "\"2d\"}, "
	 "\"breaker\": {\"pause\": \"0s\", \"failure\": 1}}}",
		"/routes/0/upstream/retry/times: -1 is not between 0 and 100\n"
		"/routes/0/upstream/retry/for: \"2d\" is not between 1ms and 1d\n"
		"/routes/0/upstream/breaker/failure: unknown member (did you mean \"failures\"?)\n"
		"/routes/0/upstream/breaker/pause: \"0s\" is not between 1ms and 1d\n"},
	{"{\"path\": \"/a\", \"upstream\": {\"url\": \"http://u@h/?q#f\", \"ca\": 1}}",
		"/routes/0/upstream/url: \"http://u@h/?q#f\" is not a URL: http or https with a host, "
		"without "
		"user, "
		"query and fragment\n"
		"/routes/0/upstream/ca: 1 is not a string\n"},
};

static const struct config_case collections[] = {
	{"{\"path\": \"/z\", \"style\": \"resource\", \"collection\": {\"name\": \"zones\"}}", ""},
	{"{\"path\": \"/z\", \"collection\": {}}", "/routes/0/collection/name: is missing\n"},
	{"{\"path\": \"/z\", \"collection\": {\"name\": \"a b\"}}",
		"/routes/0/collection/name: \"a b\" is not a name: a letter, then letters, digits, \"_\" and "
		"\"-\", 64 at "
		"most\n"},
	{"{\"path\": \"/z/\", \"collection\": {\"name\": \"z\"}}",
		"/routes/0/path: \"/z/\" ends with a slash, but the collection's ids follow it\n"},
	{"{\"path\": \"/{rest...}\", \"collection\": {\"name\": \"z\", \"parent\": \"z\"}}",
		"/routes/0/path: \"/{rest...}\" has {rest...}, but the collection's ids follow it\n"
		"/routes/0/path: \"/{rest...}\" must have one parameter more than the path of its parent, "
		"\"/{rest...}\"\n"},
	{"{\"path\": \"/z\", \"methods\": [\"GET\", \"OPTIONS\"], \"collection\": {\"name\": \"z\"}}",
		"/routes/0/methods/1: \"OPTIONS\" is not a method of collections\n"},
	{"{\"path\": \"/z\", \"schema\": true, \"collection\": {\"name\": \"z\"}}", ""},
	{"{\"path\": \"/z\", \"collection\": {\"name\": \"z\", \"schema\": \"good.schema.json\"}}", ""},
	{"{\"path\": \"/z\", \"schema\": true, \"collection\": {\"name\": \"z\", \"schema\": {}}}",
		"/routes/0/collection/schema: the route already has a schema\n"},
	{"{\"path\": \"/z\", \"collection\": {\"name\": \"z\", \"schema\": 1}}",
		"/routes/0/collection/schema: 1 is neither a file nor a schema\n"},
	{"{\"path\": \"/z\", \"collection\": {\"name\": \"z\", \"unique\": \"a\", \"index\": [\"\"], "
	 "\"envelope\": [],"
	 " \"delete_status\": 202}}",
		"/routes/0/collection/unique: \"a\" is not a list\n"
		"/routes/0/collection/index/0: \"\" is empty\n"
		"/routes/0/collection/envelope: 0 elements are not between 1 and 8\n"
		"/routes/0/collection/delete_status: 202 is not one of 204, 200\n"},
	{"{\"path\": \"/z\", \"collection\": {\"name\": \"z\", \"on_change\": {}}}",
		"/routes/0/collection/on_change: must have either \"program\" or \"upstream\"\n"},
	{"{\"path\": \"/z\", \"collection\": {\"name\": \"z\", \"on_change\": {\"upstrem\": 1}}}",
		"/routes/0/collection/on_change/upstrem: unknown member (did you mean \"upstream\"?)\n"},
	{"{\"path\": \"/z\", \"collection\": {\"name\": \"z\", \"on_change\": {\"upstream\": {\"url\": "
	 "\"http://h\"}, " TRUE_PROGRAM "}}}",
		"/routes/0/collection/on_change: must have either \"program\" or \"upstream\"\n"},
	{"{\"path\": \"/z\", \"collection\": {\"name\": \"z\", \"on_change\": {\"program\": {\"argv\":"
	 " [\"/bin/nothing\", \"{x}\"]}}}}",
		"/routes/0/collection/on_change/program/argv/0: \"/bin/nothing\" cannot be run: No such file "
		"or "
		"directory\n"
		"/routes/0/collection/on_change/program/argv/1: {x} is neither in the path nor in "
		"\"query\"\n"},
};

#define CHECK(cases) config_cases_check_routes(cases, sizeof cases / sizeof *cases)

static void
test_routes(void **state)
{
	CHECK(routes);
}

static void
test_programs(void **state)
{
	CHECK(programs);
}

static void
test_upstreams(void **state)
{
	CHECK(upstreams);
}

static void
test_collections(void **state)
{
	CHECK(collections);
}

static void
check_strings(char *const *strings, const char *expected)
{
	struct text text = {0};

	text_add_string(&text, "");
	for (; strings && *strings; strings++)
		text_addf(&text, "%s;", *strings);
	assert_string_equal(text.data, expected);
	text_fini(&text);
}

static void
test_route_defaults(void **state)
{
	struct config *config = config_cases_load(
		"{\"keep\": \"7s\", \"max_body\": 77, \"routes\": [{\"path\": \"/a\", " TRUE_PROGRAM "}]}");
	const struct config_route *route = &config->routes[0];

	assert_string_equal(route->path, "/a");
	assert_string_equal(route->base_path, "");
	check_strings(route->methods, "POST;");
	assert_null(route->style);
	assert_null(route->query);
	assert_null(route->request_types);
	assert_null(route->users);
	assert_int_equal(route->queue_timeout_ms, 0);
	assert_int_equal(route->run_timeout_ms, 3600000);
	assert_int_equal(route->keep_ms, 7000);
	assert_int_equal(route->keep_timed_out_ms, 3600000);
	assert_int_equal(route->max_body_bytes, 77);
	assert_int_equal(route->max_result_bytes, 64 << 20);
	assert_int_equal(route->concurrency, 0);
	assert_true(route->queue == CONFIG_NO_LIMIT);
	assert_false(route->rerun);
	assert_false(route->idempotency_required);
	assert_null(route->schema);
	assert_false(route->assert_formats);
	assert_int_equal(route->work, CONFIG_PROGRAM);
	check_strings(route->program.argv, "/bin/true;");
	assert_int_equal(route->program.protocol, PROGRAM_FILTER);
	assert_null(route->program.response_type);
	assert_null(route->program.env);
	assert_null(route->program.working_directory);
	config_free(config);
}

static void
test_program_route(void **state)
{
	struct config *config = config_cases_load(
		"{\"routes\": [{\"path\": \"/a/{b}\", \"base_path\": \"/x/y\", \"methods\": [\"GET\", "
		"\"PUT\"],"
		" \"style\": \"status\", \"query\": [\"q\"], \"request_types\": [\"image/*\"],"
		" \"queue_timeout\": \"1s\", \"run_timeout\": \"2m\", \"keep\": \"3h\", \"keep_timed_out\": "
		"\"4d\","
		" \"max_body\": 5, \"max_result\": \"6KiB\", \"concurrency\": 7, \"queue\": 8, \"rerun\": "
		"true,"
		" \"idempotency\": \"required\", \"schema\": {\"a\": 1}, \"assert_formats\": true,"
		" \"program\": {\"argv\": [\"./program\", \"{b}\", \"\", \"{q}\"], \"protocol\": \"cgi\","
		" \"response_type\": \"image/png\", \"env\": {\"A\": \"b=c\", \"D\": \"\"},"
		" \"working_directory\": \".\"}}]}");
	const struct config_route *route = &config->routes[0];

	assert_string_equal(route->base_path, "/x/y");
	check_strings(route->methods, "GET;PUT;HEAD;");
	assert_string_equal(route->style->name, "status");
	check_strings(route->query, "q;");
	check_strings(route->request_types, "image/*;");
	assert_int_equal(route->queue_timeout_ms, 1000);
	assert_int_equal(route->run_timeout_ms, 120000);
	assert_int_equal(route->keep_ms, 10800000);
	assert_int_equal(route->keep_timed_out_ms, 345600000);
	assert_int_equal(route->max_body_bytes, 5);
	assert_int_equal(route->max_result_bytes, 6144);
	assert_int_equal(route->concurrency, 7);
	assert_int_equal(route->queue, 8);
	assert_true(route->rerun);
	assert_true(route->idempotency_required);
	assert_true(json_object_is_type(route->schema, json_type_object));
	assert_true(route->assert_formats);
	assert_int_equal(route->program.protocol, PROGRAM_CGI);
	assert_int_equal(*route->program.argv[0], '/');
	assert_non_null(strstr(route->program.argv[0], "/config/program"));
	check_strings(route->program.argv + 1, "{b};;{q};");
	assert_string_equal(route->program.response_type, "image/png");
	check_strings(route->program.env, "A=b=c;D=;");
	assert_int_equal(*route->program.working_directory, '/');
	config_free(config);
}

static void
test_collection_route(void **state)
{
	struct config *config = config_cases_load(
		"{\"routes\": [{\"path\": \"/u\", \"collection\": {\"name\": \"users\", \"schema\": false,"
		" \"unique\": [\"a\", \"b\"], \"index\": [\"c\"], \"envelope\": [\"data\", \"data\"],"
		" \"delete_status\": 200, \"on_change\": {\"program\": {\"argv\": [\"/bin/true\"]}}}},"
		" {\"path\": \"/u/{user_id}/keys\", \"style\": \"resource\", \"collection\": {\"name\": "
		"\"keys\","
		" \"parent\": \"users\", \"on_change\": {\"upstream\": {\"url\": \"http://h/\"}}}}]}");
	const struct config_route *users = &config->routes[0], *keys = &config->routes[1];

	assert_int_equal(users->work, CONFIG_COLLECTION);
	check_strings(users->methods, "GET;HEAD;POST;PUT;PATCH;DELETE;");
	assert_true(json_object_is_type(users->schema, json_type_boolean));
	assert_string_equal(users->collection.name, "users");
	assert_null(users->collection.parent);
	check_strings(users->collection.unique, "a;b;");
	check_strings(users->collection.index, "c;");
	check_strings(users->collection.envelope, "data;data;");
	assert_int_equal(users->collection.delete_status, 200);
	assert_true(users->collection.has_on_change);
	assert_int_equal(users->collection.on_change, CONFIG_PROGRAM);
	check_strings(users->collection.on_change_program.argv, "/bin/true;");
	assert_string_equal(keys->style->name, "resource");
	assert_string_equal(keys->collection.parent, "users");
	assert_int_equal(keys->collection.delete_status, 204);
	assert_null(keys->collection.unique);
	assert_int_equal(keys->collection.on_change, CONFIG_UPSTREAM);
	assert_string_equal(keys->collection.on_change_upstream.url, "http://h");
	config_free(config);
}

static void
test_upstream_route(void **state)
{
	struct config *config =
		config_cases_load("{\"routes\": [{\"path\": \"/a\", \"upstream\":"
				  " {\"url\": \"http://h/b/\", \"forward_credentials\": true}}]}");
	const struct config_route *route = &config->routes[0];

	assert_int_equal(route->work, CONFIG_UPSTREAM);
	check_strings(route->methods, "GET;HEAD;POST;PUT;PATCH;DELETE;OPTIONS;");
	assert_string_equal(route->upstream.url, "http://h/b");
	assert_true(route->upstream.forward_credentials);
	config_free(config);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_upstreams),
		cmocka_unit_test(test_collections),
		cmocka_unit_test(test_route_defaults),
		cmocka_unit_test(test_program_route),
		cmocka_unit_test(test_collection_route),
		cmocka_unit_test(test_upstream_route),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
