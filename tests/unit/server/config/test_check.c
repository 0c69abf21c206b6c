/* Tests of server/config_check.c, server/config_paths.c and server/config_listen.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/private.h"
#include "tests/unit/server/config/config_cases.h"

#define NO_ROUTES "\"routes\": []"
#define BASIC "\"auth\": {\"basic\": \"tokens\"}"
#define TLS "\"tls\": {\"certificate\": \"tokens\", \"key\": \"tokens\"}"

static const struct config_case addresses[] = {
	{"{\"listen\": \"127.0.0.1:1\", " NO_ROUTES "}", ""},
	{"{\"listen\": [\"127.0.0.1:1\", \"[::1]:1\", \"unix:/x\"], \"admin\": {\"listen\": "
	 "\"localhost:0\"}, " NO_ROUTES "}",
		""},
	{"{\"listen\": 8580, " NO_ROUTES "}", "/listen: 8580 is not a string\n"},
	{"{\"listen\": [], " NO_ROUTES "}", "/listen: 0 elements are not between 1 and 64\n"},
	{"{\"listen\": [\"127.0.0.1:1\"], " NO_ROUTES "}", ""},
	{"{\"listen\": [\"127.0.0.1:1\", null, \"x\", {}], " NO_ROUTES "}",
		"/listen/1: null is not a string\n"
		"/listen/2: \"x\" is not an address: \"127.0.0.1:8580\", \"[::1]:8580\" or \"unix:PATH\"\n"
		"/listen/3/address: is missing\n"},
	/* auth */
	{"{\"listen\": \"0.0.0.0:1\", " NO_ROUTES "}",
		"/listen: \"0.0.0.0:1\" is neither loopback nor a unix socket: this needs \"auth\"\n"},
	{"{\"listen\": [\"127.0.0.1:1\", \"[::]:1\", {\"address\": \"[fe80::1]:1\"}], " NO_ROUTES "}",
		"/listen/1: \"[::]:1\" is neither loopback nor a unix socket: this needs \"auth\"\n"
		"/listen/2/address: \"[fe80::1]:1\" is neither loopback nor a unix socket: this needs "
		"\"auth\"\n"},
	{"{\"admin\": {\"listen\": \"0.0.0.0:1\"}, " NO_ROUTES "}",
		"/admin/listen: \"0.0.0.0:1\" is neither loopback nor a unix socket: this needs \"auth\"\n"},
	{"{\"admin\": {\"listen\": {\"address\": \"0.0.0.0:1\"}}, " NO_ROUTES "}",
		"/admin/listen/address: \"0.0.0.0:1\" is neither loopback nor a unix socket: this needs "
		"\"auth\"\n"},
	{"{\"listen\": \"0.0.0.0:1\", \"admin\": {\"listen\": \"0.0.0.0:2\"}, " BASIC ", " NO_ROUTES "}", ""},
	{"{\"listen\": \"0.0.0.0:1\", \"auth\": 1, " NO_ROUTES "}", "/auth: 1 is not an object\n"},
	{"{\"listen\": \"0.0.0.0:1\", \"auht\": {}, " NO_ROUTES "}",
		"/auht: unknown member (did you mean \"auth\"?)\n"},
	{"{\"auth\": {}, " NO_ROUTES "}",
		"/auth: has neither \"basic\" nor \"bearer\", and no \"listen\" has a \"client_ca\": nobody "
		"could log in\n"},
	{"{\"auth\": {\"admins\": [\"su\"]}, \"listen\": {\"address\": \"0.0.0.0:1\", \"tls\": "
	 "{\"certificate\":"
	 " \"tokens\", \"key\": \"tokens\", \"client_ca\": \"tokens\"}}, " NO_ROUTES "}",
		""},
	{"{\"listen\": {\"address\": \"0.0.0.0:1\", \"tls\": {\"certificate\": \"tokens\", \"key\": "
	 "\"tokens\","
	 " \"client_ca\": \"tokens\"}}, " NO_ROUTES "}",
		"/listen/address: \"0.0.0.0:1\" is neither loopback nor a unix socket: this needs "
		"\"auth\"\n"},
	{"{\"auth\": {\"bearer\": \"nothing\", \"admins\": []}, " NO_ROUTES "}",
		"/auth/bearer: \"nothing\" cannot be read: No such file or directory\n"
		"/auth/admins: 0 elements are not between 1 and 1000\n"},
	/* admin */
	{"{\"admin\": \"127.0.0.1:1\", " NO_ROUTES "}", "/admin: \"127.0.0.1:1\" is not an object\n"},
	{"{\"admin\": {}, " NO_ROUTES "}", "/admin/listen: is missing\n"},
	{"{\"admin\": {\"listen\": [\"127.0.0.1:1\"]}, " NO_ROUTES "}",
		"/admin/listen: an array is not a string\n"},
	/* the same twice */
	{"{\"listen\": [\"127.0.0.1:0\", \"127.0.0.1:0\"], \"admin\": {\"listen\": "
	 "\"127.0.0.1:0\"}, " NO_ROUTES "}",
		""},
	{"{\"listen\": [\"127.0.0.1:1\", \"127.0.0.1:2\", \"127.0.0.1:1\"], " NO_ROUTES "}",
		"/listen/2: \"127.0.0.1:1\" is listed twice\n"},
	{"{\"listen\": \"unix:/x\", \"admin\": {\"listen\": {\"address\": \"unix:/x\"}}, " NO_ROUTES "}",
		"/admin/listen/address: \"unix:/x\" is listed twice\n"},
	/* TLS */
	{"{\"listen\": {\"address\": \"127.0.0.1:1\", " TLS "}, " NO_ROUTES "}", ""},
	{"{\"listen\": {\"address\": \"127.0.0.1:1\", \"tls\": {\"certificate\": \"nothing\"}}, " NO_ROUTES
	 "}",
		"/listen/tls/certificate: \"nothing\" cannot be read: No such file or directory\n"
		"/listen/tls/key: is missing\n"},
	{"{\"listen\": {\"address\": \"127.0.0.1:1\", \"tls\": {}}, " NO_ROUTES "}",
		"/listen/tls/certificate: is missing\n/listen/tls/key: is missing\n"},
	{"{\"listen\": {\"address\": \"127.0.0.1:1\", \"tls\": true}, " NO_ROUTES "}",
		"/listen/tls: true is not an object\n"},
};

#define WORK "\"program\": {\"argv\": [\"/bin/true\"]}"
#define ROUTE(path) "{\"path\": \"" path "\", " WORK "}"
#define ROUTE_OF(path, methods) "{\"path\": \"" path "\", \"methods\": [" methods "], " WORK "}"
#define BASED(base, path) "{\"path\": \"" path "\", \"base_path\": \"" base "\", " WORK "}"
#define TOKEN(path) "{\"path\": \"" path "\", \"style\": \"token\", " WORK "}"
#define COLLECTION(path, name) "{\"path\": \"" path "\", \"collection\": {\"name\": \"" name "\"}}"
#define CHILD(path, name, parent) \
	"{\"path\": \"" path "\", \"collection\": {\"name\": \"" name "\", \"parent\": \"" parent "\"}}"

static const struct config_case paths[] = {
	{ROUTE("/a") "," ROUTE("/b") "," ROUTE("/a/b") "," ROUTE("/a/{x}") "," ROUTE("/{x}/b") "," ROUTE(
		 "/{x...}"),
		""},
	{ROUTE("/a") "," ROUTE("/a"), "/routes/1/path: POST /a is already taken by /routes/0\n"},
	{ROUTE("/a/{x}/c") "," ROUTE("/b") "," ROUTE("/a/{y}/c"),
		"/routes/2/path: POST /a/{}/c is already taken by /routes/0\n"},
	{ROUTE("/a/{x...}") "," ROUTE("/a/{y...}"),
		"/routes/1/path: POST /a/{...} is already taken by /routes/0\n"},
	{ROUTE("/a/{x...}") "," ROUTE("/a/{y}"), ""},
	{ROUTE_OF("/a", "\"GET\"") "," ROUTE_OF("/a", "\"POST\", \"PUT\""), ""},
	{ROUTE_OF("/a", "\"GET\"") "," ROUTE_OF("/a", "\"HEAD\""),
		"/routes/1/path: HEAD /a is already taken by /routes/0\n"},
	{ROUTE_OF("/a", "\"GET\", \"PUT\"") "," ROUTE("/a") "," ROUTE_OF(
		 "/a", "\"PUT\", \"OPTIONS\"") "," ROUTE_OF("/a", "\"OPTIONS\", \"POST\""),
		"/routes/2/path: PUT /a is already taken by /routes/0\n"
		"/routes/3/path: POST /a is already taken by /routes/1\n"},
	/* base paths */
	{ROUTE("/a") "," BASED("/b", "/a") "," BASED("/c", "/a") "," BASED("", "/d"), ""},
	{ROUTE("/b/a") "," BASED("/b", "/a"), "/routes/1/path: POST /b/a is already taken by /routes/0\n"},
	/* a collection takes its items' paths */
	{COLLECTION("/z", "z") "," ROUTE("/z/{id}"), ""},
	{COLLECTION("/z", "z") "," ROUTE_OF("/z/{id}", "\"GET\""),
		"/routes/1/path: GET /z/{} is already taken by /routes/0\n"},
	{ROUTE_OF("/z/{x}", "\"DELETE\"") "," COLLECTION("/z", "z"),
		"/routes/1/path: DELETE /z/{} is already taken by /routes/0\n"},
	{COLLECTION("/z", "z") "," ROUTE_OF("/z", "\"PUT\", \"DELETE\""), ""},
	{COLLECTION("/z", "z") "," ROUTE("/z"), "/routes/1/path: POST /z is already taken by /routes/0\n"},
	/* where tokens are polled */
	{TOKEN("/q") "," ROUTE("/q/poll") "," ROUTE_OF("/q/{x}/poll", "\"GET\""), ""},
	{COLLECTION("/z", "z") "," ROUTE_OF("/z/poll", "\"GET\"") "," ROUTE_OF("/z/{x}/poll", "\"GET\""), ""},
	{TOKEN("/q") "," ROUTE_OF("/q/poll", "\"GET\""),
		"/routes/1/path: GET /q/poll is already taken by /routes/0\n"},
	{ROUTE_OF("/q/poll", "\"HEAD\"") "," TOKEN("/q"),
		"/routes/1/path: HEAD /q/poll is already taken by /routes/0\n"},
	{"{\"path\": \"/z\", \"style\": \"token\", \"collection\": {\"name\": \"z\"}}," ROUTE_OF(
		 "/z/{x}/poll", "\"GET\""),
		"/routes/1/path: GET /z/{}/poll is already taken by /routes/0\n"},
	{TOKEN("/q") "," ROUTE_OF("/q/poll", "\"DELETE\", \"PUT\""),
		"/routes/1/path: DELETE /q/poll is already taken by /routes/0\n"},
	/* monitors */
	{ROUTE("/operations") "," ROUTE("/operation/x") "," ROUTE("/x/operations/y") "," ROUTE(
		 "/v1/{x}/y") "," ROUTE("/v1/operationStatus"),
		""},
	{ROUTE("/operations/x"),
		"/routes/0/path: /operations/x is under /operations/, where operations are polled\n"},
	{ROUTE("/operations/{x}/y"),
		"/routes/0/path: /operations/{}/y is under /operations/, where operations are polled\n"},
	{ROUTE("/operations/{x...}"),
		"/routes/0/path: /operations/{...} is under /operations/, where operations are polled\n"},
	{ROUTE("/operations/"),
		"/routes/0/path: /operations/ is under /operations/, where operations are polled\n"},
	{ROUTE("/v1/operationStatus/{x}"), "/routes/0/path: /v1/operationStatus/{} is under "
					   "/v1/operationStatus/, where operations are polled\n"},
	{ROUTE("/async/v1/requests/{x}/response"), "/routes/0/path: /async/v1/requests/{}/response is under "
						   "/async/v1/requests/, where operations are "
						   "polled\n"},
	{COLLECTION("/operations", "operations"),
		"/routes/0/path: /operations/{} is under /operations/, where operations are polled\n"},
	{TOKEN("/operations/x"),
		"/routes/0/path: /operations/x is under /operations/, where operations are polled\n"},
	{TOKEN("/operations"),
		"/routes/0/path: /operations/poll is under /operations/, where operations are polled\n"},
	{BASED("/bc", "/operations/x") "," ROUTE("/bc/async/v1/requests/y"),
		"/routes/1/path: /bc/async/v1/requests/y is under /bc/async/v1/requests/, where operations "
		"are polled\n"
		"/routes/0/path: /bc/operations/x is under /bc/operations/, where operations are polled\n"},
	{BASED("/operations", "/x"),
		"/routes/0/path: /operations/x is under /operations/, where operations are polled\n"},
};

static const struct config_case collections[] = {
	{COLLECTION("/z", "a") "," CHILD("/z/{z_id}/r", "b", "a") "," CHILD("/z/{z_id}/r/{r_id}/s", "c", "b"),
		""},
	{CHILD("/z/{z_id}/r", "b", "a") "," COLLECTION("/z", "a"), ""},
	/* a path that is wrong itself is one mistake */
	{COLLECTION("z", "a") "," CHILD("/z/{z_id}/r", "b", "a"),
		"/routes/0/path: \"z\" does not begin with a slash\n"},
	{COLLECTION("/z", "a") "," CHILD("z", "b", "a"),
		"/routes/1/path: \"z\" does not begin with a slash\n"},
	{COLLECTION("/y", "a") "," COLLECTION("/z", "a"),
		"/routes/1/collection/name: \"a\" is the name of another collection\n"},
	{COLLECTION("/z", "zones") "," CHILD("/z/{z_id}/r", "b", "zone"),
		"/routes/1/collection/parent: \"zone\" is not a collection (did you mean \"zones\"?)\n"},
	{COLLECTION("/z", "zones") "," CHILD("/z/{z_id}/r", "b", "somethingelse"),
		"/routes/1/collection/parent: \"somethingelse\" is not a collection\n"},
	{COLLECTION("/z", "a") "," CHILD("/r", "b", "a"),
		"/routes/1/path: \"/r\" must have one parameter more than the path of its parent, \"/z\"\n"},
	{COLLECTION("/z/{z_id}/r", "a"),
		"/routes/0/path: \"/z/{z_id}/r\" has a parameter, but the collection has no \"parent\"\n"},
	{CHILD("/z", "a", "a"),
		"/routes/0/path: \"/z\" must have one parameter more than the path of its parent, \"/z\"\n"},
	{COLLECTION("/z", "a") "," CHILD("/z/{id}/r", "b", "a"),
		"/routes/1/path: \"/z/{id}/r\" has {id}, but deferd sets a member of this name itself\n"},
};

static void
test_addresses(void **state)
{
	config_cases_check(addresses, sizeof addresses / sizeof *addresses);
}

static void
test_paths(void **state)
{
	config_cases_check_routes(paths, sizeof paths / sizeof *paths);
}

static void
test_collections(void **state)
{
	config_cases_check_routes(collections, sizeof collections / sizeof *collections);
}

static void
check_listen_count(int count, const char *lines)
{
	struct text json = {0};

	text_add_string(&json, "{\"routes\": [], \"listen\": [\"127.0.0.1:0\"");
	for (int i = 1; i < count; i++)
		text_add_string(&json, ", \"127.0.0.1:0\"");
	text_add_string(&json, "]}");
	struct config_case one = {json.data, lines};
	config_cases_check(&one, 1);
	text_fini(&json);
}

static void
test_many_addresses(void **state)
{
	check_listen_count(CONFIG_LISTEN_MAX, "");
	check_listen_count(CONFIG_LISTEN_MAX + 1, "/listen: 65 elements are not between 1 and 64\n");
}

/* As many routes as there may be, all of one shape or all different, are looked at in no time to speak of. */
static void
test_many_routes(void **state)
{
	struct text json = {0};

	text_add_string(&json, "{\"routes\": [");
	for (int i = 0; i < CONFIG_ROUTES_MAX; i++)
		text_addf(&json, "%s" COLLECTION("/z%d", "z%d"), i ? "," : "", i, i);
	text_add_string(&json, "]}");
	struct config *config = config_cases_load(json.data);
	assert_int_equal(config->route_count, CONFIG_ROUTES_MAX);
	config_free(config);
	text_fini(&json);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_collections),
		cmocka_unit_test(test_many_addresses),
		cmocka_unit_test(test_many_routes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
