/*
 * Envelopes.
 *
 * A body in memory is small, and is looked at whenever it is shown.  One in a file is looked at by a thread at its first
 * poll; the blob keeps what was found, and the file with the string that stands for it.  Polls of the same body wait
 * together, so that it is read once.
 */
#include "calls/monitor/envelope.h"

#include "calls/call/answer.h"
#include "calls/call/styles.h"
#include "common/cleanup.h"
#include "common/hash.h"
#include "common/json/validator.h"
#include "common/log.h"
#include "common/loop/pool.h"
#include "http/message/reply.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How much of a file is read at once: a multiple of three, so that base64 needs no padding in between. */
#define PIECE_BYTES (48 * 1024)

/* A body on a thread. */
struct reading {
	struct pool_job job;
	struct hash_node by_blob;
	struct styles *styles;
	struct blob *body; /* a reference */
	bool is_json_type;
	bool makes_string;
	int spool_fd;
	struct list waiters; /* loop thread */

	/* found out */
	int error; /* -errno */
	enum body_form form;
	struct blob *string; /* with its quotes; NULL: none was made */
};

/* A request that waits for a reading. */
struct waiter {
	struct list link;
	struct http_request *request;
	struct fields fields;
	const struct envelope *envelope;
	struct id id; /* of the operation, which may expire meanwhile */
};

static enum body_form
judge(const struct json_validator *validator, bool is_json_type)
{
	if (is_json_type && json_validator_is_json(validator))
		return json_validator_is_object(validator) ? BODY_OBJECT : BODY_JSON;
	return json_validator_is_text(validator) ? BODY_TEXT : BODY_BYTES;
}

static bool
needs_string(enum body_form form)
{
	return form == BODY_TEXT || form == BODY_BYTES;
}

/* Adds bytes in base64, without quotes. */
static void
add_base64(struct text *text, const char *data, size_t len)
{
	char *to = text_reserve(text, (len + 2) / 3 * 4 + 1);

	text->len += (size_t)EVP_EncodeBlock((unsigned char *)to, (const unsigned char *)data, (int)len);
}

static void
add_string(struct text *text, const char *data, size_t len, enum body_form form)
{
	if (form == BODY_TEXT) {
		text_add_json_bytes(text, data, len);
		return;
	}
	text_add_char(text, '"');
	add_base64(text, data, len);
	text_add_char(text, '"');
}

/* Calls fn with the file's bytes, in pieces of PIECE_BYTES but for the last.  -errno; -EIO if the file is shorter than
 * the blob. */
static int
each_piece(const struct blob *body, int (*fn)(const char *data, size_t len, void *arg), void *arg)
{
	CLEANUP_FREE char *data = xcalloc(1, PIECE_BYTES);
	uint64_t at = 0;
	int rc = 0;

	while (rc == 0 && at < blob_len(body)) {
		size_t filled = 0, wanted = blob_len(body) - at < PIECE_BYTES ? (size_t)(blob_len(body) - at)
									      : PIECE_BYTES;
		while (rc == 0 && filled < wanted) {
			ssize_t n = blob_read(body, at + filled, data + filled, wanted - filled);
			rc = n > 0 ? 0 : n < 0 ? (int)n : -EIO;
			filled += n > 0 ? (size_t)n : 0;
		}
		if (rc == 0)
			rc = fn(data, filled, arg);
		at += filled;
	}
	return rc;
}

static int
feed(const char *data, size_t len, void *arg)
{
	json_validator_feed(arg, data, len);
	return 0;
}

/* A string on its way to a file. */
struct string_writer {
	struct blob_sink sink;
	struct text text;
	enum body_form form;
	char cut[4]; /* the beginning of a character whose rest is in the next piece */
	size_t cut_len;
};

/* How many bytes at the end of data are the beginning of a character that is not complete. */
static size_t
incomplete_bytes(const char *data, size_t len)
{
	for (size_t back = 1; back <= 3 && back <= len; back++) {
		unsigned char c = (unsigned char)data[len - back];
		if (c >= 0xc0)
			return back < (c >= 0xf0 ? 4u : c >= 0xe0 ? 3u : 2u) ? back : 0;
		if (c < 0x80)
			return 0;
	}
	return 0;
}

/* Writes what text has behind its first from bytes, but for its last byte if less is set. */
static int
write_text(struct string_writer *writer, size_t from, size_t less)
{
	int rc = blob_sink_write(&writer->sink, writer->text.data + from, writer->text.len - from - less);

	text_clear(&writer->text);
	return rc;
}

static int
write_piece(const char *data, size_t len, void *arg)
{
	struct string_writer *writer = arg;

	if (writer->form == BODY_BYTES) {
		add_base64(&writer->text, data, len);
		return write_text(writer, 0, 0);
	}
	CLEANUP(text_fini) struct text whole = {0};
	text_add(&whole, writer->cut, writer->cut_len);
	text_add(&whole, data, len);
	writer->cut_len = incomplete_bytes(whole.data, whole.len);
	whole.len -= writer->cut_len;
	memcpy(writer->cut, whole.data + whole.len, writer->cut_len);
	text_add_json_bytes(&writer->text, whole.data, whole.len);
	return write_text(writer, 1, 1); /* without the quotes */
}

static int
make_string(struct reading *reading)
{
	struct string_writer writer = {.form = reading->form};

	blob_sink_init(&writer.sink, reading->spool_fd, UINT64_MAX);
	int rc = blob_sink_write(&writer.sink, "\"", 1);
	if (rc == 0)
		rc = each_piece(reading->body, write_piece, &writer);
	if (rc == 0)
		rc = blob_sink_write(&writer.sink, "\"", 1);
	if (rc == 0)
		rc = blob_sink_finish(&writer.sink, &reading->string);
	blob_sink_fini(&writer.sink);
	text_fini(&writer.text);
	return rc;
}

/* Pool thread. */
static void
read_body(struct pool_job *job)
{
	struct reading *reading = container_of(job, struct reading, job);
	CLEANUP_FREE struct json_validator *validator = xcalloc(1, sizeof *validator);

	reading->error = each_piece(reading->body, feed, validator);
	reading->form = judge(validator, reading->is_json_type);
	if (reading->error == 0 && reading->makes_string && needs_string(reading->form))
		reading->error = make_string(reading);
}

static void
refuse(struct http_request *request)
{
	CLEANUP(fields_fini) struct fields fields = {0};

	fields_put(&fields, "Retry-After", "1");
	answer_problem(request, PROBLEM_PLAIN, PROBLEM_STORAGE, 0, "The result cannot be read at the moment.",
		&fields);
}

static struct http_request *
take_request(struct waiter *waiter)
{
	struct http_request *request = waiter->request;

	list_remove(&waiter->link);
	request->on_gone = NULL;
	request->arg = NULL;
	return request;
}

static void
free_waiter(struct waiter *waiter)
{
	fields_fini(&waiter->fields);
	free(waiter);
}

static void
on_gone(struct http_request *request)
{
	struct waiter *waiter = request->arg;

	list_remove(&waiter->link);
	free_waiter(waiter);
	answer_gone(request);
}

static void
answer_waiter(struct waiter *waiter, struct styles *styles, int error)
{
	struct http_request *request = take_request(waiter);
	struct op *op = operations_find(styles->config.operations, &waiter->id);

	if (error)
		refuse(request);
	else if (!op || !op_has_ended(op) || op->state == OP_EXPIRED)
		answer_missing(request, NULL, op);
	else
		envelope_reply(request, styles, op, &waiter->fields, waiter->envelope);
	free_waiter(waiter);
}

static void
on_read(struct pool_job *job)
{
	struct reading *reading = container_of(job, struct reading, job);
	struct styles *styles = reading->styles;

	if (reading->error)
		log_error("result cannot be shown", "error=%s", strerrorname_np(-reading->error));
	else
		blob_set_finding(reading->body, (uint8_t)reading->form, reading->string);
	hash_remove(&styles->readings, &reading->by_blob);
	for (struct list *at = reading->waiters.next, *next; at != &reading->waiters; at = next) {
		next = at->next;
		answer_waiter(container_of(at, struct waiter, link), styles, reading->error);
	}
	blob_unref(reading->body);
	free(reading);
}

static uint64_t
hash_of(const struct styles *styles, const struct blob *body)
{
	return hash_bytes(&styles->readings, &body, sizeof body);
}

/* A reading of body under way that makes what is wanted; NULL if there is none. */
static struct reading *
find_reading(const struct styles *styles, const struct blob *body, bool makes_string)
{
	struct hash_node *node = hash_find(&styles->readings, hash_of(styles, body));

	for (; node; node = hash_find_next(node)) {
		struct reading *reading = container_of(node, struct reading, by_blob);
		if (reading->body == body && reading->makes_string == makes_string)
			return reading;
	}
	return NULL;
}

static struct reading *
start_reading(struct styles *styles, const struct op *op, bool makes_string)
{
	struct reading *reading = xcalloc(1, sizeof *reading);

	reading->styles = styles;
	reading->body = blob_ref(op->body);
	reading->is_json_type = answer_is_json(op);
	reading->makes_string = makes_string;
	reading->spool_fd = styles->config.spool_fd;
	reading->job.run = read_body;
	reading->job.done = on_read;
	list_init(&reading->waiters);
	hash_add(&styles->readings, &reading->by_blob, hash_of(styles, op->body));
	pool_submit(styles->pool, &reading->job);
	return reading;
}

static void
await(struct http_request *request, struct styles *styles, const struct op *op, const struct fields *fields,
	const struct envelope *envelope)
{
	struct reading *reading = find_reading(styles, op->body, envelope->shows_strings);
	struct waiter *waiter = xcalloc(1, sizeof *waiter);

	if (!reading)
		reading = start_reading(styles, op, envelope->shows_strings);
	waiter->request = request;
	waiter->envelope = envelope;
	waiter->id = op->id;
	fields_copy(&waiter->fields, fields);
	list_add_tail(&reading->waiters, &waiter->link);
	request->arg = waiter;
	request->on_gone = on_gone;
}

/* BODY_UNKNOWN: a thread has to look. */
static enum body_form
form_of(const struct op *op)
{
	struct json_validator validator = {0};
	struct field type;

	if (blob_len(op->body) == 0)
		return fields_find(&op->fields, "Content-Type", &type) ? BODY_TEXT : BODY_NONE;
	if (blob_is_file(op->body))
		return blob_finding(op->body);
	json_validator_feed(&validator, blob_data(op->body), (size_t)blob_len(op->body));
	return judge(&validator, answer_is_json(op));
}

void
envelope_reply(struct http_request *request, struct styles *styles, struct op *op, struct fields *fields,
	const struct envelope *envelope)
{
	CLEANUP(text_fini) struct text head = {0}, tail = {0};
	enum body_form form = form_of(op);
	bool is_string = envelope->shows_strings && needs_string(form);
	struct blob *shown = form == BODY_OBJECT || form == BODY_JSON ? op->body : NULL;

	if (form == BODY_UNKNOWN || (is_string && blob_is_file(op->body) && !blob_made(op->body))) {
		await(request, styles, op, fields, envelope);
		return;
	}
	answer_put_poll(fields, op);
	envelope->write(request, op, form, &head, &tail);
	if (is_string && blob_is_file(op->body))
		shown = blob_made(op->body);
	else if (is_string)
		add_string(&head, op->body ? blob_data(op->body) : "", (size_t)blob_len(op->body), form);
	reply_json_around(request, envelope->status, fields, &head, shown, &tail);
}
