/* What an answer of a monitor means. */
#include "deferctl/monitor.h"

#include "common/cleanup.h"
#include "common/json/json.h"
#include "common/text.h"
#include "deferctl/printable.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

bool
monitor_is_final(long status, const struct fields *fields, bool *ret_is_passing)
{
	struct field field;
	bool has_result = fields_find(fields, "AsyncResult", &field);

	*ret_is_passing = !has_result && (status == 429 || (status >= 502 && status <= 504));
	return has_result || (status != 202 && !*ret_is_passing);
}

/* "40% text" */
static void
read_progress_field(const struct fields *fields, struct monitor_news *news)
{
	CLEANUP_FREE char *value = fields_dup_value(fields, "X-Progress");
	int percent, used = 0;

	if (!value)
		return;
	const char *message = value;
	if (sscanf(value, "%3d%%%n", &percent, &used) == 1 && used > 0 && percent >= 0 && percent <= 100) {
		news->progress = percent;
		message = value + used + strspn(value + used, " ");
	}
	CLEANUP_FREE char *printable = printable_dup(message, sizeof news->message - 1);
	snprintf(news->message, sizeof news->message, "%s", printable);
}

static void
read_progress_member(struct json_object *body, const char *name, struct monitor_news *news)
{
	struct json_object *value = json_find(body, name, NULL);

	if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
		return;
	double percent = json_object_get_double(value);
	if (percent >= 0 && percent <= 100)
		news->progress = (int)percent;
}

static bool
is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (strcasecmp(word, *words) == 0)
			return true;
	return false;
}

static void
read_status(struct json_object *status, struct monitor_news *news)
{
	static const char *const good[] = {"SUCCESS", "succeeded", "READY", "complete", "completed", NULL};
	static const char *const bad[] = {"FAILED", "failure", "canceled", "cancelled", "timed_out",
		"EXPIRED", "NOT_FOUND", "ERROR", NULL};

	if (!json_object_is_type(status, json_type_string))
		return;
	const char *word = json_object_get_string(status);
	news->has_failed = is_one_of(word, bad);
	news->has_ended = news->has_failed || is_one_of(word, good);
}

void
monitor_read(enum monitor_kind kind, const struct fields *fields, struct json_object *body,
	struct monitor_news *ret_news)
{
	struct monitor_news news = {.progress = -1};

	read_progress_member(body, "progress", &news);
	read_progress_member(body, "percentComplete", &news);
	read_progress_field(fields, &news);
	if (kind == MONITOR_STATUS)
		read_status(json_find(body, "status", NULL), &news);
	if (kind == MONITOR_TOKEN) {
		read_status(json_find(body, "asyncOperation", "status", NULL), &news);
		struct json_object *status = json_find(body, "resultStatus", NULL);
		news.has_failed |= status && json_object_get_int(status) >= 400;
	}
	if (kind == MONITOR_LONG_RUNNING) {
		news.has_ended = json_object_get_boolean(json_find(body, "done", NULL));
		news.has_failed = json_find(body, "error", NULL) != NULL;
	}
	*ret_news = news;
}
