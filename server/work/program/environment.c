/* The environment of a program. */
#include "work/program/environment.h"

#include "common/cleanup.h"
#include "work/process/identity.h"
#include "work/process/proc.h"
#include "work/process/process.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* How many entries at the beginning are never replaced. */
#define FIXED_COUNT 3

/* Fields that are not passed on as HTTP_*: credentials, what has a variable of its own, what is the
 * connection's, and Proxy, which as HTTP_PROXY would be taken for a setting ("httpoxy"). */
static const char *const withheld[] = {
	"Authorization",
	"Connection",
	"Content-Length",
	"Content-Type",
	"Proxy",
	"Proxy-Authorization",
	"Transfer-Encoding",
};

/* The index of the entry of that name, list->count if there is none. */
static size_t
find(const struct string_list *list, const char *name, size_t len)
{
	size_t i = 0;

	while (i < list->count && (strncmp(list->items[i], name, len) != 0 || list->items[i][len] != '='))
		i++;
	return i;
}

static void
set_bytes(struct string_list *list, const char *name, const char *value, size_t len)
{
	struct text entry = {0};

	text_addf(&entry, "%s=", name);
	text_add(&entry, value, len);
	string_list_take(list, text_take(&entry));
}

static void
set(struct string_list *list, const char *name, const char *value)
{
	set_bytes(list, name, value, strlen(value));
}

static void
set_marks(struct string_list *list, const struct work_input *input)
{
	char id[ID_TEXT_SIZE];

	id_format(&input->id, id);
	set(list, PROC_MARK, id);
	id_format(&identity_own()->id, id);
	set(list, PROC_SERVER_MARK, id);
	string_list_take(list, xasprintf("DEFERD_PROGRESS_FD=%d", PROCESS_PROGRESS_FD));
}

/* AUTH_TYPE is the scheme of the credentials; one who is known by other means has none. */
static void
set_principal(struct string_list *list, const struct work_input *input)
{
	struct field field;

	if (!input->principal)
		return;
	set(list, "REMOTE_USER", input->principal);
	if (!fields_find(&input->fields, "Authorization", &field))
		return;
	const char *space = memchr(field.value, ' ', field.value_len);
	size_t len = space ? (size_t)(space - field.value) : field.value_len;
	if (text_is_token(field.value, len))
		set_bytes(list, "AUTH_TYPE", field.value, len);
}

static void
set_content(struct string_list *list, const struct work_input *input)
{
	struct field field;

	if (input->body)
		string_list_take(
			list, xasprintf("CONTENT_LENGTH=%llu", (unsigned long long)blob_len(input->body)));
	if (fields_find(&input->fields, "Content-Type", &field))
		set_bytes(list, "CONTENT_TYPE", field.value, field.value_len);
}

/* Where the n-th slash of path stands, counted from 1; its end if it has fewer. */
static const char *
nth_slash(const char *path, size_t n)
{
	for (; *path; path++)
		if (*path == '/' && --n == 0)
			break;
	return path;
}

/* How much of a route's pattern stands before its first segment with a brace, without a slash at its end. */
static size_t
literal_len(const char *route)
{
	const char *brace = strchr(route, '{');
	const char *slash = brace ? memrchr(route, '/', (size_t)(brace - route)) : NULL;
	size_t len = slash ? (size_t)(slash - route) : brace ? 0 : strlen(route);

	return len > 0 && route[len - 1] == '/' ? len - 1 : len;
}

/* SCRIPT_NAME is the literal beginning of the route, PATH_INFO the path after as many segments: the path may
 * have escapes where the pattern has none. */
static void
set_path(struct string_list *list, const struct work_input *input)
{
	size_t script_len = literal_len(input->route), segments = 0, len;

	for (size_t i = 0; i < script_len; i++)
		segments += input->route[i] == '/';
	const char *rest = nth_slash(input->path, segments + 1);
	CLEANUP_FREE char *decoded = xcalloc(strlen(rest) + 1, 1);
	set_bytes(list, "SCRIPT_NAME", input->route, script_len);
	if (text_percent_decode(rest, strlen(rest), false, decoded, &len) == 0)
		set_bytes(list, "PATH_INFO", decoded, len);
	string_list_take(list, xasprintf("REQUEST_URI=%s%s%s", input->path, input->query ? "?" : "",
				       input->query ? input->query : ""));
}

/* Host and port of the authority; a port that it does not have is that of the server's socket, or else of the
 * scheme. */
static void
set_server(struct string_list *list, const struct work_input *input)
{
	const char *host = input->authority ? input->authority : "";
	const char *bracket = *host == '[' ? strchr(host, ']') : NULL;
	const char *colon = strchr(bracket ? bracket : host, ':');
	size_t len = colon ? (size_t)(colon - host) : strlen(host);
	bool is_https = input->scheme && strcmp(input->scheme, "https") == 0;

	if (len > 0)
		set_bytes(list, "SERVER_NAME", host, len);
	else
		set(list, "SERVER_NAME", "localhost");
	if (input->port && !(colon && colon[1]))
		string_list_take(list, xasprintf("SERVER_PORT=%u", input->port));
	else
		set(list, "SERVER_PORT", colon && colon[1] ? colon + 1 : is_https ? "443" : "80");
	/* Not of RFC 3875, but where every CGI program looks for it. */
	if (is_https)
		set(list, "HTTPS", "on");
}

static bool
is_withheld(const struct field *field)
{
	for (size_t i = 0; i < sizeof withheld / sizeof *withheld; i++)
		if (text_equal_nocase(field->name, field->name_len, withheld[i]))
			return true;
	return false;
}

/* The name of a field as that of a variable, NULL if it has characters that could make two names one: only
 * '-' becomes '_'. */
static char *
variable_name(const struct field *field)
{
	struct text name = {0};

	text_add_string(&name, "HTTP_");
	for (size_t i = 0; i < field->name_len; i++) {
		char c = field->name[i];
		bool is_alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
		if (!is_alnum && c != '-') {
			text_fini(&name);
			return NULL;
		}
		text_add_char(&name, c == '-' ? '_' : c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
	}
	return text_take(&name);
}

/* Adds a field, or its value to that of the same name: one that is repeated is one list (RFC 9110, 5.3);
 * Cookie has its own separator. */
static void
set_field(struct string_list *list, const struct field *field)
{
	CLEANUP_FREE char *name = variable_name(field);

	if (!name)
		return;
	size_t i = find(list, name, strlen(name));
	if (i == list->count) {
		set_bytes(list, name, field->value, field->value_len);
		return;
	}
	struct text joined = {0};
	text_add_string(&joined, list->items[i]);
	text_add_string(&joined, strcmp(name, "HTTP_COOKIE") == 0 ? "; " : ", ");
	text_add(&joined, field->value, field->value_len);
	free(list->items[i]);
	list->items[i] = text_take(&joined);
}

static void
set_own(struct string_list *list, const char *entry)
{
	size_t i = find(list, entry, strcspn(entry, "="));

	if (i == list->count) {
		string_list_take(list, xstrdup(entry));
	} else if (i >= FIXED_COUNT) {
		free(list->items[i]);
		list->items[i] = xstrdup(entry);
	}
}

/* The call's trace, as programs that are instrumented look for it. */
static void
set_trace(struct string_list *list, const struct work_input *input)
{
	struct field field;

	if (fields_find(&input->fields, "traceparent", &field))
		set_bytes(list, "TRACEPARENT", field.value, field.value_len);
	if (fields_find(&input->fields, "tracestate", &field))
		set_bytes(list, "TRACESTATE", field.value, field.value_len);
}

void
environment_build(const struct work_input *input, char *const *own, struct string_list *ret_list)
{
	struct string_list list = {0};
	const char *address = input->remote_address ? input->remote_address : "";

	set_marks(&list, input);
	set(&list, "PATH", "/usr/local/bin:/usr/bin:/bin");
	set(&list, "LANG", "C.UTF-8");
	set_trace(&list, input);
	set(&list, "GATEWAY_INTERFACE", "CGI/1.1");
	set(&list, "SERVER_SOFTWARE", "deferd/" DEFERD_VERSION);
	set(&list, "SERVER_PROTOCOL", input->is_http_1_0 ? "HTTP/1.0" : "HTTP/1.1");
	set(&list, "REQUEST_METHOD", input->method);
	set(&list, "QUERY_STRING", input->query ? input->query : "");
	set(&list, "REMOTE_ADDR", address);
	set(&list, "REMOTE_HOST", address);
	set_path(&list, input);
	set_server(&list, input);
	set_principal(&list, input);
	set_content(&list, input);
	fields_for_each(field, &input->fields)
		if (!is_withheld(&field))
			set_field(&list, &field);
	for (; own && *own; own++)
		set_own(&list, *own);
	*ret_list = list;
}
