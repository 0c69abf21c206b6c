/* Credentials of an Authorization field: decodes Basic and Bearer, and wipes secrets after use. */
#include "http/login/credentials.h"

#include "common/text.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Longer than any field that the guard lets through. */
#define ENCODED_MAX 16384

static void
wipe(char *string, size_t len)
{
	if (string)
		OPENSSL_cleanse(string, len);
	free(string);
}

/* Decodes base64 without blanks; NULL if it is malformed or decodes to a NUL. */
static char *
decode(const char *encoded, size_t *ret_len)
{
	size_t len = strlen(encoded);
	size_t body = strspn(encoded, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
	size_t padding = strspn(encoded + body, "=");

	if (len == 0 || len > ENCODED_MAX || len % 4 != 0 || padding > 2 || body + padding != len)
		return NULL;
	char *decoded = xcalloc(len / 4 * 3 + 1, 1);
	int n = EVP_DecodeBlock((unsigned char *)decoded, (const unsigned char *)encoded, (int)len);
	size_t decoded_len = n < 0 ? 0 : (size_t)n - padding;
	decoded[decoded_len] = '\0';
	if (n < 0 || strlen(decoded) != decoded_len) {
		wipe(decoded, len / 4 * 3);
		return NULL;
	}
	*ret_len = decoded_len;
	return decoded;
}

static int
parse_basic(const char *encoded, struct credentials *ret_credentials)
{
	size_t len = 0;
	char *pair = decode(encoded, &len);
	char *colon = pair ? strchr(pair, ':') : NULL;
	int rc = -EINVAL;

	if (colon) {
		*ret_credentials = (struct credentials){.scheme = CREDENTIALS_BASIC,
			.name = xstrndup(pair, (size_t)(colon - pair)),
			.secret = xstrdup(colon + 1)};
		rc = 0;
	}
	wipe(pair, len);
	return rc;
}

static int
parse_bearer(const char *token, struct credentials *ret_credentials)
{
	size_t len = strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/");

	if (len == 0 || token[len + strspn(token + len, "=")] != '\0')
		return -EINVAL;
	*ret_credentials = (struct credentials){.scheme = CREDENTIALS_BEARER, .secret = xstrdup(token)};
	return 0;
}

int
credentials_parse(const char *field, struct credentials *ret_credentials)
{
	size_t scheme_len = strcspn(field, " ");
	const char *rest = field + scheme_len + strspn(field + scheme_len, " ");

	if (text_equal_nocase(field, scheme_len, "Basic"))
		return parse_basic(rest, ret_credentials);
	if (text_equal_nocase(field, scheme_len, "Bearer"))
		return parse_bearer(rest, ret_credentials);
	return -EINVAL;
}

void
credentials_fini(struct credentials *credentials)
{
	wipe(credentials->secret, credentials->secret ? strlen(credentials->secret) : 0);
	free(credentials->name);
	*credentials = (struct credentials){0};
}
