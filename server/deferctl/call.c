/* `deferctl call`: calls asynchronously, in whatever style the server answers. */
#include "deferctl/call.h"

#include "common/cleanup.h"
#include "common/json/json.h"
#include "deferctl/interrupt.h"
#include "deferctl/monitor.h"
#include "deferctl/wait.h"

#include <stdio.h>
#include <string.h>

#define PAUSE_MS 1000

/* A small answer in JSON may be a ticket; all else that is no 202 is a result. */
static enum exchange_body
sort_call(const struct exchange *exchange)
{
	return exchange->status == 202 || exchange->status == 429 || exchange->status == 503
		       ? EXCHANGE_KEEP
		       : EXCHANGE_EITHER;
}

static bool
is_safe(const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

/* Whether the call has the key of --key, or the one that was made for it. */
static bool
has_own_key(const struct options *options)
{
	struct field field;

	return !is_safe(options->method) && !fields_find(&options->fields, "Idempotency-Key", &field);
}

static void
put_fields(const struct options *options, struct fields *fields)
{
	struct field field;
	const char *data = options->data ? options->data : "";

	fields_put(fields, "Prefer", "respond-async");
	if (has_own_key(options))
		fields_putf(fields, "Idempotency-Key", "\"%s\"", options->key);
	if (*data && !fields_find(&options->fields, "Content-Type", &field))
		fields_put(fields, "Content-Type",
			data[0] == '{' || data[0] == '[' ? "application/json" : "application/octet-stream");
}

/* Whether the same is sent again: the Idempotency-Key makes that safe.  A standard input cannot be read twice. */
static bool
is_tried_again(const struct session *session, const struct exchange *exchange, int code, uint64_t attempt)
{
	const char *data = session->options->data;
	struct field field;

	if (attempt >= session->options->retries || (data && strcmp(data, "@-") == 0) ||
		exchange->is_streamed)
		return false;
	if (code != 0)
		return exchange_may_pass(code);
	return (exchange->status == 429 || exchange->status == 503) && exchange->retry_after_ms >= 0 &&
	       !fields_find(&exchange->fields, "AsyncResult", &field);
}

/* A method that usually has a body has an empty one where none is given. */
static const char *
find_data(const struct options *options)
{
	static const char *const with_body[] = {"POST", "PUT", "PATCH"};

	for (size_t i = 0; i < sizeof with_body / sizeof *with_body && !options->data; i++)
		if (strcmp(options->method, with_body[i]) == 0)
			return "";
	return options->data;
}

static int
send_call(struct session *session, struct exchange *exchange)
{
	const struct options *options = session->options;

	for (uint64_t attempt = 0;; attempt++) {
		*exchange = (struct exchange){.method = options->method,
			.url = session->url,
			.data = find_data(options),
			.is_call = true,
			.sort = sort_call};
		put_fields(options, &exchange->send);
		int code = exchange_run(session, exchange);
		if (!is_tried_again(session, exchange, code, attempt) || interrupt_count() > 0)
			return code;
		int64_t pause_ms = PAUSE_MS << (attempt < 5 ? attempt : 5);
		interrupt_sleep(exchange->retry_after_ms > pause_ms ? exchange->retry_after_ms : pause_ms);
		if (interrupt_count() > 0)
			return EXIT_INTERRUPTED;
		exchange_fini(exchange);
	}
}

static int
follow(struct session *session, struct exchange *exchange)
{
	CLEANUP(cleanup_json) struct json_object *body = NULL;
	CLEANUP(ticket_fini) struct ticket ticket = {0};
	struct json_mistake mistake;

	if (exchange->body.len > 0 &&
		json_parse(exchange->body.data, exchange->body.len, &body, &mistake) < 0)
		body = NULL;
	if (!ticket_read(session->url, exchange->status, &exchange->fields, body, &ticket))
		return wait_finish(session, session->url, exchange, false);
	if (!session->options->is_detached)
		return wait_for_end(session, &ticket);
	printf("%s\n", ticket.url);
	return EXIT_GOOD;
}

int
call_command(struct session *session)
{
	CLEANUP(exchange_fini) struct exchange exchange = {0};

	interrupt_catch();
	int code = send_call(session, &exchange);
	if (code == 0)
		return follow(session, &exchange);
	exchange_complain(session, code);
	if (has_own_key(session->options))
		fprintf(stderr,
			"deferctl: an operation may have begun.  To join it, call again with --key %s\n",
			session->options->key);
	return code;
}
