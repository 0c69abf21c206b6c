/* The wire guard's request line (RFC 9112, 3): method, target, version, and the empty line before them. */
#include "http/guard/private.h"

#include <string.h>

/* The path's last segment so far (guard->part).  Dots may be escaped. */
enum segment {
	SEGMENT_EMPTY,
	SEGMENT_DOT,
	SEGMENT_DOTS, /* two */
	SEGMENT_OTHER,
	SEGMENT_FIRST, /* empty, and the first: a slash would make the target look like an authority */
};

static const char methods[][8] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
enum {
	METHOD_COUNT = sizeof(methods) / sizeof(methods[0]),
	METHOD_MAX = sizeof(methods[0]) - 1,
	METHOD_HEAD = 1,
};

enum guard_verdict
guard_line_start(struct guard *guard, struct guard_run *run)
{
	if (*run->at != '\r') {
		guard->state = GUARD_METHOD;
		guard->drop = false;
	} else if (!guard->drop) {
		guard->drop = true;
	} else {
		run->at++;
		guard->state = GUARD_EMPTY_LF;
	}
	return GUARD_PASS;
}

enum guard_verdict
guard_line_empty(struct guard *guard, struct guard_run *run)
{
	enum guard_verdict verdict =
		guard_expect(guard, run, '\n', GUARD_METHOD, "A CR is not followed by an LF.");

	guard->drop = verdict != GUARD_PASS;
	return verdict;
}

static enum guard_verdict
end_method(struct guard *guard, struct guard_run *run)
{
	if (guard->word_len == 0)
		return guard_refuse(guard, PROBLEM_BAD_REQUEST, "The request line has no method.");
	for (int i = 0; i < METHOD_COUNT; i++)
		if (memcmp(guard->word, methods[i], sizeof(methods[i])) == 0) {
			run->at++;
			guard->head = i == METHOD_HEAD;
			guard->state = GUARD_TARGET;
			return GUARD_PASS;
		}
	return guard_refuse(guard, PROBLEM_NOT_IMPLEMENTED, "This server does not implement the method.");
}

enum guard_verdict
guard_line_method(struct guard *guard, struct guard_run *run)
{
	for (; run->at < run->end; run->at++) {
		uint8_t c = *run->at;
		if (c == ' ')
			return end_method(guard, run);
		if (!guard_is(c, BYTE_TOKEN))
			return guard_refuse(guard, PROBLEM_BAD_REQUEST, "The method is not a token.");
		if (guard->word_len == METHOD_MAX)
			return guard_refuse(guard, PROBLEM_NOT_IMPLEMENTED,
				"The method is longer than any that this server implements.");
		guard->word[guard->word_len++] = (char)c;
		guard->began = true;
	}
	return GUARD_PASS;
}

/* Another form of target than a path: absolute (RFC 9112, 3.2.2), or an asterisk (3.2.4). */
static enum guard_verdict
begin_other_form(struct guard *guard, struct guard_run *run)
{
	bool is_options = guard->word[0] == 'O';

	if (*run->at == '*' && is_options) {
		run->at++;
		guard->state = GUARD_ASTERISK;
		return GUARD_PASS;
	}
	if ((*run->at | 0x20) != 'h')
		return guard_refuse(guard, PROBLEM_BAD_REQUEST,
			"The request target is neither a path nor an http or https URL.");
	guard->left++;
	guard->part = 0;
	guard->drop = true;
	guard->state = GUARD_SCHEME;
	return GUARD_PASS;
}

enum guard_verdict
guard_line_target(struct guard *guard, struct guard_run *run)
{
	guard->left = guard->limits->max_target_bytes - 1;
	guard->part = SEGMENT_FIRST;
	if (guard->note)
		guard->note->target = guard_offset(guard, run->at);
	if (*run->at != '/')
		return begin_other_form(guard, run);
	run->at++;
	guard->state = GUARD_PATH;
	return GUARD_PASS;
}

static bool
is_dot_segment(const struct guard *guard)
{
	return guard->part == SEGMENT_DOT || guard->part == SEGMENT_DOTS;
}

static enum guard_verdict
refuse_dots(struct guard *guard)
{
	return guard_refuse(guard, PROBLEM_BAD_REQUEST, "The path has a dot segment.");
}

/* The next byte may not stand in a path or query. */
static enum guard_verdict
refuse_target(struct guard *guard)
{
	if (guard->left == 0)
		return guard_refuse(
			guard, PROBLEM_URI_TOO_LONG, "The request target is longer than allowed.");
	return guard_refuse(
		guard, PROBLEM_BAD_REQUEST, "The request target has a byte that must be escaped.");
}

/* Reads the percent sign. */
static enum guard_verdict
begin_escape(struct guard *guard, struct guard_run *run, enum guard_state state)
{
	guard_take(guard, run, run->at + 1);
	guard->escape = 2;
	guard->state = state;
	return GUARD_PASS;
}

/* Reads the space after the target. */
static enum guard_verdict
end_target(struct guard *guard, struct guard_run *run)
{
	if (guard->note)
		guard->note->target_len = guard_offset(guard, run->at) - guard->note->target;
	run->at++;
	guard->part = 0;
	guard->state = GUARD_VERSION;
	return GUARD_PASS;
}

enum guard_verdict
guard_line_asterisk(struct guard *guard, struct guard_run *run)
{
	if (*run->at != ' ')
		return guard_refuse(
			guard, PROBLEM_BAD_REQUEST, "The request target begins with an asterisk.");
	return end_target(guard, run);
}

/* The scheme up to its first slash; guard->part counts what has matched, as if there were an "s". */
enum guard_verdict
guard_line_scheme(struct guard *guard, struct guard_run *run)
{
	static const char scheme[] = "https:/";
	enum { SECURE = 4, LAST = 6 };

	for (; run->at < run->end && guard->left > 0; guard_take(guard, run, run->at + 1)) {
		uint8_t c = guard->part <= SECURE ? *run->at | 0x20 : *run->at;
		if (guard->part == SECURE && *run->at == ':')
			guard->part++;
		else if (c != (uint8_t)scheme[guard->part])
			return guard_refuse(guard, PROBLEM_BAD_REQUEST,
				"The request target is neither a path nor an http or https URL.");
		if (guard->part++ == LAST) {
			guard_take(guard, run, run->at + 1);
			guard->drop = false;
			guard->state = GUARD_SCHEME_SLASH;
			return GUARD_PASS;
		}
	}
	return run->at < run->end ? refuse_target(guard) : GUARD_PASS;
}

enum guard_verdict
guard_line_scheme_slash(struct guard *guard, struct guard_run *run)
{
	if (guard->left == 0)
		return refuse_target(guard);
	if (*run->at != '/')
		return guard_refuse(guard, PROBLEM_BAD_REQUEST, "The URL in the request target has no host.");
	guard_take(guard, run, run->at + 1);
	guard_host_begin(guard);
	guard->drop = true;
	guard->state = GUARD_AUTHORITY;
	return GUARD_PASS;
}

enum guard_verdict
guard_line_authority(struct guard *guard, struct guard_run *run)
{
	struct guard_run host = guard_within_left(guard, run);

	guard_host_read(guard, &host);
	guard_take(guard, run, host.at);
	if (run->at == run->end)
		return GUARD_PASS;
	if (guard->left == 0 && *run->at != ' ')
		return refuse_target(guard);
	if (!guard_host_is_whole(guard) || (*run->at != '/' && *run->at != '?' && *run->at != ' '))
		return guard_refuse(guard, PROBLEM_BAD_REQUEST,
			"The URL in the request target has no host with an optional port.");
	if (*run->at == '/')
		guard_take(guard, run, run->at + 1);
	guard->drop = false;
	guard->part = SEGMENT_FIRST;
	guard->state = GUARD_PATH;
	return GUARD_PASS;
}

static enum guard_verdict
end_path(struct guard *guard, struct guard_run *run)
{
	uint8_t c = *run->at;

	if (c == ' ')
		return is_dot_segment(guard) ? refuse_dots(guard) : end_target(guard, run);
	if (guard->left == 0)
		return refuse_target(guard);
	if (c == '%')
		return begin_escape(guard, run, GUARD_PATH_ESCAPE);
	if (c == '/' && guard->part == SEGMENT_FIRST)
		return guard_refuse(
			guard, PROBLEM_BAD_REQUEST, "The request target begins with two slashes.");
	if (c == '/' || (c == '?' && is_dot_segment(guard)))
		return refuse_dots(guard);
	if (c != '?')
		return refuse_target(guard);
	guard_take(guard, run, run->at + 1);
	guard->state = GUARD_QUERY;
	return GUARD_PASS;
}

static uint8_t
segment_with_dot(uint8_t segment)
{
	if (segment == SEGMENT_FIRST)
		return SEGMENT_DOT;
	return segment < SEGMENT_OTHER ? segment + 1 : SEGMENT_OTHER;
}

enum guard_verdict
guard_line_path(struct guard *guard, struct guard_run *run)
{
	struct guard_run path = guard_within_left(guard, run);
	uint8_t segment = guard->part;

	while (path.at < path.end) {
		if (guard_is(*path.at, BYTE_PATH)) {
			path.at = guard_skip(path.at + 1, path.end, BYTE_PATH);
			segment = SEGMENT_OTHER;
		} else if (*path.at == '.') {
			path.at++;
			segment = segment_with_dot(segment);
		} else if (*path.at == '/' && (segment == SEGMENT_OTHER || segment == SEGMENT_EMPTY)) {
			path.at++;
			segment = SEGMENT_EMPTY;
		} else {
			break;
		}
	}
	guard->part = segment;
	guard_take(guard, run, path.at);
	return run->at < run->end ? end_path(guard, run) : GUARD_PASS;
}

/* An escape in the path is complete.  An escaped slash ends a segment too, since a program that decodes the path
 * may take it for one. */
static bool
take_octet(struct guard *guard)
{
	if (guard->octet == '/' && is_dot_segment(guard))
		return false;
	if (guard->octet == '/')
		guard->part = SEGMENT_EMPTY;
	else
		guard->part = guard->octet == '.' ? segment_with_dot(guard->part) : SEGMENT_OTHER;
	return true;
}

enum guard_verdict
guard_line_escape(struct guard *guard, struct guard_run *run)
{
	bool in_path = guard->state == GUARD_PATH_ESCAPE;

	if (!in_path && !guard_is(*run->at, BYTE_HEX)) {
		guard->state = GUARD_QUERY;
		return GUARD_PASS;
	}
	if (guard->left == 0)
		return refuse_target(guard);
	if (!guard_escape(guard, *run->at))
		return guard_refuse(guard, PROBLEM_BAD_REQUEST,
			"The request target has a broken escape or an escaped NUL.");
	if (guard->escape == 0) {
		if (in_path && !take_octet(guard))
			return refuse_dots(guard);
		guard->state = in_path ? GUARD_PATH : GUARD_QUERY;
	}
	guard_take(guard, run, run->at + 1);
	return GUARD_PASS;
}

enum guard_verdict
guard_line_query(struct guard *guard, struct guard_run *run)
{
	struct guard_run query = guard_within_left(guard, run);

	guard_take(guard, run, guard_skip(query.at, query.end, BYTE_QUERY));
	if (run->at == run->end)
		return GUARD_PASS;
	if (*run->at == ' ')
		return end_target(guard, run);
	if (*run->at == '%' && guard->left > 0)
		return begin_escape(guard, run, GUARD_QUERY_ESCAPE);
	return refuse_target(guard);
}

/* The second digit of the version is next. */
static enum guard_verdict
check_version(struct guard *guard, uint8_t minor)
{
	if (guard->octet != '1' || minor > '1')
		return guard_refuse(
			guard, PROBLEM_VERSION_NOT_SUPPORTED, "The HTTP version is neither 1.0 nor 1.1.");
	guard->version_1_0 = minor == '0';
	if (guard->note && guard->version_1_0)
		guard->note->is_plain = false;
	return GUARD_PASS;
}

enum guard_verdict
guard_line_version(struct guard *guard, struct guard_run *run)
{
	static const char line[] = "HTTP/#.#\r\n";
	static const char usual[] = "HTTP/1.1\r\n";
	enum { MAJOR = 5, MINOR = 7, LAST = 9 };

	if (guard->part == 0 && run->end - run->at > LAST && memcmp(run->at, usual, LAST + 1) == 0) {
		run->at += LAST + 1;
		guard_field_begin_section(guard);
		return GUARD_PASS;
	}
	for (; run->at < run->end; run->at++, guard->part++) {
		uint8_t c = *run->at;
		if (line[guard->part] == '#' ? !guard_is(c, BYTE_DIGIT) : c != line[guard->part])
			return guard_refuse(guard, PROBLEM_BAD_REQUEST,
				"The request line does not end with an HTTP version and CRLF.");
		if (guard->part == MAJOR)
			guard->octet = c;
		if (guard->part == MINOR && check_version(guard, c) != GUARD_PASS)
			return GUARD_REFUSE;
		if (guard->part == LAST) {
			run->at++;
			guard_field_begin_section(guard);
			return GUARD_PASS;
		}
	}
	return GUARD_PASS;
}
