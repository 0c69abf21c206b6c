/*
 * One HTTP exchange on a libcurl handle.
 *
 * When a reused connection turns out to be closed, libcurl sends the request again.  A request that must not
 * reach the server twice is aborted before that.
 */
#include "transfer/transfer.h"

#include "common/clock.h"
#include "common/text.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A connection that was idle for longer, in seconds, is not reused.  The shorter time is for requests that must
 * not be sent again if the server closes the connection at that moment. */
#define REUSE_MAX_S 60L
#define REUSE_ONCE_MAX_S 4L

/* Returns the transfer that uses the handle. */
static struct transfer *
transfer_of(void *handle)
{
	return ((struct transfer_handle *)handle)->user;
}

static size_t
on_header(char *data, size_t size, size_t count, void *arg)
{
	struct transfer *transfer = transfer_of(arg);

	transfer->has_piece = true;
	if (transfer->sink->on_line(transfer->sink_arg, data, size * count, transfer->is_head) < 0) {
		transfer->is_refused = true;
		return 0;
	}
	return size * count;
}

static size_t
on_body(char *data, size_t size, size_t count, void *arg)
{
	struct transfer *transfer = transfer_of(arg);

	transfer->has_piece = true;
	if (transfer->sink->on_body(transfer->sink_arg, data, size * count) < 0) {
		transfer->is_refused = true;
		return CURL_WRITEFUNC_ERROR;
	}
	return size * count;
}

static size_t
on_read(char *buffer, size_t size, size_t count, void *arg)
{
	struct transfer *transfer = transfer_of(arg);
	ssize_t n;

	do
		n = pread(transfer->body_fd, buffer, size * count, transfer->body_offset);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return CURL_READFUNC_ABORT;
	transfer->body_offset += n;
	return (size_t)n;
}

static int
on_seek(void *arg, curl_off_t offset, int origin)
{
	struct transfer *transfer = transfer_of(arg);

	if (origin != SEEK_SET)
		return CURL_SEEKFUNC_FAIL;
	transfer->body_offset = (off_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* Called when a connection is open and the request is about to be sent on it. */
static int
on_send(void *arg, char *remote_address, char *local_address, int remote_port, int local_port)
{
	struct transfer *transfer = transfer_of(arg);

	if (transfer->sends++ > 0 && !transfer->request.may_repeat) {
		transfer->was_lost = true;
		return CURL_PREREQFUNC_ABORT;
	}
	return CURL_PREREQFUNC_OK;
}

static bool
wants_length(const char *method)
{
	return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
}

static bool
has_body(const struct transfer_request *request)
{
	return blob_len(request->body) > 0 || wants_length(request->method);
}

/* Fields that libcurl adds unless a line "Name:" removes them; all but the first only with a body. */
static struct {
	struct field_name name;
	char line[16];
} unasked[] = {
	{FIELD_NAME("Accept"), "Accept:"},
	{FIELD_NAME("Content-Type"), "Content-Type:"},
	{FIELD_NAME("Expect"), "Expect:"},
};

#define UNASKED_COUNT (sizeof unasked / sizeof *unasked)

static size_t
count_fields(const struct fields *fields)
{
	size_t count = 0;

	fields_for_each(field, fields)
		count++;
	return count;
}

/* Notes which of them the request has itself. */
static void
note_asked(const struct field *field, bool is_asked[static UNASKED_COUNT])
{
	for (size_t i = 0; i < UNASKED_COUNT; i++)
		if (field_is_one_of(field, &unasked[i].name, 1))
			is_asked[i] = true;
}

/* Makes a line of a field in place: a NUL replaces its CRLF.  libcurl writes a field without a value as
 * "Name;". */
static char *
make_line(const struct field *field, const char *from, char *text)
{
	char *line = text + (field->name - from);

	line[field->name_len + 2 + field->value_len] = '\0';
	if (field->value_len == 0)
		strcpy(line + field->name_len, ";");
	return line;
}

static struct curl_slist *
append_line(struct curl_slist *node, char *line)
{
	node->data = line;
	node->next = node + 1;
	return node + 1;
}

static void
make_lines(struct transfer *transfer)
{
	const struct fields *fields = transfer->request.fields;
	size_t unasked_count = has_body(&transfer->request) ? UNASKED_COUNT : 1;
	size_t count = count_fields(fields) + UNASKED_COUNT;
	size_t lines_size = (count + 1) * sizeof(struct curl_slist);
	bool is_asked[UNASKED_COUNT] = {false};

	/* The text behind the nodes; one node more than lines, so that each may point to the next. */
	transfer->lines = xcalloc(1, lines_size + fields->len);
	char *text = (char *)transfer->lines + lines_size;
	struct curl_slist *node = transfer->lines;
	if (fields->len > 0)
		memcpy(text, fields->wire, fields->len);
	fields_for_each(field, fields) {
		note_asked(&field, is_asked);
		node = append_line(node, make_line(&field, fields->wire, text));
	}
	for (size_t i = 0; i < unasked_count; i++)
		if (!is_asked[i])
			node = append_line(node, unasked[i].line);
	if (node > transfer->lines)
		node[-1].next = NULL;
}

/* -errno if the body's file cannot be read. */
static int
set_body(struct transfer *transfer, CURL *easy)
{
	const struct blob *body = transfer->request.body;

	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)blob_len(body));
	if (!blob_is_file(body)) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body ? blob_data(body) : "");
		return 0;
	}
	transfer->body_fd = blob_open(body);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
	return transfer->body_fd < 0 ? transfer->body_fd : 0;
}

/* Whether the handle is already set up for this method: its last request had the same one, and neither has a
 * body. */
static bool
has_method(const struct transfer_handle *handle, const struct transfer_request *request)
{
	return !has_body(request) && strcmp(handle->method, request->method) == 0;
}

/* Remembers the method of a request without a body; one with a body is set up anew each time. */
static void
note_method(struct transfer_handle *handle, const struct transfer_request *request)
{
	size_t size = strlen(request->method) + 1;

	*handle->method = '\0';
	if (!has_body(request) && size <= sizeof handle->method)
		memcpy(handle->method, request->method, size);
}

static int
set_method(struct transfer *transfer, struct transfer_handle *handle)
{
	const struct transfer_request *request = &transfer->request;
	CURL *easy = handle->easy;
	int rc = 0;

	if (has_method(handle, request))
		return 0;
	note_method(handle, request);
	curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	if (transfer->is_head)
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	else if (has_body(request))
		rc = set_body(transfer, easy);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	return rc;
}

/* They stay with the handle when other transfers use it. */
static void
set_callbacks(struct transfer_handle *handle)
{
	CURL *easy = handle->easy;

	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, handle);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, handle);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_send);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, handle);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(easy, CURLOPT_READDATA, handle);
	curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(easy, CURLOPT_SEEKDATA, handle);
	handle->has_callbacks = true;
}

int
transfer_set_up(struct transfer *transfer, struct transfer_handle *handle)
{
	const struct transfer_request *request = &transfer->request;
	CURL *easy = handle->easy;

	transfer->handle = handle;
	handle->user = transfer;
	transfer->is_head = strcmp(request->method, "HEAD") == 0;
	transfer->sends = 0;
	transfer->was_lost = transfer->is_refused = transfer->has_stalled = transfer->has_piece = false;
	transfer->last_piece_ms = 0;
	transfer->began_ms = clock_mono_ms();
	transfer->body_fd = -1;
	transfer->body_offset = 0;
	*handle->reason = '\0';
	make_lines(transfer);
	bool is_new = !handle->has_callbacks;
	if (is_new)
		set_callbacks(handle);
	if (is_new || handle->may_repeat != request->may_repeat)
		curl_easy_setopt(
			easy, CURLOPT_MAXAGE_CONN, request->may_repeat ? REUSE_MAX_S : REUSE_ONCE_MAX_S);
	handle->may_repeat = request->may_repeat;
	curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, request->target);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->lines);
	return set_method(transfer, handle);
}

/* Every other code is TRANSFER_BROKEN, CURLE_OUT_OF_MEMORY included: libcurl's word for a header line that is longer
 * than its buffers may become. */
static const struct {
	CURLcode code;
	enum transfer_end end;
} ends[] = {
	{CURLE_OK, TRANSFER_ANSWERED},
	{CURLE_COULDNT_RESOLVE_HOST, TRANSFER_UNREACHABLE},
	{CURLE_COULDNT_CONNECT, TRANSFER_UNREACHABLE},
	{CURLE_SSL_CONNECT_ERROR, TRANSFER_UNTRUSTED},
	{CURLE_PEER_FAILED_VERIFICATION, TRANSFER_UNTRUSTED},
	{CURLE_SSL_ISSUER_ERROR, TRANSFER_UNTRUSTED},
	{CURLE_SSL_INVALIDCERTSTATUS, TRANSFER_UNTRUSTED},
	{CURLE_SSL_CACERT_BADFILE, TRANSFER_UNTRUSTED},
	{CURLE_OPERATION_TIMEDOUT, TRANSFER_TIMED_OUT},
	{CURLE_FAILED_INIT, TRANSFER_FAILED},
	{CURLE_READ_ERROR, TRANSFER_FAILED},
};

enum transfer_end
transfer_end_of(const struct transfer *transfer, CURLcode code)
{
	if (atomic_load(transfer->stop) != 0)
		return TRANSFER_CANCELLED;
	if (transfer->is_refused)
		return TRANSFER_REFUSED;
	if (code == CURLE_OPERATION_TIMEDOUT && transfer->sends == 0)
		return TRANSFER_UNREACHABLE;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (ends[i].code == code)
			return ends[i].end;
	return TRANSFER_BROKEN;
}

const char *
transfer_reason(const struct transfer *transfer, CURLcode code)
{
	if (transfer->was_lost)
		return "a kept connection was gone";
	if (transfer->has_stalled)
		return "the answer has stalled";
	if (code != CURLE_OK && *transfer->handle->reason == '\0')
		return curl_easy_strerror(code);
	return transfer->handle->reason;
}

/* Removes the handle's pointers to the transfer before the transfer's memory goes. */
void
transfer_clean_up(struct transfer *transfer)
{
	CURL *easy = transfer->handle->easy;

	if (has_body(&transfer->request))
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
	transfer->handle->user = NULL;
	transfer->handle = NULL;
	free(transfer->lines);
	transfer->lines = NULL;
	if (transfer->body_fd >= 0)
		close(transfer->body_fd);
	transfer->body_fd = -1;
}

/* Returns how much of limit_ms is left; a limit of 0 is no limit. */
static int64_t
left_of(int64_t limit_ms, int64_t since_ms, int64_t now_ms)
{
	if (limit_ms == 0)
		return INT64_MAX;
	int64_t left = since_ms + limit_ms - now_ms;
	return left > 0 ? left : 0;
}

int64_t
transfer_left_ms(struct transfer *transfer, int64_t now_ms)
{
	const struct transfer_peer *peer = transfer->request.peer;
	int64_t left = left_of(peer->timeout_ms, transfer->began_ms, now_ms);

	if (transfer->has_piece)
		transfer->last_piece_ms = now_ms;
	transfer->has_piece = false;
	if (transfer->last_piece_ms == 0)
		return left;
	int64_t stall_left = left_of(peer->stall_timeout_ms, transfer->last_piece_ms, now_ms);
	transfer->has_stalled = stall_left == 0;
	return stall_left < left ? stall_left : left;
}
