/* The environment of a program. */
#include "work/program/environment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct work_input *
new_input(const char *route, const char *path, const char *query)
{
	struct work_input *input = work_input_new();

	assert_int_equal(id_parse("01234567-89ab-4def-8123-456789abcdef", 36, &input->id), 0);
	input->method = xstrdup("POST");
	input->path = xstrdup(path);
	input->query = xstrdup(query);
	input->route = xstrdup(route);
	input->remote_address = xstrdup("192.0.2.1");
	input->scheme = xstrdup("http");
	input->authority = xstrdup("example.com:8580");
	input->base = xstrdup("http://example.com:8580");
	return input;
}

/* The value of a variable, NULL if there is none; one that is there twice is a mistake. */
static const char *
get(const struct string_list *list, const char *name)
{
	const char *value = NULL;
	size_t len = strlen(name);

	for (size_t i = 0; i < list->count; i++) {
		assert_non_null(strchr(list->items[i], '='));
		if (strncmp(list->items[i], name, len) != 0 || list->items[i][len] != '=')
			continue;
		assert_null(value);
		value = list->items[i] + len + 1;
	}
	return value;
}

static void
assert_variable(const struct string_list *list, const char *name, const char *value)
{
	const char *found = get(list, name);

	if (!value && found)
		fail_msg("%s is %s", name, found);
	if (value && (!found || strcmp(found, value) != 0))
		fail_msg("%s is %s, not %s", name, found ? found : "not there", value);
}

static void
test_least(void **state)
{
	static const char *const expected[] = {
		"DEFERD_OPERATION_ID=01234567-89ab-4def-8123-456789abcdef",
		"DEFERD_SERVER_ID=00000000-0000-0000-0000-000000000000",
		"DEFERD_PROGRESS_FD=3",
		"PATH=/usr/local/bin:/usr/bin:/bin",
		"LANG=C.UTF-8",
		"GATEWAY_INTERFACE=CGI/1.1",
		("SERVER_SOFTWARE=deferd/" DEFERD_VERSION),
		"SERVER_PROTOCOL=HTTP/1.1",
		"REQUEST_METHOD=POST",
		"QUERY_STRING=",
		"REMOTE_ADDR=192.0.2.1",
		"REMOTE_HOST=192.0.2.1",
		"SCRIPT_NAME=/run",
		"PATH_INFO=",
		"REQUEST_URI=/run",
		"SERVER_NAME=example.com",
		"SERVER_PORT=8580",
	};
	struct work_input *input = new_input("/run", "/run", NULL);
	struct string_list list;

	environment_build(input, NULL, &list);
	assert_int_equal(list.count, sizeof expected / sizeof *expected);
	for (size_t i = 0; i < list.count; i++)
		assert_string_equal(list.items[i], expected[i]);
	assert_null(list.items[list.count]);
	string_list_fini(&list);
	work_input_free(input);
}

static const struct {
	const char *route, *path, *query;
	const char *script, *info, *uri;
} paths[] = {
	{"/run", "/run", "a=1&b=%20", "/run", "", "/run?a=1&b=%20"},
	{"/run", "/run", "", "/run", "", "/run?"},
	{"/thumbnails/{size}", "/thumbnails/200", NULL, "/thumbnails", "/200", "/thumbnails/200"},
	{"/thumbnails/{size}", "/thumb%6Eails/a%20b%2Fc", NULL, "/thumbnails", "/a b/c",
		"/thumb%6Eails/a%20b%2Fc"},
	{"/bc/rest/x/{a}/y/{b...}", "/bc/rest/x/1/y/2/3", NULL, "/bc/rest/x", "/1/y/2/3",
		"/bc/rest/x/1/y/2/3"},
	{"/a/b{x}c/d", "/a/b1c/d", NULL, "/a", "/b1c/d", "/a/b1c/d"},
	{"/{x}", "/1+1", NULL, "", "/1+1", "/1+1"},
	{"/{x...}", "/", NULL, "", "/", "/"},
	{"/", "/", NULL, "", "/", "/"},
	{"/run/", "/run/", NULL, "/run", "/", "/run/"},
	{"/a/{x}", "/a", NULL, "/a", "", "/a"},
	/* never let in by the front: no variable rather than a wrong one */
	{"/a/{x}", "/a/%00", NULL, "/a", NULL, "/a/%00"},
	{"/a/{x}", "/a/%zz", NULL, "/a", NULL, "/a/%zz"},
};

static void
test_paths(void **state)
{
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct work_input *input = new_input(paths[i].route, paths[i].path, paths[i].query);
		struct string_list list;

		environment_build(input, NULL, &list);
		assert_variable(&list, "SCRIPT_NAME", paths[i].script);
		assert_variable(&list, "PATH_INFO", paths[i].info);
		assert_variable(&list, "PATH_TRANSLATED", NULL);
		assert_variable(&list, "REQUEST_URI", paths[i].uri);
		assert_variable(&list, "QUERY_STRING", paths[i].query ? paths[i].query : "");
		string_list_fini(&list);
		work_input_free(input);
	}
}

static const struct {
	const char *scheme, *authority;
	const char *name, *port;
} servers[] = {
	{"http", "example.com", "example.com", "80"},
	{"https", "example.com", "example.com", "443"},
	{"https", "example.com:8443", "example.com", "8443"},
	{"http", "[::1]:8580", "[::1]", "8580"},
	{"http", "[::1]", "[::1]", "80"},
	{"http", "example.com:", "example.com", "80"},
	{"http", "", "localhost", "80"},
	{"http", ":8580", "localhost", "8580"},
	{"http", NULL, "localhost", "80"},
};

static void
test_servers(void **state)
{
	for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
		struct work_input *input = new_input("/run", "/run", NULL);
		struct string_list list;

		free(input->scheme);
		free(input->authority);
		input->scheme = xstrdup(servers[i].scheme);
		input->authority = xstrdup(servers[i].authority);
		environment_build(input, NULL, &list);
		assert_variable(&list, "SERVER_NAME", servers[i].name);
		assert_variable(&list, "SERVER_PORT", servers[i].port);
		bool is_https = servers[i].scheme && strcmp(servers[i].scheme, "https") == 0;
		assert_variable(&list, "HTTPS", is_https ? "on" : NULL);
		string_list_fini(&list);
		work_input_free(input);
	}
}

static void
test_fields(void **state)
{
	struct work_input *input = new_input("/run", "/run", NULL);
	struct string_list list;

	fields_put(&input->fields, "Host", "example.com:8580");
	fields_put(&input->fields, "X-One", "1");
	fields_put(&input->fields, "accept", "a/b");
	fields_put(&input->fields, "Accept", "c/d");
	fields_put(&input->fields, "Cookie", "a=1");
	fields_put(&input->fields, "cookie", "b=2");
	fields_put(&input->fields, "X-Empty", "");
	fields_put(&input->fields, "traceparent", "00-1-2-01");
	fields_put(&input->fields, "Tracestate", "a=b");
	fields_put(&input->fields, "Proxy", "http://evil.example/");
	fields_put(&input->fields, "pRoXy", "http://evil.example/");
	fields_put(&input->fields, "Authorization", "Basic eDp5");
	fields_put(&input->fields, "Proxy-Authorization", "Basic eDp5");
	fields_put(&input->fields, "Content-Type", "text/plain");
	fields_put(&input->fields, "Content-Length", "5");
	fields_put(&input->fields, "Connection", "close");
	fields_put(&input->fields, "Transfer-Encoding", "chunked");
	/* would be the same variable as X-One, or none at all */
	fields_put(&input->fields, "X_One", "2");
	fields_put(&input->fields, "X.One", "3");
	fields_put(&input->fields, "X!", "4");
	environment_build(input, NULL, &list);
	assert_variable(&list, "HTTP_HOST", "example.com:8580");
	assert_variable(&list, "HTTP_X_ONE", "1");
	assert_variable(&list, "HTTP_ACCEPT", "a/b, c/d");
	assert_variable(&list, "HTTP_COOKIE", "a=1; b=2");
	assert_variable(&list, "HTTP_X_EMPTY", "");
	assert_variable(&list, "CONTENT_TYPE", "text/plain");
	assert_variable(&list, "TRACEPARENT", "00-1-2-01");
	assert_variable(&list, "TRACESTATE", "a=b");
	int http = 0;
	for (size_t i = 0; i < list.count; i++)
		http += strncmp(list.items[i], "HTTP_", 5) == 0;
	assert_int_equal(http, 7);
	/* nobody was made sure of, whatever the field says; and there is no body */
	assert_variable(&list, "AUTH_TYPE", NULL);
	assert_variable(&list, "REMOTE_USER", NULL);
	assert_variable(&list, "CONTENT_LENGTH", NULL);
	string_list_fini(&list);
	work_input_free(input);
}

static void
test_principal_and_body(void **state)
{
	static const struct {
		const char *authorization;
		const char *type;
	} schemes[] = {{NULL, NULL}, {"Basic eDp5", "Basic"}, {"bearer x", "bearer"},
		{"Negotiate", "Negotiate"}, {"", NULL}};

	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		struct work_input *input = new_input("/run", "/run", NULL);
		struct string_list list;

		input->principal = xstrdup("alice");
		input->body = blob_new("hello", i);
		if (schemes[i].authorization)
			fields_put(&input->fields, "Authorization", schemes[i].authorization);
		environment_build(input, NULL, &list);
		assert_variable(&list, "REMOTE_USER", "alice");
		assert_variable(&list, "AUTH_TYPE", schemes[i].type);
		assert_variable(&list, "CONTENT_LENGTH", (const char *const[]){"0", "1", "2", "3", "4"}[i]);
		assert_variable(&list, "HTTP_AUTHORIZATION", NULL);
		string_list_fini(&list);
		work_input_free(input);
	}
}

static void
test_own_entries_win(void **state)
{
	char *own[] = {(char[]){"PATH=/opt/bin"}, (char[]){"NEW=a=b"}, (char[]){"NEW=c"},
		(char[]){"HTTP_HOST="}, (char[]){"REMOTE=1"}, (char[]){"DEFERD_OPERATION_ID=x"},
		(char[]){"DEFERD_PROGRESS_FD=9"}, NULL};
	struct work_input *input = new_input("/run", "/run", NULL);
	struct string_list list;

	fields_put(&input->fields, "Host", "example.com");
	environment_build(input, own, &list);
	assert_variable(&list, "PATH", "/opt/bin");
	assert_variable(&list, "NEW", "c");
	assert_variable(&list, "HTTP_HOST", "");
	assert_variable(&list, "REMOTE", "1");
	assert_variable(&list, "REMOTE_ADDR", "192.0.2.1");
	/* by these two the server finds and hears its programs */
	assert_variable(&list, "DEFERD_OPERATION_ID", "01234567-89ab-4def-8123-456789abcdef");
	assert_variable(&list, "DEFERD_PROGRESS_FD", "3");
	string_list_fini(&list);
	work_input_free(input);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_least),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_servers),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_principal_and_body),
		cmocka_unit_test(test_own_entries_win),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
