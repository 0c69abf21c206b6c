/* The head of a reply: its status line and header fields. */
#include "http/message/head.h"

#include "common/cleanup.h"
#include "http/message/request.h"
#include "http/message/shared.h"

static const struct {
	int status;
	const char *reason;
} reasons[] = {{100, "Continue"}, {101, "Switching Protocols"}, {200, "OK"}, {201, "Created"},
	{202, "Accepted"}, {203, "Non-Authoritative Information"}, {204, "No Content"},
	{205, "Reset Content"}, {206, "Partial Content"}, {207, "Multi-Status"}, {300, "Multiple Choices"},
	{301, "Moved Permanently"}, {302, "Found"}, {303, "See Other"}, {304, "Not Modified"},
	{307, "Temporary Redirect"}, {308, "Permanent Redirect"}, {400, "Bad Request"}, {401, "Unauthorized"},
	{402, "Payment Required"}, {403, "Forbidden"}, {404, "Not Found"}, {405, "Method Not Allowed"},
	{406, "Not Acceptable"}, {407, "Proxy Authentication Required"}, {408, "Request Timeout"},
	{409, "Conflict"}, {410, "Gone"}, {411, "Length Required"}, {412, "Precondition Failed"},
	{413, "Content Too Large"}, {414, "URI Too Long"}, {415, "Unsupported Media Type"},
	{416, "Range Not Satisfiable"}, {417, "Expectation Failed"}, {421, "Misdirected Request"},
	{422, "Unprocessable Content"}, {423, "Locked"}, {424, "Failed Dependency"}, {425, "Too Early"},
	{426, "Upgrade Required"}, {428, "Precondition Required"}, {429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"}, {451, "Unavailable For Legal Reasons"},
	{500, "Internal Server Error"}, {501, "Not Implemented"}, {502, "Bad Gateway"},
	{503, "Service Unavailable"}, {504, "Gateway Timeout"}, {505, "HTTP Version Not Supported"},
	{507, "Insufficient Storage"}, {508, "Loop Detected"}};

const char *
head_reason(int status)
{
	static const char *const classes[] = {
		"Informational", "Successful", "Redirection", "Client Error", "Server Error"};

	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return status >= 100 && status < 600 ? classes[status / 100 - 1] : "Unknown";
}

static void
add_field(struct text *head, const char *name, const char *value)
{
	text_add_string(head, name);
	text_add_string(head, ": ");
	text_add_string(head, value);
	text_add_string(head, "\r\n");
}

static void
add_status_line(struct text *head, struct http_shared *shared, int status)
{
	text_add_string(head, "HTTP/1.1 ");
	text_add_uint(head, (uint64_t)status);
	text_add_char(head, ' ');
	text_add_string(head, head_reason(status));
	text_add_string(head, "\r\n");
	add_field(head, "Date", http_shared_date(shared));
}

bool
head_has_body(int status)
{
	return status >= 200 && status != 204 && status != 304;
}

/* The result of a HEAD may have a Content-Length of its own, which only the reply to a HEAD may repeat. */
static void
add_fields(struct text *head, const struct http_request *request, const struct fields *fields, bool tells)
{
	static const struct field_name content_length = FIELD_NAME("Content-Length");
	const char *from = fields->wire;

	if (!tells && request->method == HTTP_HEAD) {
		text_add(head, fields->wire, fields->len);
		return;
	}
	fields_for_each(field, fields) {
		if (!field_is_one_of(&field, &content_length, 1))
			continue;
		text_add(head, from, (size_t)(field.name - from));
		from = field.value + field.value_len + 2;
	}
	if (from)
		text_add(head, from, (size_t)(fields->wire + fields->len - from));
}

void
head_format(struct text *head, const struct http_request *request, int status, const struct fields *fields,
	const uint64_t *len, const char *persistence)
{
	struct field given;

	add_status_line(head, request->shared, status);
	if (fields)
		add_fields(head, request, fields, len != NULL);
	if (request->is_not_stored)
		text_add_string(head, "Cache-Control: no-store\r\n");
	text_add(head, request->extra.wire, request->extra.len);
	if (!fields || !fields_find(fields, "X-Request-Id", &given))
		add_field(head, "X-Request-Id", request->id);
	if (len) {
		text_add_string(head, "Content-Length: ");
		text_add_uint(head, *len);
		text_add_string(head, "\r\n");
	}
	if (persistence)
		add_field(head, "Connection", persistence);
	text_add_string(head, "\r\n");
}

void
head_format_refusal(
	const struct http_request *request, const struct problem_report *report, struct text *ret_reply)
{
	CLEANUP(text_fini) struct text json = {0};
	CLEANUP(fields_fini) struct fields fields = {0};

	problem_format(report, &json);
	uint64_t len = json.len;
	fields_put(&fields, "Content-Type", PROBLEM_CONTENT_TYPE);
	fields_put(&fields, "Cache-Control", "no-store");
	if (problem_status(report->problem) == 503)
		fields_putf(&fields, "Retry-After", "%u", report->retry_after_s ? report->retry_after_s : 1);
	head_format(ret_reply, request, problem_status(report->problem), &fields, &len, "close");
	text_add(ret_reply, json.data, json.len);
	http_shared_count_reply(request->shared, request, problem_status(report->problem), json.len);
}
