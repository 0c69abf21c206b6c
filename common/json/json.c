/*
 * JSON.
 *
 * json-c builds the values and judges the structure.  In front of it runs a scan over the words of the text,
 * which is where json-c is lenient: it judges strings, numbers and literals, refuses names with a NUL (json-c
 * would cut them there), finds whole numbers that do not fit 64 bits (json-c would clip them: they are handed
 * on with an exponent, which is taken off again), and counts members: when the built value has fewer, one was
 * repeated.
 */
#include "common/json/json.h"

#include "common/cleanup.h"
#include "common/hash.h"
#include "common/list.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The suffix that makes json-c read a whole number as a double. */
#define EXPONENT "e-0"

struct scan {
	const char *data;
	size_t len;
	size_t at;	    /* where a mistake is, once there is one */
	const char *reason; /* NULL: none so far */
	size_t members;	    /* colons outside of strings */
	size_t depth;	    /* arrays and objects around this place */
	struct text copy;   /* the text with large numbers rewritten, once there is one */
	size_t copied;	    /* how far data has gone into copy */
};

static bool
fail(struct scan *scan, size_t at, const char *reason)
{
	scan->at = at;
	scan->reason = reason;
	return false;
}

/* Whether the next word is a colon, so that the last one was a name. */
static bool
is_before_colon(const struct scan *scan)
{
	size_t at = scan->at;

	while (at < scan->len && strchr(" \t\r\n", scan->data[at]) && scan->data[at] != '\0')
		at++;
	return at < scan->len && scan->data[at] == ':';
}

static bool
scan_string(struct scan *scan)
{
	size_t start = scan->at++;
	bool has_nul = false;

	for (; scan->at < scan->len; scan->at++) {
		unsigned char c = (unsigned char)scan->data[scan->at];
		if (c == '"') {
			scan->at++;
			return !has_nul || !is_before_colon(scan) || fail(scan, start, "NUL in a name");
		}
		if (c < 0x20)
			return fail(scan, scan->at, "control character in a string");
		if (c == '\\') {
			scan->at++;
			has_nul |= scan->len - scan->at > 5 && !memcmp(scan->data + scan->at, "u0000", 5);
		}
	}
	return fail(scan, start, "string without an end");
}

static size_t
digits(const struct scan *scan, size_t at)
{
	size_t n = 0;

	while (at + n < scan->len && scan->data[at + n] >= '0' && scan->data[at + n] <= '9')
		n++;
	return n;
}

static bool
fits_64_bits(const char *number, size_t len)
{
	uint64_t value;

	if (number[0] == '-')
		return text_parse_uint(number + 1, len - 1, (uint64_t)INT64_MAX + 1, &value) == 0;
	return text_parse_uint(number, len, UINT64_MAX, &value) == 0;
}

/* number = [ minus ] int [ frac ] [ exp ] (RFC 8259, 6) */
static bool
scan_number(struct scan *scan)
{
	size_t start = scan->at, at = start, n;
	bool whole = true;

	if (scan->data[at] == '-')
		at++;
	n = digits(scan, at);
	if (n == 0 || (n > 1 && scan->data[at] == '0'))
		return fail(scan, start, "malformed number");
	at += n;
	if (at < scan->len && scan->data[at] == '.') {
		whole = false;
		n = digits(scan, ++at);
		if (n == 0)
			return fail(scan, start, "malformed number");
		at += n;
	}
	if (at < scan->len && (scan->data[at] | 0x20) == 'e') {
		whole = false;
		at++;
		if (at < scan->len && (scan->data[at] == '+' || scan->data[at] == '-'))
			at++;
		n = digits(scan, at);
		if (n == 0)
			return fail(scan, start, "malformed number");
		at += n;
	}
	if (whole && !fits_64_bits(scan->data + start, at - start)) {
		text_add(&scan->copy, scan->data + scan->copied, at - scan->copied);
		text_add_string(&scan->copy, EXPONENT);
		scan->copied = at;
	}
	scan->at = at;
	return true;
}

static bool
scan_literal(struct scan *scan)
{
	static const char *const literals[] = {"true", "false", "null"};

	for (size_t i = 0; i < sizeof literals / sizeof *literals; i++) {
		size_t len = strlen(literals[i]);
		if (scan->len - scan->at >= len && memcmp(scan->data + scan->at, literals[i], len) == 0) {
			scan->at += len;
			return true;
		}
	}
	return fail(scan, scan->at, "unexpected character");
}

static bool
scan_mark(struct scan *scan)
{
	char c = scan->data[scan->at];

	if (c == ':')
		scan->members++;
	else if ((c == '{' || c == '[') && ++scan->depth > JSON_DEPTH_MAX)
		return fail(scan, scan->at, "nested too deeply");
	else if ((c == '}' || c == ']') && scan->depth > 0)
		scan->depth--;
	scan->at++;
	return true;
}

static bool
scan_words(struct scan *scan)
{
	while (scan->at < scan->len) {
		char c = scan->data[scan->at];
		bool good = true;

		if (c == '"')
			good = scan_string(scan);
		else if (c == '-' || (c >= '0' && c <= '9'))
			good = scan_number(scan);
		else if (c != '\0' && strchr(" \t\r\n{}[]:,", c))
			good = scan_mark(scan);
		else
			good = scan_literal(scan);
		if (!good)
			return false;
	}
	return true;
}

/* Gives a whole number that was handed on as a double its text back.  On a smaller one that exponent was the
 * sender's. */
static void
take_exponent_off(struct json_object *number)
{
	const char *text = json_object_get_userdata(number);
	size_t len = strlen(text), end = strlen(EXPONENT);

	if (len > end && strcmp(text + len - end, EXPONENT) == 0 && !fits_64_bits(text, len - end))
		json_object_set_serializer(number, json_object_userdata_to_json_string,
			xstrndup(text, len - end), json_object_free_userdata);
}

/* Mends the numbers in value and counts its members. */
static size_t
finish(struct json_object *value)
{
	size_t members = 0;

	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, name, member)
		{
			(void)name;
			members += 1 + finish(member);
		}
	} else if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			members += finish(json_object_array_get_idx(value, i));
	} else if (json_object_is_type(value, json_type_double)) {
		take_exponent_off(value);
	}
	return members;
}

/* A member's name on its way through the text, for the place of a repeated one. */
struct seen_name {
	struct hash_node node;
	size_t object; /* where its object begins */
	size_t at, len;
};

struct name_search {
	struct hash seen;
	size_t objects[JSON_DEPTH_MAX + 1]; /* where the objects and arrays around this place begin */
	size_t depth;
};

static void
free_seen(struct hash_node *node, void *arg)
{
	hash_remove(arg, node);
	free(container_of(node, struct seen_name, node));
}

/* Whether the name at..at+len came before in the same object; remembers it. */
static bool
is_repeated(struct name_search *search, const char *data, size_t at, size_t len)
{
	size_t object = search->objects[search->depth];
	uint64_t value = hash_bytes(&search->seen, data + at, len) ^ object;

	for (struct hash_node *node = hash_find(&search->seen, value); node; node = hash_find_next(node)) {
		struct seen_name *seen = container_of(node, struct seen_name, node);
		if (seen->object == object && seen->len == len &&
			memcmp(data + seen->at, data + at, len) == 0)
			return true;
	}
	struct seen_name *seen = xcalloc(1, sizeof *seen);
	seen->object = object;
	seen->at = at;
	seen->len = len;
	hash_add(&search->seen, &seen->node, value);
	return false;
}

/* Where a name stands the second time in its object; the text is known to be good.  Names that are equal only
 * once their escapes are decoded are not found: then the beginning of the text has to do. */
static size_t
find_repeated(const char *data, size_t len)
{
	struct name_search search = {.depth = 0};
	struct scan scan = {.data = data, .len = len};
	size_t found = 0, start = 0, end = 0; /* of the last string */

	hash_init(&search.seen);
	while (scan.at < len && found == 0) {
		char c = data[scan.at];
		if (c == '"') {
			start = scan.at;
			if (!scan_string(&scan))
				break;
			end = scan.at;
			continue;
		}
		if (c == '{' || c == '[')
			search.objects[++search.depth] = scan.at;
		else if (c == '}' || c == ']')
			search.depth--;
		else if (c == ':' && is_repeated(&search, data, start, end - start))
			found = start;
		scan.at++;
	}
	hash_each(&search.seen, free_seen, &search.seen);
	hash_fini(&search.seen);
	return found;
}

static void
set_mistake(const char *data, size_t at, const char *reason, struct json_mistake *ret_mistake)
{
	struct json_mistake mistake = {.line = 1, .column = 1, .reason = reason};

	for (size_t i = 0; i < at; i++) {
		mistake.column++;
		if (data[i] == '\n') {
			mistake.line++;
			mistake.column = 1;
		}
	}
	*ret_mistake = mistake;
}

/* Builds the value of a text that scan has passed.  Answers the reason of a mistake and its place, NULL if
 * there is none. */
/* Whether a comma stands before the bracket at that place. */
static bool
is_behind_comma(const char *data, size_t len, size_t at)
{
	if (at >= len || (data[at] != '}' && data[at] != ']'))
		return false;
	while (at > 0 && strchr(" \t\r\n", data[at - 1]))
		at--;
	return at > 0 && data[at - 1] == ',';
}

static const char *
build(const char *data, size_t len, struct json_object **ret_value, size_t *ret_at)
{
	/* Deeper than the scan lets pass: json-c counts the innermost value as well. */
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 2);
	const char *reason = NULL;

	if (!tokener)
		abort();
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	struct json_object *value = json_tokener_parse_ex(tokener, data, (int)len);
	enum json_tokener_error error = json_tokener_get_error(tokener);
	size_t at = json_tokener_get_parse_end(tokener);
	if (error == json_tokener_continue) {
		value = json_tokener_parse_ex(tokener, "", 1);
		error = json_tokener_get_error(tokener);
		at = len;
	}
	if (error == json_tokener_continue || error == json_tokener_error_parse_eof)
		reason = "unexpected end";
	else if (error != json_tokener_success)
		reason = is_behind_comma(data, len, at) ? "trailing comma" : "unexpected character";
	json_tokener_free(tokener);
	if (reason)
		*ret_at = at;
	else
		*ret_value = value;
	return reason;
}

/* Where the first byte is that belongs to no UTF-8 sequence. */
static size_t
find_broken_utf8(const char *data, size_t len)
{
	size_t at = 0, step;

	do {
		for (step = 1; step <= 4 && step <= len - at && !text_is_utf8(data + at, step); step++)
			;
		if (step > 4 || step > len - at)
			return at;
		at += step;
	} while (at < len);
	return at;
}

int
json_parse(const char *data, size_t len, struct json_object **ret_value, struct json_mistake *ret_mistake)
{
	struct scan scan = {.data = data, .len = len};
	struct json_object *value = NULL;
	const char *reason = NULL;
	size_t at = 0;

	if (len > INT_MAX / 2) {
		reason = "text too long";
	} else if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
		reason = "byte order mark (JSON text begins without one)";
	} else if (!text_is_utf8(data, len)) {
		reason = "not UTF-8";
		at = find_broken_utf8(data, len);
	} else if (!scan_words(&scan)) {
		reason = scan.reason;
		at = scan.at;
	} else if (scan.copied == 0) {
		reason = build(data, len, &value, &at);
	} else {
		text_add(&scan.copy, data + scan.copied, len - scan.copied);
		reason = build(scan.copy.data, scan.copy.len, &value, &at);
		if (reason)
			build(data, len, &value, &at); /* for the place in data */
	}
	text_fini(&scan.copy);
	if (!reason && finish(value) != scan.members) {
		reason = "repeated member";
		at = find_repeated(data, len);
	}
	if (reason) {
		json_object_put(value);
		set_mistake(data, at, reason, ret_mistake);
		return -EINVAL;
	}
	*ret_value = value;
	return 0;
}

/* Overwrites a comment that begins at at by spaces, keeping its lines; answers where it ends. */
static size_t
blank_comment(char *data, size_t len, size_t at)
{
	bool to_line_end = data[at + 1] == '/';
	size_t end = at + 2;

	while (end < len && !(to_line_end ? data[end] == '\n'
					  : end >= at + 3 && data[end - 1] == '*' && data[end] == '/'))
		end++;
	if (!to_line_end) {
		if (end == len)
			return len; /* without an end: left for the scan to stumble over */
		end++;
	}
	for (; at < end; at++)
		if (data[at] != '\n')
			data[at] = ' ';
	return end;
}

int
json_parse_with_comments(
	const char *data, size_t len, struct json_object **ret_value, struct json_mistake *ret_mistake)
{
	CLEANUP_FREE char *copy = xstrndup(data, len);
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		if (in_string && copy[i] == '\\') {
			i++;
		} else if (copy[i] == '"') {
			in_string = !in_string;
		} else if (!in_string && copy[i] == '/' && i + 1 < len &&
			   (copy[i + 1] == '/' || copy[i + 1] == '*')) {
			i = blank_comment(copy, len, i) - 1;
		}
	}
	return json_parse(copy, len, ret_value, ret_mistake);
}

struct json_object *
json_find(struct json_object *value, ...)
{
	va_list names;
	const char *name;

	va_start(names, value);
	while (value && (name = va_arg(names, const char *))) {
		struct json_object *member = NULL;
		if (json_object_is_type(value, json_type_object))
			json_object_object_get_ex(value, name, &member);
		value = member;
	}
	va_end(names);
	return value;
}
