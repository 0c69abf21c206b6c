/* The part of a request that its work sees, and its Idempotency-Key with the digest that tells one request from another
 * (contract, 7). */
#include "styles/call_input.h"

#include "common/cleanup.h"
#include "common/http/trace.h"
#include "styles/call.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* Adds the path's parameters, and those of the query that the route has asked for.  The missing one's name,
 * or NULL. */
static const char *
add_params(struct call *call)
{
	const struct http_request *request = call->request;

	for (size_t i = 0; i < request->match.param_count; i++) {
		const char *name = request->match.params[i].name;
		CLEANUP_FREE char *value = http_request_param(request, name);
		work_input_add_param(call->input, name, value);
	}
	for (char **name = call->route->config.query; name && *name; name++) {
		CLEANUP_FREE char *value = http_request_query(request, *name);
		if (!value)
			return *name;
		work_input_add_param(call->input, *name, value);
	}
	return NULL;
}

/* What is left of an Authorization is its scheme, which programs are told as AUTH_TYPE: a password has no
 * place in the store. */
static void
drop_credentials(struct fields *fields)
{
	CLEANUP_FREE char *authorization = fields_dup_value(fields, "Authorization");

	fields_remove(fields, "Proxy-Authorization");
	if (!authorization)
		return;
	fields_remove(fields, "Authorization");
	authorization[strcspn(authorization, " \t")] = '\0';
	fields_put(fields, "Authorization", authorization);
}

/* A call is part of its client's trace, or begins one: programs and upstreams are told. */
static void
set_trace(struct fields *fields)
{
	CLEANUP_FREE char *given = fields_dup_value(fields, "traceparent");
	char made[TRACEPARENT_SIZE];

	if (given && trace_is_valid(given))
		return;
	trace_make(made);
	if (given)
		fields_remove(fields, "traceparent");
	fields_remove(fields, "tracestate");
	fields_put(fields, "traceparent", made);
}

/* What is only read of a string. */
static char *
lend(const char *string)
{
	return (char *)(uintptr_t)string;
}

static void
copy_strings(const struct call *call, struct work_input *input)
{
	const struct http_request *request = call->request;
	CLEANUP_FREE char *path = xstrndup(request->path, request->path_len);
	CLEANUP_FREE char *base = http_request_base(request);
	const struct work_input strings = {
		.method = lend(http_method_name(request->method)),
		.path = path,
		.query = call->query,
		.route = lend(call->route->config.pattern),
		.principal = lend(request->principal),
		.remote_address = lend(http_request_remote_address(request)),
		.scheme = lend(http_request_scheme(request)),
		.authority = lend(http_request_authority(request)),
		.base = base,
	};

	work_input_copy_strings(input, &strings);
}

static void
make_input(struct call *call)
{
	struct work_input *input = work_input_new();

	copy_strings(call, input);
	http_request_copy_fields(call->request, &input->fields);
	if (!call->route->config.keeps_credentials)
		drop_credentials(&input->fields);
	/* Nobody is told of changes that nobody carries out. */
	if (!call->route->config.collection || call->route->config.has_on_change)
		set_trace(&input->fields);
	call->input = input;
}

static void
hash_piece(EVP_MD_CTX *context, const char *data)
{
	uint64_t len = data ? strlen(data) : 0;

	EVP_DigestUpdate(context, &len, sizeof len);
	EVP_DigestUpdate(context, data, (size_t)len);
}

static int
hash_body(EVP_MD_CTX *context, const struct blob *body)
{
	uint64_t len = blob_len(body), done = 0;
	char buffer[16384];

	while (done < len) {
		ssize_t n = blob_read(body, done, buffer, sizeof buffer);
		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		EVP_DigestUpdate(context, buffer, (size_t)n);
		done += (uint64_t)n;
	}
	return 0;
}

/* The digest that tells requests under the same key from each other: method, path, query without async,
 * body. */
static int
digest_request(const struct call *call, uint8_t ret_digest[static 32])
{
	const struct work_input *input = call->input;
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (!context || !EVP_DigestInit_ex(context, EVP_sha256(), NULL))
		abort();
	hash_piece(context, input->method);
	hash_piece(context, input->path);
	hash_piece(context, input->query);
	int rc = hash_body(context, call->body);
	EVP_DigestFinal_ex(context, ret_digest, NULL);
	EVP_MD_CTX_free(context);
	return rc;
}

struct key_lines {
	unsigned count;
	const char *first;
};

static void
take_key_line(const char *value, void *arg)
{
	struct key_lines *lines = arg;

	if (lines->count++ == 0)
		lines->first = value;
}

/* Reads the Idempotency-Key and makes the call's key.  Returns false if the call has been answered. */
static bool
read_key(struct call *call)
{
	struct key_lines lines = {0};
	char text[IDEMPOTENCY_KEY_SIZE];
	uint8_t digest[32];

	if (call_is_safe(call->request))
		return true;
	http_request_each_field(call->request, "Idempotency-Key", take_key_line, &lines);
	if (lines.count == 0) {
		if (!call->route->config.idempotency_required)
			return true;
		call_refuse(call, PROBLEM_KEY_REQUIRED, 0,
			"This route requires an Idempotency-Key with every call.", NULL);
		return false;
	}
	if (lines.count > 1 || idempotency_key_parse(lines.first, text) < 0) {
		call_refuse(call, PROBLEM_KEY_INVALID, 0,
			"An Idempotency-Key is one quoted string or token of 1 to 255 characters.", NULL);
		return false;
	}
	if (digest_request(call, digest) < 0) {
		call_refuse(call, PROBLEM_STORAGE, 0, NULL, NULL);
		return false;
	}
	call->key = op_key_new(call->route->config.op_route, call->request->principal, text, digest);
	return true;
}

const struct work_input *
call_input(const struct call *call)
{
	return call->is_late ? op_unjudged_input(call->op) : call->input;
}

bool
call_prepare(struct call *call)
{
	work_input_free(call->input);
	op_key_free(call->key);
	call->key = NULL;
	make_input(call);
	const char *missing = add_params(call);
	if (missing) {
		CLEANUP_FREE char *detail = xasprintf("The query parameter %s is missing.", missing);
		call_refuse(call, PROBLEM_INVALID_PARAMETER, 0, detail, NULL);
		return false;
	}
	if (!call->route->config.collection)
		call->input->body = blob_ref(call->body);
	return read_key(call);
}
