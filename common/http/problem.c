/* Problems (RFC 9457): the table of names, status codes and titles, and the writer of the JSON document. */
#include "common/http/problem.h"

#include "common/json/json.h"

#include <json-c/json.h>
#include <string.h>

static const struct {
	const char *name;
	int status;
	const char *title;
} table[PROBLEM_COUNT] = {
	[PROBLEM_NONE] = {"none", 500, "No problem"},
	[PROBLEM_BAD_REQUEST] = {"bad-request", 400, "The request is malformed"},
	[PROBLEM_LENGTH_REQUIRED] = {"length-required", 411, "Content-Length is required"},
	[PROBLEM_CONTENT_TOO_LARGE] = {"content-too-large", 413, "The body is too large"},
	[PROBLEM_URI_TOO_LONG] = {"uri-too-long", 414, "The request target is too long"},
	[PROBLEM_EXPECTATION_FAILED] = {"expectation-failed", 417, "The expectation cannot be met"},
	[PROBLEM_HEADER_TOO_LARGE] = {"header-too-large", 431, "The header is too large"},
	[PROBLEM_NOT_IMPLEMENTED] = {"not-implemented", 501,
		"The method or transfer coding is not implemented"},
	[PROBLEM_VERSION_NOT_SUPPORTED] = {"version-not-supported", 505, "The HTTP version is not supported"},
	[PROBLEM_REQUEST_TIMEOUT] = {"request-timeout", 408, "The request took too long to arrive"},
	[PROBLEM_UNAUTHORIZED] = {"unauthorized", 401, "Authentication is required"},
	[PROBLEM_FORBIDDEN] = {"forbidden", 403, "The caller does not have permission"},
	[PROBLEM_FOREIGN_ORIGIN] = {"foreign-origin", 403, "Pages of this origin may not call"},
	[PROBLEM_MISDIRECTED] = {"misdirected", 421, "The server does not answer to this name"},
	[PROBLEM_NOT_FOUND] = {"not-found", 404, "Not found"},
	[PROBLEM_METHOD_NOT_ALLOWED] = {"method-not-allowed", 405, "The method is not allowed here"},
	[PROBLEM_INVALID_PARAMETER] = {"invalid-parameter", 400, "A parameter is not valid"},
	[PROBLEM_UNSUPPORTED_MEDIA_TYPE] = {"unsupported-media-type", 415, "The media type is not supported"},
	[PROBLEM_INVALID_JSON] = {"invalid-json", 400, "The body is not JSON"},
	[PROBLEM_INVALID_BODY] = {"invalid-body", 400, "The body does not match the schema"},
	[PROBLEM_CONFLICT] = {"conflict", 409, "The request conflicts with the current state"},
	[PROBLEM_PRECONDITION_FAILED] = {"precondition-failed", 412, "The precondition failed"},
	[PROBLEM_KEY_REQUIRED] = {"idempotency-key-required", 400, "An Idempotency-Key is required"},
	[PROBLEM_KEY_INVALID] = {"idempotency-key-invalid", 400, "The Idempotency-Key is not valid"},
	[PROBLEM_KEY_REUSED] = {"idempotency-key-reused", 422,
		"The Idempotency-Key was used for another request"},
	[PROBLEM_CAPACITY] = {"capacity", 503, "The server is at capacity"},
	[PROBLEM_QUEUE_FULL] = {"queue-full", 429, "The queue is full"},
	[PROBLEM_LOGIN_FAILURES] = {"login-failures", 429, "Too many log-ins have failed"},
	[PROBLEM_DRAINING] = {"draining", 503, "The server is shutting down"},
	[PROBLEM_STORAGE] = {"storage", 503, "The operation cannot be stored"},
	[PROBLEM_QUEUE_TIMEOUT] = {"queue-timeout", 503, "The operation waited too long in the queue"},
	[PROBLEM_RUN_TIMEOUT] = {"run-timeout", 504, "The operation ran too long and was stopped"},
	[PROBLEM_CANCELLED] = {"cancelled", 410, "The operation was cancelled"},
	[PROBLEM_INTERRUPTED] = {"interrupted", 500,
		"The operation was interrupted by a restart of the server"},
	[PROBLEM_EXPIRED] = {"expired", 410, "The result is no longer kept"},
	[PROBLEM_ALREADY_ENDED] = {"already-ended", 409, "The operation has already ended"},
	[PROBLEM_NOT_ENDED] = {"not-ended", 409, "The operation has not ended yet"},
	[PROBLEM_RESULT_TOO_LARGE] = {"result-too-large", 500, "The result is too large"},
	[PROBLEM_PROGRAM_FAILED] = {"program-failed", 500, "The program failed"},
	[PROBLEM_PROGRAM_UNAVAILABLE] = {"program-unavailable", 500, "The program could not be started"},
	[PROBLEM_BAD_PROGRAM_RESPONSE] = {"bad-program-response", 502, "The program's response is malformed"},
	[PROBLEM_UPSTREAM_UNREACHABLE] = {"upstream-unreachable", 502,
		"The upstream server cannot be reached"},
	[PROBLEM_UPSTREAM_BROKEN] = {"upstream-broken", 502, "The upstream server's response is broken"},
	[PROBLEM_UPSTREAM_UNTRUSTED] = {"upstream-untrusted", 502, "The upstream server cannot be trusted"},
	[PROBLEM_UPSTREAM_TIMEOUT] = {"upstream-timeout", 504, "The upstream server took too long"},
	[PROBLEM_LOOP] = {"loop", 508, "The call has come back to where it was forwarded"},
	[PROBLEM_INTERNAL] = {"internal", 500, "The server failed"},
};

const char *
problem_name(enum problem problem)
{
	return table[problem].name;
}

int
problem_status(enum problem problem)
{
	return table[problem].status;
}

const char *
problem_title(enum problem problem)
{
	return table[problem].title;
}

const char *
problem_rpc_name(int status)
{
	static const struct {
		int status;
		const char *name;
	} names[] = {{400, "INVALID_ARGUMENT"}, {401, "UNAUTHENTICATED"}, {403, "PERMISSION_DENIED"},
		{404, "NOT_FOUND"}, {409, "ABORTED"}, {410, "NOT_FOUND"}, {412, "FAILED_PRECONDITION"},
		{429, "RESOURCE_EXHAUSTED"}, {499, "CANCELLED"}, {501, "UNIMPLEMENTED"}, {503, "UNAVAILABLE"},
		{504, "DEADLINE_EXCEEDED"}};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].status == status)
			return names[i].name;
	return status < 500 ? "INVALID_ARGUMENT" : "INTERNAL";
}

static void
add_member(struct text *text, const char *name, const char *value)
{
	if (!value)
		return;
	text_addf(text, ",\"%s\":", name);
	text_add_json(text, value);
}

void
problem_format(const struct problem_report *report, struct text *ret_text)
{
	const char *title = problem_title(report->problem);
	const char *sentence = report->detail ? report->detail : title;
	int status = report->status ? report->status : problem_status(report->problem);

	text_addf(ret_text, "{\"type\":\"/problems/%s\"", problem_name(report->problem));
	add_member(ret_text, "title", title);
	text_addf(ret_text, ",\"status\":%d", status);
	add_member(ret_text, "detail", sentence);
	add_member(ret_text, "instance", report->instance);
	if (report->operation_status)
		text_addf(ret_text, ",\"operation_status\":%d", report->operation_status);
	if (report->dialect & PROBLEM_WITH_MSG)
		add_member(ret_text, "msg", sentence);
	if (report->dialect & PROBLEM_WITH_CODE) {
		text_addf(ret_text, ",\"code\":%d", status);
		add_member(ret_text, "message", sentence);
		add_member(ret_text, "request_id", report->request_id);
	}
	if (report->dialect & PROBLEM_WITH_NAME) {
		text_addf(ret_text, ",\"error\":{\"code\":\"%s\"", problem_name(report->problem));
		add_member(ret_text, "message", sentence);
		text_add_char(ret_text, '}');
	}
	if (report->dialect & PROBLEM_WITH_RPC) {
		text_addf(ret_text, ",\"error\":{\"code\":%d", status);
		add_member(ret_text, "message", sentence);
		text_addf(ret_text, ",\"status\":\"%s\"}", problem_rpc_name(status));
	}
	if (report->errors)
		text_addf(ret_text, ",\"errors\":%s",
			json_object_to_json_string_ext(
				report->errors, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	text_add_string(ret_text, "}\n");
}

bool
problem_says(const char *document, size_t len, const char *detail)
{
	struct text member = {0};

	if (!detail)
		return true;
	add_member(&member, "detail", detail);
	bool says = memmem(document, len, member.data, member.len) != NULL;
	text_fini(&member);
	return says;
}

char *
problem_dup_detail(const char *document, size_t len)
{
	/* The names that JSON errors use; an object under one of them has its text under "message". */
	static const char *const names[] = {"detail", "message", "error", "msg"};
	struct json_object *value = NULL, *said;
	struct json_mistake mistake;
	char *copy = NULL;

	if (json_parse(document, len, &value, &mistake) < 0)
		return NULL;
	for (size_t i = 0; !copy && i < sizeof names / sizeof *names; i++) {
		said = json_find(value, names[i], NULL);
		if (json_object_is_type(said, json_type_object))
			said = json_find(said, "message", NULL);
		if (json_object_is_type(said, json_type_string) && json_object_get_string_len(said) > 0)
			copy = xstrdup(json_object_get_string(said));
	}
	json_object_put(value);
	return copy;
}

char *
problem_dup_name(const char *document, size_t len)
{
	static const char before[] = "/problems/";
	struct json_object *value = NULL;
	struct json_mistake mistake;
	char *name = NULL;

	if (json_parse(document, len, &value, &mistake) < 0)
		return NULL;
	struct json_object *type = json_find(value, "type", NULL);
	if (json_object_is_type(type, json_type_string) &&
		strncmp(json_object_get_string(type), before, strlen(before)) == 0)
		name = xstrdup(json_object_get_string(type) + strlen(before));
	json_object_put(value);
	return name;
}
