/* The Idempotency-Key of a call, and the digest that tells one request from another (contract, 7). */
#include "styles/call.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

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

bool
call_read_key(struct call *call)
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
