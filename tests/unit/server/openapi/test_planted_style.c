/* One more style in the table: the configuration accepts it, the router leads to its monitors, and the OpenAPI
 * document describes it.  Nothing else has to know its name. */
#include "calls/call/styles.h"
#include "calls/monitor/monitor.h"
#include "calls/routes.h"
#include "common/cleanup.h"
#include "common/json/json.h"
#include "config/private.h"
#include "openapi/openapi.h"
#include "styles/style_table.h"
#include "tests/unit/server/operations/operations_fixture.h"

#include <errno.h>
#include <json-c/json.h>
#include <json-c/json_pointer.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define UNKNOWN_ID "a3759997-310d-4513-8d2a-9e047e58368f"
#define WORK "\"program\": {\"argv\": [\"/bin/true\"]}}"

/* What the functions of the planted style did last. */
static struct {
	const char *what;
	const struct op *op;
	const struct style_route *route;
} done;

static void
reply_cancelled(struct http_request *request, struct styles *styles, struct op *op, struct fields *fields)
{
	(void)request, (void)fields;
	done.what = "cancelled";
	done.op = op;
}

static void
reply_missing(struct http_request *request, const struct op *op)
{
	(void)request;
	done.what = "missing";
	done.op = op;
}

static void
handle_list(struct http_request *request, const struct style_place *place)
{
	(void)request;
	done.what = "listed";
	done.route = place->route;
}

static const struct style planted = {
	.name = "planted",
	.is_for_routes = true,
	.reply_cancelled = reply_cancelled,
	.reply_missing = reply_missing,
	.monitors =
		{
			{.path = "/v9/operations/{id}",
				.id_prefix = "operations/",
				.cancels = HTTP_DELETE,
				.item = "{'get': {'responses': {'200': {'description': 'The operation.'}}}}"},
			{.path = "/v9/operations/{id}:cancel",
				.id_prefix = "operations/",
				.cancels = HTTP_POST},
			{.path = "/v9/operations", .handles = HTTP_GET, .handle = handle_list},
		},
	.below =
		{
			{.path = "/{id}/cancel",
				.cancels = HTTP_POST,
				.item = "{'post': {'responses': {'200': {'description': 'It is "
					"stopped.'}}}}"},
			{.path = "", .handles = HTTP_GET, .handle = handle_list},
		},
	.openapi =
		{
			.accepted = "AcceptedPlanted",
			.accepted_status = "201",
			.responses = "{'AcceptedPlanted': {'description': 'It grows.'}}",
			.schemas = "{'Planted': {'type': 'object'}}",
		},
};

static const struct style *table[16];

static void
make_table(void)
{
	table[0] = &planted;
	for (size_t i = 0; style_table[i]; i++)
		table[i + 1] = style_table[i];
}

/* Reads json with the planted style in the table; the mistakes must be lines. */
static struct config *
load(const char *json, const char *lines)
{
	struct json_object *root = NULL;
	struct settings settings;

	config_begin(&settings, "/deferd.json", table);
	struct config *config = config_load(&settings, json, strlen(json), &root);
	assert_string_equal(settings.mistakes.count ? settings.mistakes.lines.data : "", lines);
	json_object_put(root);
	config_end(&settings);
	return config;
}

static void
test_config(void **state)
{
	static const struct {
		const char *routes, *lines;
	} cases[] = {
		{"{\"path\": \"/a\", \"style\": \"planted\", " WORK, ""},
		{"{\"path\": \"/a\", \"style\": \"plant\", " WORK,
			"/routes/0/style: \"plant\" is not one of \"sync\", \"planted\", \"status\", "
			"\"token\", \"resource\", \"azure\", \"google\", \"prediction\"\n"},
		{"{\"path\": \"/v9/operations/x\", " WORK, "/routes/0/path: /v9/operations/x is under "
							   "/v9/operations/, where operations are polled\n"},
		{"{\"path\": \"/v9/operations\", \"methods\": [\"GET\"], " WORK,
			"/routes/0/path: /v9/operations is under /v9/operations, where operations are "
			"polled\n"},
		{"{\"path\": \"/v9/operationsx\", " WORK, ""},
		{"{\"path\": \"/a\", \"style\": \"planted\", " WORK ", {\"path\": \"/a/{x}/cancel\", " WORK,
			"/routes/1/path: POST /a/{}/cancel is already taken by /routes/0\n"},
		{"{\"path\": \"/a/{x...}\", \"style\": \"planted\", " WORK,
			"/routes/0/path: \"/a/{x...}\" ends with {...}: style \"planted\" is polled at "
			"PATH/{id}/cancel, which {...} matches too\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP_FREE char *json = xasprintf("{\"routes\": [%s]}", cases[i].routes);
		config_free(load(json, cases[i].lines));
	}
}

static void
test_openapi(void **state)
{
	static const char *const pointers[] = {
		"/paths/~1v9~1operations~1{id}/get/responses/200",
		"/paths/~1v9~1operations~1{id}/delete",
		"/paths/~1b~1v9~1operations~1{id}/get",
		"/paths/~1b~1a~1{id}~1cancel/post",
		"/components/responses/AcceptedPlanted",
		"/components/schemas/Planted",
	};
	struct config *config = load("{\"routes\": [{\"path\": \"/a\", \"base_path\": \"/b\","
				     " \"style\": \"planted\", " WORK "]}",
		"");
	struct json_object *document = openapi_document(config, table), *found;

	(void)state;
	for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++)
		if (json_pointer_get(document, pointers[i], &found) != 0)
			fail_msg("%s is missing", pointers[i]);
	assert_int_equal(json_pointer_get(document, "/paths/~1b~1a/post/responses/201", &found), 0);
	assert_string_equal(json_object_get_string(json_object_object_get(found, "$ref")),
		"#/components/responses/AcceptedPlanted");
	assert_int_not_equal(json_pointer_get(document, "/paths/~1b~1a/post/responses/202", &found), 0);
	json_object_put(document);
	config_free(config);
}

/* Leads a request without fields to its target, and lets that answer. */
static int
ask(const struct router *router, enum http_method method, const char *path)
{
	struct http_request request = {.method = method};
	int rc = router_find(router, path, strlen(path), method, &request.match);

	memset(&done, 0, sizeof done);
	if (rc < 0)
		return rc;
	struct http_target *target = request.match.target;
	target->handler(&request, target->arg);
	return 0;
}

static void
assert_asked(const struct router *router, enum http_method method, const char *format, const char *id,
	const char *what, const struct op *op)
{
	CLEANUP(text_fini) struct text path = {0};

	text_add_string(&path, format);
	text_add_string(&path, id);
	text_add_string(&path, method == HTTP_POST ? ":cancel" : "");
	assert_int_equal(ask(router, method, path.data), 0);
	assert_string_equal(done.what, what);
	assert_ptr_equal(done.op, op);
}

static void
check_monitors(struct styles *styles, const struct op *op)
{
	struct router *router = router_new();
	char id[ID_TEXT_SIZE];

	id_format(&op->id, id);
	assert_int_equal(styles_enter_monitors(styles, router, ""), 0);
	assert_int_equal(styles_enter_monitors(styles, router, "/bc"), 0);
	assert_asked(router, HTTP_DELETE, "/v9/operations/", UNKNOWN_ID, "missing", NULL);
	assert_asked(router, HTTP_POST, "/v9/operations/", UNKNOWN_ID, "missing", NULL);
	assert_asked(router, HTTP_DELETE, "/v9/operations/other%2F", id, "missing", NULL);
	assert_asked(router, HTTP_POST, "/v9/operations/operations%2F", id, "cancelled", op);
	assert_asked(router, HTTP_POST, "/bc/v9/operations/", id, "cancelled", op);
	assert_int_equal(ask(router, HTTP_GET, "/v9/operations"), 0);
	assert_string_equal(done.what, "listed");
	assert_null(done.route);
	assert_int_equal(ask(router, HTTP_PUT, "/v9/operations/x"), -EPERM);
	router_free(router);
}

static void
check_cancel_below(const struct router *router, const struct op *op, const char *what)
{
	char id[ID_TEXT_SIZE];

	id_format(&op->id, id);
	CLEANUP_FREE char *path = xasprintf("/a/%s/cancel", id);
	assert_int_equal(ask(router, HTTP_POST, path), 0);
	assert_string_equal(done.what, what);
}

/* A monitor below a route knows the operations of that route alone. */
static void
check_below(struct styles *styles, struct op_route *op_route, const struct op *op, const struct op *other)
{
	struct style_route_config config = {.pattern = "/a", .op_route = op_route, .style = &planted};
	struct style_route *route = style_route_new(styles, &config);
	struct router *router = router_new();

	assert_int_equal(style_route_enter(route, router, HTTP_POST), 0);
	check_cancel_below(router, op, "cancelled");
	check_cancel_below(router, other, "missing");
	assert_int_equal(ask(router, HTTP_GET, "/a"), 0);
	assert_ptr_equal(done.route, route);
	router_free(router);
	style_route_unref(route);
}

static void
test_routes(void **state)
{
	struct fixture *f = *state;
	struct styles_config config = {.table = table,
		.operations = f->operations,
		.mailbox = f->mailbox,
		.timers = f->timers,
		.spool_fd = -1};
	struct op *a = fixture_submit(f, f->a, "/a"), *b = fixture_submit(f, f->b, "/b");
	struct styles *styles;

	UNTIL(fixture_begun(f) == 2);
	assert_int_equal(styles_new(&config, &styles), 0);
	check_monitors(styles, a);
	check_below(styles, f->b, b, a);
	f->b = NULL; /* its reference was taken */
	styles_free(styles);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_openapi),
		cmocka_unit_test_setup_teardown(test_routes, fixture_set_up, fixture_tear_down),
	};

	make_table();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
