/* Exchanges: one request and its answer, over libcurl. */
#include "deferctl/exchange.h"

#include "common/cleanup.h"
#include "deferctl/interrupt.h"
#include "deferctl/printable.h"
#include "deferctl/target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define HEADER_MAX (256 * 1024)
#define KEPT_MAX (4 * 1024 * 1024)
#define EITHER_MAX (64 * 1024)
#define CONNECT_TIMEOUT_S 20L
#define RETRY_AFTER_MAX_S 3600

void
session_init(struct session *session, const struct options *options, char *url)
{
	*session = (struct session){.options = options};
	curl_global_init(CURL_GLOBAL_DEFAULT);
	session->curl = curl_easy_init();
	char *user;
	session->url = target_split(url, &user);
	free(url);
	if (user && !options->user && !options->token)
		curl_easy_setopt(session->curl, CURLOPT_PRIVATE, user);
	else
		free(user);
	output_init(&session->output, options->output);
}

static char *
find_url_user(struct session *session)
{
	char *user = NULL;

	curl_easy_getinfo(session->curl, CURLINFO_PRIVATE, &user);
	return user;
}

void
session_fini(struct session *session)
{
	free(find_url_user(session));
	curl_easy_cleanup(session->curl);
	curl_global_cleanup();
	free(session->url);
}

static size_t
on_header(char *data, size_t size, size_t count, void *arg)
{
	struct exchange *exchange = arg;
	size_t len = size * count;

	exchange->header_bytes += len;
	if (exchange->header_bytes > HEADER_MAX)
		return 0;
	if (len >= 5 && memcmp(data, "HTTP/", 5) == 0) {
		fields_fini(&exchange->fields);
		exchange->fields = (struct fields){0};
		return len;
	}
	const char *colon = memchr(data, ':', len);
	size_t end = len;
	while (end > 0 && (data[end - 1] == '\n' || data[end - 1] == '\r'))
		end--;
	if (colon && colon < data + end) {
		/* A field that is none is as if it were not there. */
		int rc = fields_add_bytes(&exchange->fields, data, (size_t)(colon - data), colon + 1,
			(size_t)(data + end - colon - 1));
		(void)rc;
	}
	return len;
}

static void
sort(struct exchange *exchange)
{
	if (exchange->is_sorted)
		return;
	exchange->is_sorted = true;
	curl_easy_getinfo(exchange->session->curl, CURLINFO_RESPONSE_CODE, &exchange->status);
	exchange->where = exchange->sort ? exchange->sort(exchange) : EXCHANGE_KEEP;
}

static int
stream(struct exchange *exchange, const char *data, size_t len)
{
	int rc = output_write(&exchange->session->output, data, len);

	if (rc < 0)
		exchange->error = rc;
	return rc;
}

static size_t
on_body(char *data, size_t size, size_t count, void *arg)
{
	struct exchange *exchange = arg;
	size_t len = size * count;

	sort(exchange);
	if (exchange->where == EXCHANGE_EITHER && exchange->body.len + len > EITHER_MAX) {
		exchange->where = EXCHANGE_STREAM;
		if (exchange->body.len > 0 && stream(exchange, exchange->body.data, exchange->body.len) < 0)
			return 0;
		text_clear(&exchange->body);
	}
	if (exchange->where == EXCHANGE_STREAM) {
		exchange->is_streamed = true;
		return stream(exchange, data, len) < 0 ? 0 : len;
	}
	if (exchange->body.len + len > KEPT_MAX)
		return 0;
	text_add(&exchange->body, data, len);
	return len;
}

static int
on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	return interrupt_count() > 0;
}

/* Whether a field is about the call that it was given for, and would mean something else in a poll. */
static bool
is_of_call(const struct field *field)
{
	static const struct field_name names[] = {FIELD_NAME("Idempotency-Key"), FIELD_NAME("Prefer"),
		FIELD_NAME("Range"), FIELD_NAME("Expect"), FIELD_NAME("Transfer-Encoding"),
		FIELD_NAME("X-Callback-Url")};

	return field_is_one_of(field, names, sizeof names / sizeof *names) ||
	       (field->name_len > 8 && strncasecmp(field->name, "Content-", 8) == 0) ||
	       (field->name_len > 3 && strncasecmp(field->name, "If-", 3) == 0);
}

static struct curl_slist *
add_fields(struct curl_slist *list, const struct fields *fields, bool is_call)
{
	fields_for_each(field, fields) {
		if (!is_call && is_of_call(&field))
			continue;
		CLEANUP_FREE char *line = xasprintf("%.*s:%s%.*s", (int)field.name_len, field.name,
			field.value_len ? " " : "", (int)field.value_len, field.value);
		if (field.value_len == 0)
			line[field.name_len] = ';';
		list = curl_slist_append(list, line);
	}
	return list;
}

/* Credentials, and the fields of -H, which may be some too: for the origin that the user has named. */
static struct curl_slist *
set_credentials(struct session *session, const struct exchange *exchange, struct curl_slist *list)
{
	const struct options *options = session->options;
	const char *user = options->user ? options->user : find_url_user(session);

	if (!target_is_same_origin(session->url, exchange->url))
		return list;
	list = add_fields(list, &options->fields, exchange->is_call);
	if (options->token && !options->user) {
		CLEANUP_FREE char *line = xasprintf("Authorization: Bearer %s", options->token);
		return curl_slist_append(list, line);
	}
	if (user) {
		curl_easy_setopt(session->curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		curl_easy_setopt(session->curl, CURLOPT_USERPWD, user);
	} else {
		curl_easy_setopt(session->curl, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
	}
	return list;
}

static int
on_seek(void *arg, curl_off_t offset, int origin)
{
	return fseeko(arg, offset, origin) == 0 ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_CANTSEEK;
}

/* The body; false where its file cannot be read.  The file is the caller's to close. */
static bool
set_body(CURL *curl, const char *data, FILE **ret_file)
{
	struct stat status;

	if (!data)
		return true;
	if (data[0] != '@') {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(data));
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, data);
		return true;
	}
	FILE *file = strcmp(data, "@-") == 0 ? stdin : fopen(data + 1, "re");
	if (!file)
		return false;
	*ret_file = file;
	if (fstat(fileno(file), &status) < 0)
		return false;
	if (S_ISDIR(status.st_mode)) {
		errno = EISDIR;
		return false;
	}
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_READDATA, file);
	curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(curl, CURLOPT_SEEKDATA, file);
	if (S_ISREG(status.st_mode))
		curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)(status.st_size - ftello(file)));
	return true;
}

static void
set_rest(struct session *session, struct exchange *exchange)
{
	CURL *curl = session->curl;

	curl_easy_setopt(curl, CURLOPT_URL, exchange->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "deferctl/" DEFERD_VERSION);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, session->error);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)session->options->max_time_s);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, exchange->stall_s > 0 ? 1L : 0L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, exchange->stall_s);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, exchange);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	if (session->options->cacert)
		curl_easy_setopt(curl, CURLOPT_CAINFO, session->options->cacert);
	if (strcmp(exchange->method, "HEAD") == 0)
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	else if (strcmp(exchange->method, "GET") != 0 || exchange->data)
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, exchange->method);
}

static void
read_retry_after(struct exchange *exchange)
{
	curl_off_t seconds = 0;
	struct field field;

	exchange->retry_after_ms = -1;
	if (!fields_find(&exchange->fields, "Retry-After", &field))
		return;
	curl_easy_getinfo(exchange->session->curl, CURLINFO_RETRY_AFTER, &seconds);
	if (seconds > RETRY_AFTER_MAX_S)
		seconds = RETRY_AFTER_MAX_S;
	exchange->retry_after_ms = seconds * 1000;
}

static int
perform(struct session *session, struct exchange *exchange)
{
	CURLcode code = curl_easy_perform(session->curl);

	session->last = code;
	sort(exchange);
	read_retry_after(exchange);
	if (code == CURLE_WRITE_ERROR && exchange->error == 0)
		snprintf(session->error, sizeof session->error, "the answer is longer than is allowed");
	if (exchange->error < 0)
		snprintf(session->error, sizeof session->error, "the result cannot be written: %s",
			strerror(-exchange->error));
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return EXIT_INTERRUPTED;
	return (int)code;
}

static void
close_file(FILE *file)
{
	if (file && file != stdin)
		fclose(file);
}

int
exchange_run(struct session *session, struct exchange *exchange)
{
	char *user = find_url_user(session);
	FILE *file = NULL;

	curl_easy_reset(session->curl);
	curl_easy_setopt(session->curl, CURLOPT_PRIVATE, user);
	exchange->session = session;
	session->error[0] = '\0';
	if (!set_body(session->curl, exchange->data, &file)) {
		snprintf(
			session->error, sizeof session->error, "%s: %s", exchange->data + 1, strerror(errno));
		close_file(file);
		return CURLE_READ_ERROR;
	}
	set_rest(session, exchange);
	struct curl_slist *list = add_fields(curl_slist_append(NULL, "Expect:"), &exchange->send, true);
	list = set_credentials(session, exchange, list);
	curl_easy_setopt(session->curl, CURLOPT_HTTPHEADER, list);
	int code = perform(session, exchange);
	curl_slist_free_all(list);
	close_file(file);
	return code;
}

bool
exchange_may_pass(int code)
{
	static const CURLcode passing[] = {CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT,
		CURLE_OPERATION_TIMEDOUT, CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR,
		CURLE_PARTIAL_FILE, CURLE_HTTP2_STREAM};

	for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
		if ((int)passing[i] == code)
			return true;
	return false;
}

void
exchange_complain(const struct session *session, int code)
{
	if (code == EXIT_INTERRUPTED)
		return;
	CLEANUP_FREE char *text = printable_dup(
		session->error[0] ? session->error : curl_easy_strerror((CURLcode)code), CURL_ERROR_SIZE);
	fprintf(stderr, "deferctl: %s\n", text);
}

void
exchange_fini(struct exchange *exchange)
{
	fields_fini(&exchange->send);
	fields_fini(&exchange->fields);
	text_fini(&exchange->body);
	*exchange = (struct exchange){.method = exchange->method, .url = exchange->url};
}
