/* The wire guard's rules for fields that frame or route a request, and the fields that may not be trailers. */
#include "common/text.h"
#include "http/guard/private.h"

#include <arpa/inet.h>
#include <string.h>

/* Every other field: any value. */

static enum guard_verdict
plain_begin(struct guard *guard)
{
	return GUARD_PASS;
}

static enum guard_verdict
plain_read(struct guard *guard, struct guard_run *run)
{
	run->at = guard_skip(run->at, run->end, BYTE_VALUE);
	return GUARD_PASS;
}

static bool
plain_is_whole(const struct guard *guard)
{
	return true;
}

/* Never called: every byte that a value may have fits. */
static enum guard_verdict
plain_refuse(struct guard *guard, uint8_t next)
{
	return guard_refuse(guard, PROBLEM_BAD_REQUEST, "A field value is not valid.");
}

const struct guard_rule guard_rule_plain = {"", false, plain_begin, plain_read, plain_is_whole, plain_refuse};

/* Host: uri-host [ ":" port ] (RFC 9110, 7.2; RFC 3986, 3.2.2). */

enum host_part {
	HOST_START,
	HOST_NAME,    /* in a reg-name, which an IPv4 address is as well */
	HOST_ESCAPE,  /* in an escape of it */
	HOST_LITERAL, /* in an IPv6 address, after its bracket */
	HOST_CLOSED,  /* after the other bracket */
	HOST_PORT,
};

void
guard_host_begin(struct guard *guard)
{
	guard->part = HOST_START;
	guard->number = 0;
	guard->word_len = 0;
}

static enum guard_verdict
host_begin(struct guard *guard)
{
	if (guard->has_host)
		return guard_refuse(guard, PROBLEM_BAD_REQUEST, "There is more than one Host field.");
	guard->has_host = true;
	guard_host_begin(guard);
	return GUARD_PASS;
}

static bool
host_name_byte(struct guard *guard, uint8_t c)
{
	if (c == '%') {
		guard->escape = 2;
		guard->part = HOST_ESCAPE;
	} else if (c == ':' && guard->part == HOST_NAME) {
		guard->part = HOST_PORT;
	} else if (c == '[' && guard->part == HOST_START) {
		guard->part = HOST_LITERAL;
	} else if (guard_is(c, BYTE_HOST)) {
		guard->part = HOST_NAME;
	} else {
		return false;
	}
	return true;
}

static bool
host_escape_byte(struct guard *guard, uint8_t c)
{
	if (!guard_escape(guard, c))
		return false;
	if (guard->escape == 0)
		guard->part = HOST_NAME;
	return true;
}

static bool
host_literal_byte(struct guard *guard, uint8_t c)
{
	struct in6_addr address;

	if (guard->word_len == sizeof(guard->word) - 1)
		return false;
	if (c == ']') {
		guard->word[guard->word_len] = '\0';
		guard->part = HOST_CLOSED;
		return inet_pton(AF_INET6, guard->word, &address) == 1;
	}
	guard->word[guard->word_len++] = (char)c;
	return guard_is(c, BYTE_HEX) || c == ':' || c == '.';
}

static bool
host_closed_byte(struct guard *guard, uint8_t c)
{
	guard->part = HOST_PORT;
	return c == ':';
}

static bool
host_port_byte(struct guard *guard, uint8_t c)
{
	if (!guard_is(c, BYTE_DIGIT))
		return false;
	guard->number = guard->number * 10 + (c - '0');
	return guard->number <= UINT16_MAX;
}

void
guard_host_read(struct guard *guard, struct guard_run *run)
{
	static bool (*const parts[])(struct guard *, uint8_t) = {
		[HOST_START] = host_name_byte,
		[HOST_NAME] = host_name_byte,
		[HOST_ESCAPE] = host_escape_byte,
		[HOST_LITERAL] = host_literal_byte,
		[HOST_CLOSED] = host_closed_byte,
		[HOST_PORT] = host_port_byte,
	};

	while (run->at < run->end && parts[guard->part](guard, *run->at)) {
		run->at++;
		if (guard->part == HOST_NAME)
			run->at = guard_skip(run->at, run->end, BYTE_HOST);
	}
}

static enum guard_verdict
host_read(struct guard *guard, struct guard_run *run)
{
	guard_host_read(guard, run);
	return GUARD_PASS;
}

bool
guard_host_is_whole(const struct guard *guard)
{
	return guard->part == HOST_NAME || guard->part == HOST_CLOSED || guard->part == HOST_PORT;
}

static enum guard_verdict
host_refuse(struct guard *guard, uint8_t next)
{
	return guard_refuse(guard, PROBLEM_BAD_REQUEST, "Host is not a host with an optional port.");
}

/* Content-Length: 1*DIGIT (RFC 9110, 8.6). */

static enum guard_verdict
length_begin(struct guard *guard)
{
	if (guard->has_length)
		return guard_refuse(
			guard, PROBLEM_BAD_REQUEST, "There is more than one Content-Length field.");
	if (guard->chunked)
		return guard_refuse(guard, PROBLEM_BAD_REQUEST,
			"The request has both Transfer-Encoding and Content-Length.");
	guard->has_length = true;
	return GUARD_PASS;
}

static enum guard_verdict
length_read(struct guard *guard, struct guard_run *run)
{
	uint64_t most = guard->body_limit;

	for (; run->at < run->end && guard_is(*run->at, BYTE_DIGIT); run->at++) {
		unsigned digit = *run->at - '0';
		if (digit > most || guard->body_total > (most - digit) / 10)
			return guard_refuse_long_body(guard);
		if (guard->head && digit > 0)
			return guard_refuse(
				guard, PROBLEM_BAD_REQUEST, "A HEAD request may not have a body.");
		guard->body_total = guard->body_total * 10 + digit;
		guard->part = 1;
	}
	return GUARD_PASS;
}

static bool
length_is_whole(const struct guard *guard)
{
	return guard->part == 1;
}

static enum guard_verdict
length_refuse(struct guard *guard, uint8_t next)
{
	return guard_refuse(guard, PROBLEM_BAD_REQUEST, "Content-Length is not a decimal number.");
}

/* Transfer-Encoding and Expect: one word each. */

static const char chunked[] = "chunked";
static const char expectation[] = "100-continue";

/* Goes on comparing with the word, without regard to case; guard->part counts what has matched. */
static void
match_word(struct guard *guard, struct guard_run *run, const char *word, size_t len)
{
	while (run->at < run->end && guard->part < len) {
		uint8_t c = *run->at;
		if (c >= 'A' && c <= 'Z')
			c |= 0x20;
		if (c != (uint8_t)word[guard->part])
			return;
		run->at++;
		guard->part++;
	}
}

static enum guard_verdict
coding_begin(struct guard *guard)
{
	if (guard->chunked)
		return guard_refuse(
			guard, PROBLEM_BAD_REQUEST, "There is more than one Transfer-Encoding field.");
	if (guard->has_length)
		return guard_refuse(guard, PROBLEM_BAD_REQUEST,
			"The request has both Transfer-Encoding and Content-Length.");
	if (guard->version_1_0)
		return guard_refuse(guard, PROBLEM_BAD_REQUEST, "HTTP/1.0 does not allow Transfer-Encoding.");
	if (guard->head)
		return guard_refuse(guard, PROBLEM_BAD_REQUEST, "A HEAD request may not have a body.");
	guard->chunked = true;
	return GUARD_PASS;
}

static enum guard_verdict
coding_read(struct guard *guard, struct guard_run *run)
{
	match_word(guard, run, chunked, sizeof(chunked) - 1);
	return GUARD_PASS;
}

static bool
coding_is_whole(const struct guard *guard)
{
	return guard->part == sizeof(chunked) - 1;
}

/* Another token is another coding; the rest is no list of codings, or has chunked with parameters or
 * before another. */
static enum guard_verdict
coding_refuse(struct guard *guard, uint8_t next)
{
	if (guard_is(next, BYTE_TOKEN) || (guard->part > 0 && !coding_is_whole(guard)))
		return guard_refuse(
			guard, PROBLEM_NOT_IMPLEMENTED, "The only supported transfer coding is chunked.");
	return guard_refuse(
		guard, PROBLEM_BAD_REQUEST, "Transfer-Encoding must be chunked and nothing else.");
}

static enum guard_verdict
expect_read(struct guard *guard, struct guard_run *run)
{
	match_word(guard, run, expectation, sizeof(expectation) - 1);
	return GUARD_PASS;
}

static bool
expect_is_whole(const struct guard *guard)
{
	return guard->part == sizeof(expectation) - 1;
}

static enum guard_verdict
expect_refuse(struct guard *guard, uint8_t next)
{
	return guard_refuse(
		guard, PROBLEM_EXPECTATION_FAILED, "The only supported expectation is 100-continue.");
}

/* Connection: a list of tokens (RFC 9110, 5.6.1 and 7.6.1). */

enum connection_part {
	CONNECTION_BETWEEN, /* at the start or after a comma */
	CONNECTION_TOKEN,
	CONNECTION_AFTER, /* in the blanks after a token */
};

static enum guard_verdict
connection_read(struct guard *guard, struct guard_run *run)
{
	for (; run->at < run->end; run->at++) {
		uint8_t c = *run->at;
		if (c == ',')
			guard->part = CONNECTION_BETWEEN;
		else if (guard_is(c, BYTE_TOKEN) && guard->part != CONNECTION_AFTER)
			guard->part = CONNECTION_TOKEN;
		else if (guard_is(c, BYTE_BLANK))
			guard->part =
				guard->part == CONNECTION_BETWEEN ? CONNECTION_BETWEEN : CONNECTION_AFTER;
		else
			break;
	}
	return GUARD_PASS;
}

static enum guard_verdict
connection_refuse(struct guard *guard, uint8_t next)
{
	return guard_refuse(guard, PROBLEM_BAD_REQUEST, "Connection is not a list of tokens.");
}

/* By the length of the name: no two are of one length. */
static const struct guard_rule rules[] = {
	[4] = {"host", false, host_begin, host_read, guard_host_is_whole, host_refuse},
	[6] = {"expect", true, plain_begin, expect_read, expect_is_whole, expect_refuse},
	[10] = {"connection", false, plain_begin, connection_read, plain_is_whole, connection_refuse},
	[14] = {"content-length", true, length_begin, length_read, length_is_whole, length_refuse},
	[17] = {"transfer-encoding", true, coding_begin, coding_read, coding_is_whole, coding_refuse},
};

const struct guard_rule *
guard_rule_find(const char *name, size_t name_len)
{
	if (name_len >= sizeof(rules) / sizeof(rules[0]) || !rules[name_len].name)
		return &guard_rule_plain;
	return text_equal_nocase(name, name_len, rules[name_len].name) ? &rules[name_len] : &guard_rule_plain;
}

bool
guard_rule_bars_trailer(const char *name, size_t name_len)
{
	static const char *const barred[] = {"authorization", "cache-control", "connection",
		"content-encoding", "content-length", "content-range", "content-type", "cookie", "expect",
		"forwarded", "host", "idempotency-key", "if-match", "if-none-match", "keep-alive",
		"max-forwards", "prefer", "proxy-authorization", "proxy-connection", "range", "te", "trailer",
		"transfer-encoding", "upgrade"};

	for (size_t i = 0; i < sizeof(barred) / sizeof(barred[0]); i++)
		if (text_equal_nocase(name, name_len, barred[i]))
			return true;
	return false;
}
