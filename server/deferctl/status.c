/* `deferctl status` and `deferctl output`: one operation as it is now. */
#include "deferctl/status.h"

#include "common/cleanup.h"
#include "common/json/json.h"
#include "deferctl/monitor.h"
#include "deferctl/printable.h"
#include "deferctl/target.h"

#include <stdio.h>
#include <string.h>

#define STALL_S 60L
#define VALUE_MAX 1000

static enum exchange_body
sort_output(const struct exchange *exchange)
{
	return EXCHANGE_STREAM;
}

static int
ask(struct session *session, const char *method, const char *url, struct exchange *ret_exchange)
{
	*ret_exchange = (struct exchange){.method = method, .url = url, .stall_s = STALL_S};
	int code = exchange_run(session, ret_exchange);
	if (code != 0)
		exchange_complain(session, code);
	return code;
}

static void
print_member(const char *name, const char *value)
{
	CLEANUP_FREE char *shown_name = printable_dup(name, 40), *shown = printable_dup(value, VALUE_MAX);

	printf("%-15s %s\n", shown_name, shown);
}

static int
print_status(struct session *session, const struct exchange *exchange)
{
	CLEANUP(cleanup_json) struct json_object *value = NULL;
	struct json_mistake mistake;

	if (session->options->is_json)
		return output_line(&session->output, &exchange->body) < 0 ? CURLE_WRITE_ERROR : EXIT_GOOD;
	if (exchange->body.len == 0 ||
		json_parse(exchange->body.data, exchange->body.len, &value, &mistake) < 0 ||
		!json_object_is_type(value, json_type_object)) {
		fputs("deferctl: the status is no object of JSON\n", stderr);
		return CURLE_WEIRD_SERVER_REPLY;
	}
	json_object_object_foreach(value, name, member) if (member && strcmp(name, "links") != 0)
		print_member(name, json_object_get_string(member));
	return EXIT_GOOD;
}

/* By what every monitor says in its header, for servers that have no status of operations. */
static int
print_monitor(struct session *session)
{
	CLEANUP(exchange_fini) struct exchange exchange;
	CLEANUP(text_fini) struct text progress = {0};
	struct monitor_news news;
	bool is_passing;

	int code = ask(session, "HEAD", session->url, &exchange);
	if (code != 0)
		return code;
	bool is_final = monitor_is_final(exchange.status, &exchange.fields, &is_passing);
	CLEANUP_FREE char *result = fields_dup_value(&exchange.fields, "AsyncResult");
	if (is_passing || (is_final && !result && exchange.status >= 400)) {
		fprintf(stderr, "deferctl: the server answers %ld\n", exchange.status);
		return EXIT_REFUSED;
	}
	monitor_read(MONITOR_PLAIN, &exchange.fields, NULL, &news);
	if (news.progress >= 0)
		text_addf(&progress, "%d", news.progress);
	if (session->options->is_json) {
		printf("{\"state\":\"%s\",\"status\":%ld,\"progress\":%s}\n", is_final ? "ended" : "pending",
			is_final ? exchange.status : 0L, progress.len > 0 ? progress.data : "null");
		return EXIT_GOOD;
	}
	print_member("state", is_final ? "ended" : "pending");
	if (result)
		print_member("status", result);
	if (progress.len > 0)
		print_member("progress", progress.data);
	if (news.message[0])
		print_member("message", news.message);
	return EXIT_GOOD;
}

int
status_command(struct session *session)
{
	CLEANUP(exchange_fini) struct exchange exchange = {0};
	CLEANUP_FREE char *url = target_of_operation(session->url, "status");

	if (!url)
		return print_monitor(session);
	int code = ask(session, "GET", url, &exchange);
	if (code != 0)
		return code;
	return exchange.status == 200 ? print_status(session, &exchange) : print_monitor(session);
}

int
status_output_command(struct session *session)
{
	const char *part = session->options->is_following ? "output" : "output?follow=false";
	CLEANUP_FREE char *url = target_of_operation(session->url, part);
	CLEANUP(exchange_fini) struct exchange exchange = {.method = "GET", .url = url, .sort = sort_output};

	if (!url) {
		fputs("deferctl: output wants the URL or the id of an operation\n", stderr);
		return EXIT_USAGE;
	}
	int code = exchange_run(session, &exchange);
	if (code != 0)
		exchange_complain(session, code);
	return code != 0 ? code : exchange.status >= 400 ? EXIT_REFUSED : EXIT_GOOD;
}
