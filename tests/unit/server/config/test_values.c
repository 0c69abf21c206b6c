/* Tests of server/config_values.c. */
#include "config/values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/server/config/config_cases.h"

static void
test_urls(void **state)
{
	static const struct config_value_case cases[] = {
		{"http://127.0.0.1:9000", "http://127.0.0.1:9000", NULL},
		{"https://api.example.com", "https://api.example.com", NULL},
		{"HTTPS://api.example.com", "HTTPS://api.example.com", NULL},
		{"http://h/", "http://h", NULL},
		{"http://h/~a", "http://h/~a", NULL},
		{"http://h/base///", "http://h/base", NULL},
		{"http://[::1]:80/a/b", "http://[::1]:80/a/b", NULL},
		{"http://h/a%20b", "http://h/a%20b", NULL},
		{"http://", NULL, "is not a URL"},
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

	CONFIG_VALUES_CHECK(config_convert_url, cases);
}

static void
test_paths_of_routes(void **state)
{
	static const struct config_value_case patterns[] = {
		{"/a/{b}/{c...}", "/a/{b}/{c...}", NULL},
		{"a", NULL, "\"a\" does not begin with a slash"},
	};
	static const struct config_value_case bases[] = {
		{"", "", NULL},
		{"/bc/rest", "/bc/rest", NULL},
		{"/", NULL, "ends with a slash"},
		{"/bc/", NULL, "ends with a slash"},
		{"bc", NULL, "does not begin with a slash"},
		{"/{a}", NULL, "has a parameter"},
		{"/a?b", NULL, "has a query"},
	};

	CONFIG_VALUES_CHECK(config_convert_pattern, patterns);
	CONFIG_VALUES_CHECK(config_convert_base_path, bases);
}

static void
test_methods(void **state)
{
	static const struct config_value_case cases[] = {
		{"GET", "GET", NULL},
		{"HEAD", "HEAD", NULL},
		{"POST", "POST", NULL},
		{"PUT", "PUT", NULL},
		{"PATCH", "PATCH", NULL},
		{"DELETE", "DELETE", NULL},
		{"OPTIONS", "OPTIONS", NULL},
		{"post", NULL, "\"post\" is not a method (did you mean \"POST\"?)\n"},
		{"PSOT", NULL, "(did you mean \"POST\"?)\n"},
		{"CONNECT", NULL, "\"CONNECT\" is not a method\n"},
		{"TRACE", NULL, "is not a method"},
		{"*", NULL, "is not a method"},
	};

	CONFIG_VALUES_CHECK(config_convert_method, cases);
}

static void
test_names(void **state)
{
	static const struct config_value_case query[] = {
		{"page", "page", NULL},
		{"_a9", "_a9", NULL},
		{"Async", "Async", NULL},
		{"async", NULL, "is reserved: the work never sees it"},
		{"a-b", NULL, "is not a name"},
		{"9", NULL, "is not a name"},
		{"{a}", NULL, "is not a name"},
	};
	static const struct config_value_case collections[] = {
		{"cloudAccounts", "cloudAccounts", NULL},
		{"a-b_9", "a-b_9", NULL},
		{"a234567890123456789012345678901234567890123456789012345678901234",
			"a234567890123456789012345678901234567890123456789012345678901234", NULL},
		{"a2345678901234567890123456789012345678901234567890123456789012345", NULL, "is not a name"},
		{"9a", NULL, "is not a name"},
		{"_a", NULL, NULL},
		{"a b", NULL, NULL},
		{"a/b", NULL, NULL},
		{"\xc3\xa4", NULL, NULL},
	};

	CONFIG_VALUES_CHECK(config_convert_query_name, query);
	CONFIG_VALUES_CHECK(config_convert_collection_name, collections);
}

static void
test_media_types(void **state)
{
	static const struct config_value_case types[] = {
		{"image/png", "image/png", NULL},
		{"application/problem+json", "application/problem+json", NULL},
		{"text/plain; charset=utf-8", "text/plain; charset=utf-8", NULL},
		{"text/plain ;charset=utf-8", "text/plain ;charset=utf-8", NULL},
		{"image", NULL, "is not a media type"},
		{"image/", NULL, NULL},
		{"/png", NULL, NULL},
		{"/", NULL, NULL},
		{"image/png/x", NULL, NULL},
		{"image/*", NULL, NULL},
		{"image png", NULL, NULL},
		{"; charset=utf-8", NULL, NULL},
		{"text/plain; a=b\r\nX: y", NULL, NULL},
	};
	static const struct config_value_case ranges[] = {
		{"image/png", "image/png", NULL},
		{"image/*", "image/*", NULL},
		{"*/*", "*/*", NULL},
		{"*", NULL, "is not a media type"},
		{"*/png", NULL, NULL},
		{"image/*png", NULL, NULL},
		{"image/p*", NULL, NULL},
		{"image/**", NULL, NULL},
		{"im*ge/png", NULL, NULL},
		{"image/png; q=1", NULL, NULL},
		{"", NULL, NULL},
	};

	CONFIG_VALUES_CHECK(config_convert_media_type, types);
	CONFIG_VALUES_CHECK(config_convert_media_range, ranges);
}

static void
test_plain(void **state)
{
	static const struct config_value_case cases[] = {
		{"alice", "alice", NULL},
		{"\xc3\xa4 b", "\xc3\xa4 b", NULL},
		{"a\nb", NULL, "has a control character"},
		{"a\x7f", NULL, "has a control character"},
	};

	CONFIG_VALUES_CHECK(config_convert_plain, cases);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_paths_of_routes),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_media_types),
		cmocka_unit_test(test_plain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
