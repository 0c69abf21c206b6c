/* The site that a server is to browsers. */
#include "http/message/site.h"

#include "common/cleanup.h"
#include "common/string_list.h"
#include "http/message/reply.h"
#include "http/message/router.h"
#include "http/message/shared.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What a page may read beside the fields that every page may. */
#define EXPOSED \
	"Location, Content-Location, GW-Async-Location, Operation-Location, Azure-AsyncOperation, " \
	"Retry-After, Link, " \
	"Preference-Applied, ETag, X-Request-Id, X-Progress, AsyncResult"

void
http_cors_copy(struct http_cors *ret_cors, const struct http_cors *from)
{
	*ret_cors = *from;
	ret_cors->origins = from->origins ? string_list_dup(from->origins) : NULL;
}

void
http_cors_fini(struct http_cors *cors)
{
	string_list_free(cors->origins);
	cors->origins = NULL;
}

void
http_site_copy(struct http_site *ret_site, const struct http_site *from)
{
	ret_site->hosts = from->hosts ? string_list_dup(from->hosts) : NULL;
	http_cors_copy(&ret_site->cors, &from->cors);
}

void
http_site_fini(struct http_site *site)
{
	string_list_free(site->hosts);
	site->hosts = NULL;
	http_cors_fini(&site->cors);
}

/* The length of the host in "host:port" or "[::1]:port", without a dot at its end. */
static size_t
host_len(const char *authority, size_t len)
{
	const char *close = len > 0 && authority[0] == '[' ? memchr(authority, ']', len) : NULL;

	if (close)
		return (size_t)(close - authority) + 1;
	const char *colon = memchr(authority, ':', len);
	if (colon)
		len = (size_t)(colon - authority);
	return len > 1 && authority[len - 1] == '.' ? len - 1 : len;
}

static bool
ends_with(const char *host, size_t len, const char *end)
{
	size_t end_len = strlen(end);

	return len > end_len && strncasecmp(host + len - end_len, end, end_len) == 0;
}

static bool
is_loopback(const char *host, size_t len)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr address;

	if (text_equal_nocase(host, len, "localhost") || ends_with(host, len, ".localhost") ||
		text_equal_nocase(host, len, "[::1]"))
		return true;
	if (len >= sizeof text)
		return false;
	memcpy(text, host, len);
	text[len] = '\0';
	return inet_pton(AF_INET, text, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

/* What stands behind "scheme://", up to a slash. */
static const char *
authority_of(const char *url, size_t *ret_len)
{
	const char *from = strstr(url, "://");

	from = from ? from + 3 : url;
	*ret_len = strcspn(from, "/");
	return from;
}

static bool
is_host_of(const char *host, size_t len, const char *url)
{
	size_t authority_len;

	if (!url)
		return false;
	const char *authority = authority_of(url, &authority_len);
	size_t own = host_len(authority, authority_len);
	return own == len && strncasecmp(authority, host, len) == 0;
}

bool
site_has_host(const struct http_site *site, const struct http_request *request)
{
	const char *authority = http_request_field(request, "Host");
	size_t len = authority ? host_len(authority, strlen(authority)) : 0;

	if (len == 0 || http_request_local_port(request) == 0)
		return true;
	if (is_loopback(authority, len) || is_host_of(authority, len, request->shared->public_url))
		return true;
	for (char **host = site->hosts; host && *host; host++)
		if (text_equal_nocase(authority, len, *host))
			return true;
	return false;
}

static bool
is_cross_site(const struct http_request *request)
{
	const char *site = http_request_field(request, "Sec-Fetch-Site");

	return site && strcasecmp(site, "cross-site") == 0;
}

bool
site_is_asked(const struct http_request *request)
{
	return http_request_field(request, "Origin") || is_cross_site(request);
}

/* The length of an authority without the port that its scheme has by default. */
static size_t
plain_len(const char *authority, size_t len)
{
	if (len > 3 && memcmp(authority + len - 3, ":80", 3) == 0)
		return len - 3;
	return len > 4 && memcmp(authority + len - 4, ":443", 4) == 0 ? len - 4 : len;
}

static bool
is_same_authority(const char *a, size_t a_len, const char *b, size_t b_len)
{
	a_len = plain_len(a, a_len);
	b_len = plain_len(b, b_len);
	return a_len == b_len && strncasecmp(a, b, a_len) == 0;
}

/* Whether a page of ours calls.  Schemes are not compared: a proxy in front may speak TLS for us. */
static bool
is_own(const struct http_request *request, const char *origin)
{
	const char *public_url = request->shared->public_url, *host = http_request_field(request, "Host");
	size_t len, public_len = 0;

	if (!strstr(origin, "://"))
		return false;
	const char *authority = authority_of(origin, &len);
	const char *public_authority = public_url ? authority_of(public_url, &public_len) : NULL;
	return (host && is_same_authority(authority, len, host, strlen(host))) ||
	       (public_authority && is_same_authority(authority, len, public_authority, public_len));
}

static bool
has_origin(const struct http_cors *cors, const char *origin)
{
	for (char **one = cors->origins; one && *one; one++)
		if (strcmp(*one, "*") == 0 || strcasecmp(*one, origin) == 0)
			return true;
	return false;
}

static bool
is_preflight(const struct http_request *request)
{
	return request->method == HTTP_OPTIONS &&
	       http_request_field(request, "Access-Control-Request-Method");
}

/* Who may call the target of the path. */
static const struct http_cors *
find_cors(const struct http_site *site, const struct http_request *request, const struct router *router)
{
	enum http_method method = request->method;
	struct router_match match;

	if (is_preflight(request))
		method = http_method_find(http_request_field(request, "Access-Control-Request-Method"));
	if (!router || router_find(router, request->path, request->path_len, method, &match) < 0)
		return &site->cors;
	const struct http_target *target = match.target;
	return target->cors ? target->cors : &site->cors;
}

static void
put_page_fields(struct http_request *request, const struct http_cors *cors, const char *origin)
{
	bool is_any = strcmp(cors->origins[0], "*") == 0 && !cors->credentials;
	struct fields *fields = &request->extra;

	/* What a client sends may be no field of ours. */
	int rc = fields_add(fields, "Access-Control-Allow-Origin", is_any ? "*" : origin);
	(void)rc;
	if (!is_any)
		fields_put(fields, "Vary", "Origin");
	if (cors->credentials)
		fields_put(fields, "Access-Control-Allow-Credentials", "true");
}

static void
reply_preflight(struct http_request *request, const struct http_cors *cors)
{
	CLEANUP(fields_fini) struct fields fields = {0};
	const char *headers = http_request_field(request, "Access-Control-Request-Headers");
	int rc = fields_add(&fields, "Access-Control-Allow-Methods",
		http_request_field(request, "Access-Control-Request-Method"));

	if (rc == 0 && headers && *headers)
		rc = fields_add(&fields, "Access-Control-Allow-Headers", headers);
	(void)rc;
	fields_putf(&fields, "Access-Control-Max-Age", "%lld", (long long)(cors->max_age_ms / 1000));
	reply_bytes(request, 204, &fields, NULL, 0);
}

static bool
is_read(const struct http_request *request)
{
	return request->method == HTTP_GET || request->method == HTTP_HEAD;
}

bool
site_admits(const struct http_site *site, struct http_request *request, const struct router *router)
{
	const struct http_cors *cors = find_cors(site, request, router);
	const char *origin = http_request_field(request, "Origin");
	bool is_allowed = origin && has_origin(cors, origin);

	if (is_allowed)
		put_page_fields(request, cors, origin);
	if (is_allowed && is_preflight(request)) {
		reply_preflight(request, cors);
		return false;
	}
	if (is_allowed)
		fields_put(&request->extra, "Access-Control-Expose-Headers", EXPOSED);
	else if (!is_read(request) && !(origin && is_own(request, origin))) {
		reply_problemf(request, PROBLEM_FOREIGN_ORIGIN, "Pages of this origin may not call.");
		return false;
	}
	return true;
}
