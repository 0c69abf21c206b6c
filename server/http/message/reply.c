/*
 * Replies: builds the head and a small body in one piece and hands it to the request's transport, which sends
 * it with one system call where the socket takes it.  Large bodies are referenced, not copied, and those in
 * files are sent from there.
 */
#include "http/message/reply.h"

#include "common/cleanup.h"
#include "common/log.h"
#include "http/message/head.h"
#include "http/message/shared.h"
#include "http/message/transport.h"

/* Bodies up to this go out in one piece with the head. */
#define SMALL_BODY_BYTES (16 * 1024)

/* Memory for heads that is kept from one reply to the next. */
#define KEPT_PIECE_BYTES (64 * 1024)

/* The bytes behind the head, wherever they come from. */
struct body {
	const char *data; /* NULL: those of blob, which may be a file */
	struct blob *blob;
	uint64_t len;		 /* of these */
	const struct text *head; /* before them; NULL: nothing */
	const struct text *tail; /* behind them; with head */
};

static uint64_t
whole_len(const struct body *body)
{
	return body->len + (body->head ? body->head->len + body->tail->len : 0);
}

/* Whether the reply has Content-Length.  The reply to a HEAD without a body does not: GET's length is not
 * known. */
static bool
tells_length(const struct http_request *request, int status, const struct body *body)
{
	return head_has_body(status) && (request->method != HTTP_HEAD || body->data || body->blob);
}

static bool
is_small(const struct body *body)
{
	return body->data || body->len <= SMALL_BODY_BYTES;
}

/* Whether the body could be read whole. */
static bool
add_small_body(struct text *piece, const struct body *body)
{
	if (body->data) {
		text_add(piece, body->data, (size_t)body->len);
		return true;
	}
	ssize_t n = blob_read(body->blob, 0, text_reserve(piece, (size_t)body->len), (size_t)body->len);
	piece->len += n > 0 ? (size_t)n : 0;
	return n == (ssize_t)body->len;
}

/* Writes the reply, with the body if it is to be sent.  False if that cannot be read whole. */
static bool
write_reply(struct http_request *request, int status, const struct fields *fields, const struct body *body,
	bool sends)
{
	const struct http_transport *transport = request->transport;
	struct text *piece = &request->shared->piece;
	uint64_t len = head_has_body(status) ? whole_len(body) : 0;
	bool is_whole = true;

	text_clear(piece);
	head_format(piece, request, status, fields, tells_length(request, status, body) ? &len : NULL,
		transport->persistence(request));
	if (sends && body->head)
		text_add(piece, body->head->data, body->head->len);
	if (sends && is_small(body))
		is_whole = add_small_body(piece, body);
	if (sends && is_small(body) && body->tail)
		text_add(piece, body->tail->data, body->tail->len);
	transport->write(request, piece);
	if (piece->size > KEPT_PIECE_BYTES)
		text_fini(piece);
	if (sends && !is_small(body))
		is_whole = transport->write_blob(request, body->blob) == 0;
	if (sends && !is_small(body) && is_whole && body->tail)
		transport->write(request, body->tail);
	return is_whole;
}

static void
send_reply(struct http_request *request, int status, const struct fields *fields, const struct body *body)
{
	bool sends = whole_len(body) > 0 && head_has_body(status) && request->method != HTTP_HEAD;

	if (request->peer)
		http_shared_count_reply(request->shared, request, status, sends ? whole_len(body) : 0);
	else
		http_shared_count_reply(request->shared, request, HTTP_CLIENT_LEFT, 0);
	if (request->peer && !write_reply(request, status, fields, body, sends)) {
		/* The length has been promised: the client must see that the reply is cut short. */
		log_error("result cannot be read", "status=%d bytes=%llu", status,
			(unsigned long long)whole_len(body));
		request->on_gone = NULL;
		request->transport->cut_short(request);
	}
	request->transport->end(request);
}

void
reply_blob(struct http_request *request, int status, const struct fields *fields, struct blob *body)
{
	struct body what = {.blob = body, .len = blob_len(body)};

	if (body && !blob_is_file(body) && what.len <= SMALL_BODY_BYTES)
		what.data = blob_data(body);
	send_reply(request, status, fields, &what);
}

void
reply_json_around(struct http_request *request, int status, const struct fields *fields,
	const struct text *head, struct blob *body, struct text *tail)
{
	struct body what = {
		.data = body ? NULL : "", .blob = body, .len = blob_len(body), .head = head, .tail = tail};

	text_add_char(tail, '\n');
	fields_put(&request->extra, "Content-Type", "application/json");
	send_reply(request, status, fields, &what);
}

void
reply_bytes(
	struct http_request *request, int status, const struct fields *fields, const char *data, size_t len)
{
	struct body what = {.data = data ? data : "", .len = len};

	send_reply(request, status, fields, &what);
}

void
reply_json(struct http_request *request, int status, const struct fields *fields, struct text *json)
{
	text_add_char(json, '\n');
	fields_put(&request->extra, "Content-Type", "application/json");
	reply_bytes(request, status, fields, json->data, json->len);
}

void
reply_problem(struct http_request *request, const struct problem_report *report, const struct fields *fields)
{
	CLEANUP(text_fini) struct text json = {0};
	struct field after;

	int status = report->status ? report->status : problem_status(report->problem);
	problem_format(report, &json);
	if ((status == 429 || status == 503) && !(fields && fields_find(fields, "Retry-After", &after)) &&
		!fields_find(&request->extra, "Retry-After", &after))
		fields_put(&request->extra, "Retry-After", "1");
	fields_put(&request->extra, "Content-Type", PROBLEM_CONTENT_TYPE);
	request->is_not_stored = true;
	reply_bytes(request, status, fields, json.data, json.len);
}

void
reply_problemf(struct http_request *request, enum problem problem, const char *format, ...)
{
	CLEANUP(text_fini) struct text detail = {0};
	va_list args;

	va_start(args, format);
	text_addv(&detail, format, args);
	va_end(args);
	struct problem_report report = {.problem = problem, .detail = detail.data};
	reply_problem(request, &report, NULL);
}
