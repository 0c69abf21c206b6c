/* Waits for the end of an operation and hands out its result. */
#include "deferctl/wait.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json/json.h"
#include "deferctl/bar.h"
#include "deferctl/interrupt.h"
#include "deferctl/monitor.h"
#include "deferctl/printable.h"
#include "deferctl/target.h"

#include <stdio.h>
#include <string.h>

#define REDIRECTS_MAX 10
#define PAUSE_DEFAULT_MS 1000
#define STALL_S 120L
#define URL_SHOWN_MAX 8192

struct waiting {
	struct session *session;
	struct ticket *ticket;
	struct bar bar;
	uint64_t failures; /* one after the other */
	unsigned redirects;
	int exit_status; /* once it has ended */
};

/* A redirect of a monitor, not of a final response. */
static bool
is_redirect(const struct exchange *exchange)
{
	struct field field;

	return exchange->status >= 301 && exchange->status <= 308 && exchange->status != 304 &&
	       !fields_find(&exchange->fields, "AsyncResult", &field) &&
	       fields_find(&exchange->fields, "Location", &field);
}

static enum exchange_body
sort_plain(const struct exchange *exchange)
{
	bool is_passing;

	if (is_redirect(exchange))
		return EXCHANGE_KEEP;
	return monitor_is_final(exchange->status, &exchange->fields, &is_passing) ? EXCHANGE_STREAM
										  : EXCHANGE_KEEP;
}

static struct json_object *
parse_body(const struct exchange *exchange)
{
	struct json_object *value = NULL;
	struct json_mistake mistake;

	if (exchange->body.len > 0 &&
		json_parse(exchange->body.data, exchange->body.len, &value, &mistake) < 0)
		return NULL;
	return value;
}

static void
print_summary(const char *monitor, const struct exchange *exchange, bool has_failed)
{
	CLEANUP(text_fini) struct text json = {0};

	text_add_string(&json, "{\"monitor\":");
	text_add_json(&json, monitor);
	text_addf(&json, ",\"status\":%ld,\"failed\":%s,\"bytes\":%llu}\n", exchange->status,
		has_failed ? "true" : "false", (unsigned long long)exchange->session->output.bytes);
	fputs(json.data, stdout);
}

int
wait_finish(struct session *session, const char *monitor, const struct exchange *exchange, bool has_failed)
{
	int rc = 0;

	if (exchange->body.len > 0)
		rc = output_write(&session->output, exchange->body.data, exchange->body.len);
	if (rc == 0)
		rc = output_finish(&session->output);
	if (rc < 0) {
		fprintf(stderr, "deferctl: the result cannot be written: %s\n", strerror(-rc));
		return CURLE_WRITE_ERROR;
	}
	if (session->options->is_json)
		print_summary(monitor, exchange, has_failed);
	return has_failed || exchange->status >= 400 ? EXIT_REFUSED : EXIT_GOOD;
}

static void
print_how_to_go_on(const struct waiting *waiting)
{
	CLEANUP_FREE char *url = printable_dup(waiting->ticket->url, URL_SHOWN_MAX);

	fputs("deferctl: the operation goes on.  Its result: deferctl wait '", stderr);
	for (const char *at = url; *at; at++)
		fputs(*at == '\'' ? "%27" : (char[]){*at, '\0'}, stderr);
	fputs("'\n", stderr);
}

/* Asks the server to cancel what is polled at url; the exit status. */
static int
cancel(struct session *session, const char *url, struct exchange *ret_exchange)
{
	CLEANUP_FREE char *operation = target_of_operation(url, NULL);

	*ret_exchange =
		(struct exchange){.method = "DELETE", .url = operation ? operation : url, .stall_s = STALL_S};
	int code = exchange_run(session, ret_exchange);
	ret_exchange->url = url;
	return code != 0 ? code : ret_exchange->status >= 400 ? EXIT_REFUSED : EXIT_GOOD;
}

/* A SIGINT came: true if waiting goes on. */
static bool
go_on_after_interrupt(struct waiting *waiting)
{
	struct exchange exchange;

	bar_clear(&waiting->bar);
	enum interrupt_answer answer =
		interrupt_ask("Cancel the operation?  (Interrupt again to leave it running.)");
	if (answer == INTERRUPT_AGAIN) {
		print_how_to_go_on(waiting);
		waiting->exit_status = EXIT_INTERRUPTED;
		return false;
	}
	interrupt_forget();
	if (answer == INTERRUPT_YES) {
		if (cancel(waiting->session, waiting->ticket->url, &exchange) != 0)
			fputs("deferctl: the operation could not be cancelled\n", stderr);
		exchange_fini(&exchange);
	}
	return true;
}

static void
pause_for(int64_t ms)
{
	if (ms > 0)
		interrupt_sleep(ms);
}

/* The exchange failed, or was answered with a failure that passes: true if it is tried again. */
static bool
go_on_after_failure(struct waiting *waiting, const struct exchange *exchange)
{
	int64_t pause_ms = PAUSE_DEFAULT_MS << (waiting->failures < 5 ? waiting->failures : 5);

	if (waiting->failures++ >= waiting->session->options->retries ||
		output_restart(&waiting->session->output) < 0)
		return false;
	pause_for(exchange->retry_after_ms > pause_ms ? exchange->retry_after_ms : pause_ms);
	return true;
}

static bool
end_with(struct waiting *waiting, const struct exchange *exchange, bool has_failed)
{
	bar_clear(&waiting->bar);
	waiting->exit_status = wait_finish(waiting->session, waiting->ticket->url, exchange, has_failed);
	return false;
}

static bool
move_to(struct waiting *waiting, const char *reference)
{
	char *url = reference ? target_resolve(waiting->ticket->url, reference) : NULL;

	if (!url || waiting->redirects++ >= REDIRECTS_MAX) {
		free(url);
		bar_clear(&waiting->bar);
		fputs("deferctl: the monitor leads from one place to the next without end\n", stderr);
		waiting->exit_status = CURLE_TOO_MANY_REDIRECTS;
		return false;
	}
	free(waiting->ticket->url);
	waiting->ticket->url = url;
	return true;
}

/* An envelope says that the operation has succeeded: its result may stand elsewhere. */
static bool
fetch_result(struct waiting *waiting, const struct exchange *exchange, struct json_object *body)
{
	struct json_object *place = json_find(body, "resourceLocation", NULL);
	CLEANUP_FREE char *result = waiting->ticket->result;

	waiting->ticket->result = NULL;
	waiting->ticket->kind = MONITOR_PLAIN;
	if (json_object_is_type(place, json_type_string))
		return move_to(waiting, json_object_get_string(place));
	if (result)
		return move_to(waiting, result);
	return end_with(waiting, exchange, false);
}

static bool
go_on_after_pause(struct waiting *waiting, const struct exchange *exchange, const struct monitor_news *news,
	int64_t took_ms)
{
	waiting->failures = 0;
	bar_draw(&waiting->bar, news);
	pause_for((exchange->retry_after_ms >= 0 ? exchange->retry_after_ms : PAUSE_DEFAULT_MS) - took_ms);
	return true;
}

/* What an answer means for the waiting: true if it goes on. */
static bool
judge(struct waiting *waiting, const struct exchange *exchange, int64_t took_ms)
{
	CLEANUP(cleanup_json) struct json_object *body = parse_body(exchange);
	struct monitor_news news;
	bool is_passing, is_final = monitor_is_final(exchange->status, &exchange->fields, &is_passing);

	if (is_passing)
		return go_on_after_failure(waiting, exchange) || end_with(waiting, exchange, true);
	if (is_redirect(exchange)) {
		CLEANUP_FREE char *location = fields_dup_value(&exchange->fields, "Location");
		return move_to(waiting, location);
	}
	monitor_read(waiting->ticket->kind, &exchange->fields, body, &news);
	if (waiting->ticket->kind == MONITOR_PLAIN)
		return is_final ? end_with(waiting, exchange, false)
				: go_on_after_pause(waiting, exchange, &news, took_ms);
	if (exchange->status >= 400 || !body)
		return end_with(waiting, exchange, exchange->status >= 400);
	if (!news.has_ended)
		return go_on_after_pause(waiting, exchange, &news, took_ms);
	return news.has_failed ? end_with(waiting, exchange, true) : fetch_result(waiting, exchange, body);
}

static bool
fail(struct waiting *waiting, int code)
{
	bar_clear(&waiting->bar);
	exchange_complain(waiting->session, code);
	waiting->exit_status = code;
	print_how_to_go_on(waiting);
	return false;
}

/* One poll; true if another is due. */
static bool
poll_once(struct waiting *waiting)
{
	CLEANUP(exchange_fini)
	struct exchange exchange = {.method = "GET", .url = waiting->ticket->url, .stall_s = STALL_S};
	int64_t start_ms = clock_mono_ms();

	if (waiting->ticket->kind == MONITOR_PLAIN)
		exchange.sort = sort_plain;
	/* A bar wants news more often than a script. */
	fields_put(&exchange.send, "Prefer", waiting->bar.is_shown ? "wait=2" : "wait=20");
	int code = exchange_run(waiting->session, &exchange);
	if (interrupt_count() > 0)
		return go_on_after_interrupt(waiting);
	if (code != 0)
		return (exchange_may_pass(code) && go_on_after_failure(waiting, &exchange)) ||
		       fail(waiting, code);
	return judge(waiting, &exchange, clock_mono_ms() - start_ms);
}

int
wait_for_end(struct session *session, struct ticket *ticket)
{
	struct waiting waiting = {.session = session, .ticket = ticket};

	bar_init(&waiting.bar, session->options->is_quiet);
	while (poll_once(&waiting))
		;
	return waiting.exit_status;
}

int
wait_command(struct session *session)
{
	CLEANUP(ticket_fini) struct ticket ticket;

	ticket_of_url(session->url, &ticket);
	interrupt_catch();
	return wait_for_end(session, &ticket);
}

int
wait_cancel_command(struct session *session)
{
	CLEANUP(exchange_fini) struct exchange exchange;
	int code = cancel(session, session->url, &exchange);

	if (code != 0 && code != EXIT_REFUSED)
		exchange_complain(session, code);
	else if (code == EXIT_REFUSED)
		return wait_finish(session, session->url, &exchange, true);
	return code;
}
