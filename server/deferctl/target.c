/* URLs: what the user names, what a server refers to, and whether two have the same origin. */
#include "deferctl/target.h"

#include "common/cleanup.h"
#include "common/id.h"
#include "common/text.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

static void
cleanup_url(CURLU **url)
{
	curl_url_cleanup(*url);
}

#define CLEANUP_URL CLEANUP(cleanup_url)

static char *
get_part(CURLU *url, CURLUPart part, unsigned flags)
{
	char *value = NULL;

	if (curl_url_get(url, part, &value, flags) != CURLUE_OK)
		return NULL;
	char *copy = xstrdup(value);
	curl_free(value);
	return copy;
}

/* The URL as text without its fragment, NULL if it is none of HTTP. */
static char *
format(CURLU *url)
{
	CLEANUP_FREE char *scheme = get_part(url, CURLUPART_SCHEME, 0);

	if (!scheme || (strcasecmp(scheme, "http") != 0 && strcasecmp(scheme, "https") != 0))
		return NULL;
	curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
	return get_part(url, CURLUPART_URL, 0);
}

char *
target_resolve(const char *url, const char *reference)
{
	CLEANUP_URL CURLU *parsed = curl_url();

	if (url && curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK)
		return NULL;
	if (curl_url_set(parsed, CURLUPART_URL, reference, CURLU_DISALLOW_USER) != CURLUE_OK)
		return NULL;
	return format(parsed);
}

char *
target_find(const char *argument, const char *base)
{
	CLEANUP_URL CURLU *parsed = curl_url();
	CLEANUP_FREE char *whole = NULL;
	struct id id;

	if (!strstr(argument, "://")) {
		if (!base || !*base)
			return NULL;
		size_t len = strlen(base);
		while (len > 0 && base[len - 1] == '/')
			len--;
		bool is_id = id_parse(argument, strlen(argument), &id) == 0;
		const char *between = is_id ? "/operations/" : argument[0] == '/' ? "" : "/";
		whole = xasprintf("%.*s%s%s", (int)len, base, between, argument);
	}
	if (curl_url_set(parsed, CURLUPART_URL, whole ? whole : argument, 0) != CURLUE_OK)
		return NULL;
	return format(parsed);
}

static bool
is_same_part(CURLU *a, CURLU *b, CURLUPart part)
{
	CLEANUP_FREE char *of_a = get_part(a, part, CURLU_DEFAULT_PORT),
			  *of_b = get_part(b, part, CURLU_DEFAULT_PORT);

	return of_a && of_b && strcasecmp(of_a, of_b) == 0;
}

bool
target_is_same_origin(const char *a, const char *b)
{
	CLEANUP_URL CURLU *first = curl_url();
	CLEANUP_URL CURLU *second = curl_url();

	if (curl_url_set(first, CURLUPART_URL, a, 0) != CURLUE_OK ||
		curl_url_set(second, CURLUPART_URL, b, 0) != CURLUE_OK)
		return false;
	return is_same_part(first, second, CURLUPART_SCHEME) && is_same_part(first, second, CURLUPART_HOST) &&
	       is_same_part(first, second, CURLUPART_PORT);
}

char *
target_split(const char *url, char **ret_user)
{
	CLEANUP_URL CURLU *parsed = curl_url();

	*ret_user = NULL;
	if (curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK)
		return xstrdup(url);
	CLEANUP_FREE char *user = get_part(parsed, CURLUPART_USER, CURLU_URLDECODE);
	CLEANUP_FREE char *password = get_part(parsed, CURLUPART_PASSWORD, CURLU_URLDECODE);
	if (user)
		*ret_user = xasprintf("%s:%s", user, password ? password : "");
	curl_url_set(parsed, CURLUPART_USER, NULL, 0);
	curl_url_set(parsed, CURLUPART_PASSWORD, NULL, 0);
	char *bare = get_part(parsed, CURLUPART_URL, 0);
	return bare ? bare : xstrdup(url);
}

/* How much of url is the server's, where its monitor is at url[len]: styles have a segment of their own before it. */
static size_t
cut_style(const char *url, size_t len)
{
	static const char *const segments[] = {"/azure", "/v1"};

	for (size_t i = 0; i < sizeof segments / sizeof *segments; i++) {
		size_t end = strlen(segments[i]);
		if (len >= end && strncmp(url + len - end, segments[i], end) == 0)
			return len - end;
	}
	return len;
}

char *
target_of_operation(const char *url, const char *part)
{
	static const char segment[] = "/operations/";
	struct id id;

	for (const char *at = strstr(url, segment); at; at = strstr(at + 1, segment)) {
		const char *text = at + sizeof segment - 1;
		size_t len = strcspn(text, "/?");
		if (len != ID_TEXT_SIZE - 1 || id_parse(text, len, &id) < 0)
			continue;
		return xasprintf("%.*s%.*s%s%s", (int)cut_style(url, (size_t)(at - url)), url,
			(int)(text + len - at), at, part ? "/" : "", part ? part : "");
	}
	return NULL;
}
