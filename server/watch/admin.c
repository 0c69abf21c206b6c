/* HTTP endpoints for operators: health, readiness, metrics and the list of operations. */
#include "watch/admin.h"

#include "common/cleanup.h"
#include "http/message/reply.h"
#include "operations/operations.h"
#include "store/store.h"
#include "watch/list.h"
#include "watch/metrics.h"

#include <stdlib.h>

enum { HEALTHZ, READYZ, METRICS, LIST, TARGETS };

struct admin {
	struct admin_sources sources;
	bool draining;
	struct http_target targets[TARGETS];
};

static void
reply_text(struct http_request *request, int status, const char *type, const struct text *text)
{
	CLEANUP(fields_fini) struct fields fields = {0};

	fields_put(&fields, "Content-Type", type);
	fields_put(&fields, "Cache-Control", "no-store");
	reply_bytes(request, status, &fields, text->data, text->len);
}

/* Any answer proves that the loop turns. */
static void
on_healthz(struct http_request *request, void *arg)
{
	CLEANUP(text_fini) struct text text = {0};

	(void)arg;
	text_add_string(&text, "ok\n");
	reply_text(request, 200, "text/plain; charset=utf-8", &text);
}

static void
add_check(struct text *text, bool *ready, const char *name, bool good, const char *otherwise)
{
	text_addf(text, "%s: %s\n", name, good ? "ok" : otherwise);
	*ready = *ready && good;
}

/* 200 if a call would be accepted now. */
static void
on_readyz(struct http_request *request, void *arg)
{
	struct admin *admin = arg;
	CLEANUP(text_fini) struct text text = {0};
	struct operations_stats stats;
	bool ready = true;

	operations_get_stats(admin->sources.operations, &stats);
	add_check(&text, &ready, "store", store_is_healthy(admin->sources.store),
		"operations cannot be stored");
	add_check(&text, &ready, "queue", stats.outstanding < stats.capacity, "the server is at capacity");
	add_check(&text, &ready, "drain", !admin->draining, "the server is shutting down");
	reply_text(request, ready ? 200 : 503, "text/plain; charset=utf-8", &text);
}

static void
on_metrics(struct http_request *request, void *arg)
{
	struct admin *admin = arg;
	CLEANUP(text_fini) struct text text = {0};

	metrics_format(admin->sources.metrics, &text);
	reply_text(request, 200, "text/plain; version=0.0.4; charset=utf-8", &text);
}

static void
on_list(struct http_request *request, void *arg)
{
	struct admin *admin = arg;

	list_reply(request, admin->sources.operations, admin->sources.timers);
}

struct admin *
admin_new(const struct admin_sources *sources)
{
	static const http_handler_fn handlers[TARGETS] = {
		[HEALTHZ] = on_healthz,
		[READYZ] = on_readyz,
		[METRICS] = on_metrics,
		[LIST] = on_list,
	};
	struct admin *admin = xcalloc(1, sizeof *admin);

	admin->sources = *sources;
	for (int i = 0; i < TARGETS; i++)
		admin->targets[i] = (struct http_target){.handler = handlers[i], .arg = admin};
	return admin;
}

void
admin_free(struct admin *admin)
{
	free(admin);
}

void
admin_set_draining(struct admin *admin)
{
	admin->draining = true;
}

int
admin_enter(struct admin *admin, struct router *router)
{
	static const struct {
		const char *path;
		int target;
	} paths[] = {
		{"/healthz", HEALTHZ}, {"/readyz", READYZ}, {"/metrics", METRICS}, {"/operations", LIST}};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof paths / sizeof *paths; i++)
		rc = router_add(router, paths[i].path, HTTP_GET, &admin->targets[paths[i].target]);
	return rc;
}

int
admin_enter_list(struct admin *admin, struct router *router)
{
	return router_add(router, "/operations", HTTP_GET, &admin->targets[LIST]);
}
