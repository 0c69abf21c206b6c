/* `deferctl list` and `deferctl top`: many operations. */
#include "deferctl/lists.h"

#include "common/cleanup.h"
#include "common/json/json.h"
#include "deferctl/interrupt.h"
#include "deferctl/printable.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define STALL_S 60L
#define TOP_PERIOD_MS 2000
#define COLUMN_MAX 40

static void
add_parameter(struct text *url, const char *name, const char *value)
{
	if (!value)
		return;
	char *escaped = curl_easy_escape(NULL, value, 0);
	text_addf(url, "%c%s=%s", strchr(url->data, '?') ? '&' : '?', name, escaped);
	curl_free(escaped);
}

/* The user names a server or the list itself. */
static char *
format_url(const struct session *session, const char *limit)
{
	const struct options *options = session->options;
	struct text url = {0};
	size_t len = strlen(session->url);

	while (len > 0 && session->url[len - 1] == '/')
		len--;
	text_add(&url, session->url, len);
	if (!strstr(url.data, "/operations"))
		text_add_string(&url, "/operations");
	add_parameter(&url, "state", options->state);
	add_parameter(&url, "route", options->route);
	add_parameter(&url, "limit", options->limit ? options->limit : limit);
	return text_take(&url);
}

static void
print_cell(struct json_object *operation, const char *name, const char *other, int width)
{
	struct json_object *value = json_find(operation, name, NULL);

	if (!value && other)
		value = json_find(operation, other, NULL);
	CLEANUP_FREE char *shown = printable_dup(value ? json_object_get_string(value) : NULL, COLUMN_MAX);
	printf("%-*s  ", width, shown);
}

static void
print_operation(struct json_object *operation)
{
	print_cell(operation, "id", NULL, 36);
	print_cell(operation, "state", NULL, 9);
	print_cell(operation, "progress", NULL, 4);
	print_cell(operation, "accepted_at", "accepted", 24);
	print_cell(operation, "style", NULL, 10);
	print_cell(operation, "route", NULL, 1);
	putchar('\n');
}

static int
print_table(const struct exchange *exchange)
{
	CLEANUP(cleanup_json) struct json_object *value = NULL;
	struct json_mistake mistake;

	if (exchange->body.len == 0 ||
		json_parse(exchange->body.data, exchange->body.len, &value, &mistake) < 0)
		value = NULL;
	struct json_object *list = json_find(value, "operations", NULL);
	if (!json_object_is_type(list, json_type_array)) {
		fputs("deferctl: the answer is no list of operations\n", stderr);
		return CURLE_WEIRD_SERVER_REPLY;
	}
	printf("%-36s  %-9s  %-4s  %-24s  %-10s  %s\n", "ID", "STATE", "DONE", "ACCEPTED", "STYLE", "ROUTE");
	for (size_t i = 0; i < json_object_array_length(list); i++)
		print_operation(json_object_array_get_idx(list, i));
	return EXIT_GOOD;
}

/* Asks once and prints; before is written where there was an answer. */
static int
show(struct session *session, const char *url, const char *before)
{
	CLEANUP(exchange_fini) struct exchange exchange = {.method = "GET", .url = url, .stall_s = STALL_S};
	int code = exchange_run(session, &exchange);

	if (code != 0) {
		exchange_complain(session, code);
		return code;
	}
	if (exchange.status >= 300) {
		fprintf(stderr, "deferctl: the server answers %ld\n", exchange.status);
		return EXIT_REFUSED;
	}
	fputs(before, stdout);
	if (!session->options->is_json)
		return print_table(&exchange);
	fflush(stdout);
	return output_line(&session->output, &exchange.body) < 0 ? CURLE_WRITE_ERROR : EXIT_GOOD;
}

int
lists_command(struct session *session)
{
	CLEANUP_FREE char *url = format_url(session, "100");

	return show(session, url, "");
}

int
lists_top_command(struct session *session)
{
	struct winsize size = {0};
	bool is_terminal = isatty(STDOUT_FILENO);
	int code = EXIT_GOOD;

	interrupt_catch();
	while (code == EXIT_GOOD && interrupt_count() == 0) {
		CLEANUP_FREE char *limit = NULL;
		if (is_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 3)
			limit = xasprintf("%d", size.ws_row - 2);
		CLEANUP_FREE char *url = format_url(session, limit ? limit : "20");
		code = show(session, url, is_terminal ? "\033[H\033[J" : "");
		fflush(stdout);
		interrupt_sleep(TOP_PERIOD_MS);
	}
	return interrupt_count() > 0 ? EXIT_GOOD : code;
}
