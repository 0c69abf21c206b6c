/*
 * Transfers: see transfer.h.
 *
 * The thread's easy handle runs in a multi handle, which can wait for the control's descriptor beside the connection's: being told to stop
 * ends the wait at once.  libcurl would by itself send a request again when a kept connection turns out to be dead; a request that must not
 * reach the other side twice is stopped before that.
 */
#include "work/transfer.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/text.h"
#include "work/transfer_thread.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The longest wait without a look around. */
#define WAIT_MAX_MS 60000

/* A kept connection that was idle for longer is not used again, in seconds.  The shorter time is for requests that cannot be sent again if
 * the other side closes it in that moment. */
#define REUSE_MAX_S 60L
#define REUSE_ONCE_MAX_S 4L

struct transfer {
	const struct transfer_request *request;
	struct work_control *control;
	struct upstream_response *response;
	struct curl_slist *lines; /* header lines */
	bool is_head;		  /* the method is HEAD */
	unsigned sends;		  /* how often the request was about to be sent */
	bool was_lost;		  /* it would have been sent again */
	bool has_stalled;
	int64_t last_piece_ms; /* when something of the answer last came; 0: nothing has */
	int body_fd;	       /* of a body in a file, else -1 */
	off_t body_offset;
};

static size_t
on_header(char *data, size_t size, size_t count, void *arg)
{
	struct transfer *transfer = arg;

	transfer->last_piece_ms = clock_mono_ms();
	if (upstream_response_take_line(transfer->response, data, size * count, transfer->is_head) < 0)
		return 0;
	return size * count;
}

static size_t
on_body(char *data, size_t size, size_t count, void *arg)
{
	struct transfer *transfer = arg;

	transfer->last_piece_ms = clock_mono_ms();
	if (upstream_response_take_body(transfer->response, data, size * count) < 0)
		return CURL_WRITEFUNC_ERROR;
	return size * count;
}

static size_t
on_read(char *buffer, size_t size, size_t count, void *arg)
{
	struct transfer *transfer = arg;
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
	struct transfer *transfer = arg;

	if (origin != SEEK_SET)
		return CURL_SEEKFUNC_FAIL;
	transfer->body_offset = (off_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* A connection is there and the request is about to go out on it. */
static int
on_send(void *arg, char *remote_address, char *local_address, int remote_port, int local_port)
{
	struct transfer *transfer = arg;

	if (transfer->sends++ > 0 && !transfer->request->may_repeat) {
		transfer->was_lost = true;
		return CURL_PREREQFUNC_ABORT;
	}
	return CURL_PREREQFUNC_OK;
}

static void
add_line(struct transfer *transfer, const char *line)
{
	struct curl_slist *lines = curl_slist_append(transfer->lines, line);

	if (!lines)
		abort();
	transfer->lines = lines;
}

/* libcurl wants fields without a value as "Name;", and sends some of its own that are not there unless told not to ("Name:"). */
static void
add_lines(struct transfer *transfer)
{
	static const char *const unasked[] = {"Accept", "Content-Type", "Expect"};
	CLEANUP(text_fini) struct text line = {0};
	struct field found;

	for (size_t i = 0; i < sizeof unasked / sizeof *unasked; i++) {
		if (fields_find(transfer->request->fields, unasked[i], &found))
			continue;
		text_clear(&line);
		text_addf(&line, "%s:", unasked[i]);
		add_line(transfer, line.data);
	}
	fields_for_each(field, transfer->request->fields) {
		text_clear(&line);
		text_add(&line, field.name, field.name_len);
		text_add_string(&line, field.value_len > 0 ? ": " : ";");
		text_add(&line, field.value, field.value_len);
		add_line(transfer, line.data);
	}
}

static bool
wants_length(const char *method)
{
	return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
}

/* -errno if the body's file cannot be read. */
static int
set_body(struct transfer *transfer, CURL *easy)
{
	const struct blob *body = transfer->request->body;

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

static int
set_method(struct transfer *transfer, CURL *easy)
{
	const struct transfer_request *request = transfer->request;
	int rc = 0;

	curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	if (transfer->is_head)
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	else if (blob_len(request->body) > 0 || wants_length(request->method))
		rc = set_body(transfer, easy);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	return rc;
}

static void
set_limits(const struct transfer_request *request, CURL *easy)
{
	/* Without a limit of ours libcurl has one: an operation may run for hours, but connecting ends with it. */
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_timeout_ms);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, request->may_repeat ? REUSE_MAX_S : REUSE_ONCE_MAX_S);
}

static void
set_callbacks(struct transfer *transfer, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_send);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
}

/* Sets all that differs from one transfer to the next; the rest the thread's handle has. */
static int
set_up(struct transfer *transfer, CURL *easy)
{
	const struct transfer_request *request = transfer->request;

	set_limits(request, easy);
	set_callbacks(transfer, easy);
	add_lines(transfer);
	curl_easy_setopt(easy, CURLOPT_URL, request->origin);
	curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, request->target);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->lines);
	return set_method(transfer, easy);
}

/* How long to wait at most; 0 if the answer has stalled for too long. */
static int
next_wait_ms(const struct transfer *transfer)
{
	int64_t limit = transfer->request->stall_timeout_ms;

	if (limit == 0 || transfer->last_piece_ms == 0)
		return WAIT_MAX_MS;
	int64_t left = transfer->last_piece_ms + limit - clock_mono_ms();
	if (left <= 0)
		return 0;
	return left < WAIT_MAX_MS ? (int)left : WAIT_MAX_MS;
}

/* Whether the transfer has ended by itself; then how. */
static bool
has_ended(CURLM *multi, CURLcode *ret_code)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		*ret_code = message->data.result;
		return true;
	}
	return false;
}

/* Runs the transfer until it ends, stalls or is to stop. */
static CURLcode
drive(struct transfer *transfer, CURLM *multi)
{
	struct curl_waitfd wake = {.fd = transfer->control->wake_fd, .events = CURL_WAIT_POLLIN};
	CURLcode code = CURLE_FAILED_INIT;
	int running;

	while (atomic_load(&transfer->control->stop) == WORK_GOES_ON) {
		if (curl_multi_perform(multi, &running) != CURLM_OK || has_ended(multi, &code))
			return code;
		int wait = next_wait_ms(transfer);
		if (wait == 0) {
			transfer->has_stalled = true;
			return CURLE_OPERATION_TIMEDOUT;
		}
		if (curl_multi_poll(multi, &wake, 1, wait, NULL) != CURLM_OK)
			return code;
	}
	return CURLE_ABORTED_BY_CALLBACK;
}

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
	{CURLE_OUT_OF_MEMORY, TRANSFER_FAILED},
	{CURLE_FAILED_INIT, TRANSFER_FAILED},
	{CURLE_READ_ERROR, TRANSFER_FAILED},
};

static enum transfer_end
end_of(const struct transfer *transfer, CURLcode code)
{
	if (atomic_load(&transfer->control->stop) != WORK_GOES_ON)
		return TRANSFER_CANCELLED;
	if (transfer->response->error < 0)
		return TRANSFER_REFUSED;
	if (code == CURLE_OPERATION_TIMEDOUT && transfer->sends == 0)
		return TRANSFER_UNREACHABLE;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (ends[i].code == code)
			return ends[i].end;
	return TRANSFER_BROKEN;
}

static void
tell_reason(const struct transfer *transfer, CURLcode code, const char *words, char *ret_reason)
{
	if (transfer->was_lost)
		words = "a kept connection was gone";
	else if (transfer->has_stalled)
		words = "the answer has stalled";
	else if (code != CURLE_OK && *words == '\0')
		words = curl_easy_strerror(code);
	snprintf(ret_reason, TRANSFER_REASON_SIZE, "%s", words);
}

static enum transfer_end
run_on(struct transfer *transfer, struct transfer_thread *thread, char *ret_reason)
{
	enum transfer_end end = TRANSFER_FAILED;
	int rc = set_up(transfer, thread->easy);

	*thread->reason = '\0';
	if (rc < 0) {
		snprintf(ret_reason, TRANSFER_REASON_SIZE, "%s", strerrordesc_np(-rc));
	} else if (curl_multi_add_handle(thread->multi, thread->easy) == CURLM_OK) {
		CURLcode code = drive(transfer, thread->multi);
		end = end_of(transfer, code);
		tell_reason(transfer, code, thread->reason, ret_reason);
		curl_multi_remove_handle(thread->multi, thread->easy);
	}
	/* What the handle points to ends with this call. */
	curl_easy_setopt(thread->easy, CURLOPT_POSTFIELDS, NULL);
	curl_easy_setopt(thread->easy, CURLOPT_HTTPHEADER, NULL);
	return end;
}

enum transfer_end
transfer_run(const struct transfer_request *request, struct work_control *control,
	struct upstream_response *response, char ret_reason[static TRANSFER_REASON_SIZE])
{
	struct transfer_thread *thread = transfer_thread_get(request->ca_file);
	struct transfer transfer = {
		.request = request,
		.control = control,
		.response = response,
		.is_head = strcmp(request->method, "HEAD") == 0,
		.body_fd = -1,
	};

	memset(ret_reason, 0, TRANSFER_REASON_SIZE);
	if (!thread)
		return TRANSFER_FAILED;
	enum transfer_end end = run_on(&transfer, thread, ret_reason);
	curl_slist_free_all(transfer.lines);
	if (transfer.body_fd >= 0)
		close(transfer.body_fd);
	return end;
}
