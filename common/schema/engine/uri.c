/* URI references. */
#include "common/schema/engine/uri.h"

#include "common/text.h"

#include <arpa/inet.h>
#include <string.h>

struct part {
	const char *data; /* NULL: the part is not there, which is not the same as empty */
	size_t len;
};

/* A view of a URI reference; path is always there. */
struct uri {
	struct part scheme;
	struct part authority;
	struct part path;
	struct part query;
	struct part fragment;
};

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Takes what comes before the first byte of stops; leaves at there. */
static struct part
take_until(const char **at, const char *end, const char *stops)
{
	struct part part = {.data = *at};

	while (*at < end && (**at == '\0' || !strchr(stops, **at)))
		(*at)++;
	part.len = (size_t)(*at - part.data);
	return part;
}

static bool
is_scheme(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_alpha(data[i]) &&
			(i == 0 || data[i] == '\0' || (!is_digit(data[i]) && !strchr("+-.", data[i]))))
			return false;
	return len > 0;
}

/* Splits any text into the parts of a URI reference (RFC 3986, appendix B). */
static void
split(const char *text, size_t len, struct uri *ret_uri)
{
	struct uri uri = {.scheme = {0}};
	const char *at = text, *end = text + len;
	struct part first = take_until(&at, end, ":/?#");

	if (at < end && *at == ':' && is_scheme(first.data, first.len)) {
		uri.scheme = first;
		at++;
	} else {
		at = text;
	}
	if (end - at >= 2 && at[0] == '/' && at[1] == '/') {
		at += 2;
		uri.authority = take_until(&at, end, "/?#");
	}
	uri.path = take_until(&at, end, "?#");
	if (at < end && *at == '?') {
		at++;
		uri.query = take_until(&at, end, "#");
	}
	if (at < end)
		uri.fragment = (struct part){at + 1, (size_t)(end - at - 1)};
	*ret_uri = uri;
}

static void
add_part(struct text *text, const char *before, const struct part *part, const char *after)
{
	if (!part->data)
		return;
	text_add_string(text, before);
	text_add(text, part->data, part->len);
	text_add_string(text, after);
}

/* Drops the last segment that stands in text from start on, with its slash. */
static void
drop_segment(struct text *text, size_t start)
{
	while (text->len > start && text->data[--text->len] != '/')
		;
}

/* Adds a path without its "." and ".." (RFC 3986, 5.2.4). */
static void
add_path(struct text *text, const char *path, size_t len)
{
	size_t start = text->len;
	const char *at = path, *end = path + len;

	while (at < end) {
		const char *slash = at;
		at += *at == '/';
		struct part segment = take_until(&at, end, "/");
		bool is_last = at == end;
		if (segment.len == 1 && segment.data[0] == '.') {
			if (is_last && *slash == '/')
				text_add_char(text, '/');
		} else if (segment.len == 2 && memcmp(segment.data, "..", 2) == 0) {
			drop_segment(text, start);
			if (is_last)
				text_add_char(text, '/');
		} else {
			text_add(text, slash, (size_t)(at - slash));
		}
	}
	text_add(text, "", 0);
}

/* The path of a reference that has one without a leading slash, behind base's last one (5.2.3). */
static void
add_merged_path(struct text *text, const struct uri *base, const struct part *path)
{
	struct text merged = {0};
	size_t keep = base->path.len;

	while (keep > 0 && base->path.data[keep - 1] != '/')
		keep--;
	text_add(&merged, base->path.data, keep);
	if (base->path.len == 0 && base->authority.data)
		text_add_char(&merged, '/');
	text_add(&merged, path->data, path->len);
	add_path(text, merged.data, merged.len);
	text_fini(&merged);
}

char *
schema_uri_resolve(const char *base_text, const char *reference_text)
{
	struct uri base, reference;
	struct text text = {0};

	split(base_text, strlen(base_text), &base);
	split(reference_text, strlen(reference_text), &reference);
	add_part(&text, "", reference.scheme.data ? &reference.scheme : &base.scheme, ":");
	if (reference.scheme.data || reference.authority.data) {
		add_part(&text, "//", &reference.authority, "");
		add_path(&text, reference.path.data, reference.path.len);
		add_part(&text, "?", &reference.query, "");
		return text_take(&text);
	}
	add_part(&text, "//", &base.authority, "");
	if (reference.path.len == 0) {
		text_add(&text, base.path.data, base.path.len);
		add_part(&text, "?", reference.query.data ? &reference.query : &base.query, "");
		return text_take(&text);
	}
	if (reference.path.data[0] == '/')
		add_path(&text, reference.path.data, reference.path.len);
	else
		add_merged_path(&text, &base, &reference.path);
	add_part(&text, "?", &reference.query, "");
	return text_take(&text);
}

/* Whether the part has nothing but unreserved characters, sub-delims, escapes and those of also (3986, 2). */
static bool
has_only(const struct part *part, const char *also)
{
	for (size_t i = 0; i < part->len; i++) {
		char c = part->data[i];
		if (is_alpha(c) || is_digit(c) ||
			(c != '\0' && (strchr("-._~!$&'()*+,;=", c) || strchr(also, c))))
			continue;
		if (c != '%' || part->len - i < 3 || text_hex_value(part->data[i + 1]) < 0 ||
			text_hex_value(part->data[i + 2]) < 0)
			return false;
		i += 2;
	}
	return true;
}

/* The text between the brackets: IPv6address or IPvFuture (3.2.2). */
static bool
is_ip_literal(const char *data, size_t len)
{
	char address[INET6_ADDRSTRLEN];
	unsigned char binary[16];

	if (len > 0 && (data[0] == 'v' || data[0] == 'V')) {
		size_t i = 1;
		while (i < len && text_hex_value(data[i]) >= 0)
			i++;
		struct part rest = {data + i + 1, len > i ? len - i - 1 : 0};
		return i > 1 && i < len && data[i] == '.' && rest.len > 0 && has_only(&rest, ":") &&
		       !memchr(rest.data, '%', rest.len);
	}
	if (len >= sizeof address || memchr(data, '\0', len))
		return false;
	memcpy(address, data, len);
	address[len] = '\0';
	return inet_pton(AF_INET6, address, binary) == 1;
}

/* [ userinfo "@" ] host [ ":" port ] (3.2) */
static bool
is_authority(const struct part *authority)
{
	const char *end = authority->data + authority->len, *host = authority->data;
	const char *sign = memchr(host, '@', authority->len);

	if (sign) {
		struct part user = {host, (size_t)(sign - host)};
		if (!has_only(&user, ":"))
			return false;
		host = sign + 1;
	}
	const char *host_end = end;
	while (host_end > host && is_digit(host_end[-1]))
		host_end--;
	host_end = host_end > host && host_end[-1] == ':' ? host_end - 1 : end;
	struct part name = {host, (size_t)(host_end - host)};
	if (name.len >= 2 && host[0] == '[' && host_end[-1] == ']')
		return is_ip_literal(host + 1, name.len - 2);
	return has_only(&name, "");
}

bool
schema_uri_is_valid(const char *text, size_t len)
{
	struct uri uri;

	split(text, len, &uri);
	return uri.scheme.data && (!uri.authority.data || is_authority(&uri.authority)) &&
	       has_only(&uri.path, ":@/") && has_only(&uri.query, ":@/?") && has_only(&uri.fragment, ":@/?");
}
