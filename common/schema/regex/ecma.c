/*
 * Patterns of ECMA-262, rewritten for PCRE2.
 *
 * Most of both languages is the same.  One pass over the pattern copies that, respells what is written
 * differently (\u{..}, surrogate pairs, \cX, \v, \s, long names of properties, [ within a class), and refuses
 * what PCRE2 would take as something that ECMA-262 does not have (\A, \Q, (?i), (*COMMIT), a++ ...), so that
 * a pattern means the same here as anywhere else.
 */
#include "common/schema/regex/ecma.h"

#include "common/schema/regex/cursor.h"
#include "common/schema/regex/escape.h"

#include <errno.h>
#include <string.h>

/* An escape in a class.  A hyphen behind a set of characters can make no range: with the u flag ECMA-262
 * refuses it, but it is so common in patterns that were written without ([\w-.]) that it is taken for what it
 * is meant to be. */
static bool
rewrite_class_escape(struct ecma *ecma)
{
	bool is_set = ecma->end - ecma->at > 1 && ecma->at[1] && strchr("dDwWsSpP", ecma->at[1]);

	if (!ecma_rewrite_escape(ecma))
		return false;
	if (is_set && ecma_looks_at(ecma, "-")) {
		text_add_string(ecma->out, "\\-");
		ecma->at++;
	}
	return true;
}

static bool
rewrite_class(struct ecma *ecma)
{
	size_t start = ecma->out->len;
	bool good = true;

	text_add_char(ecma->out, *ecma->at++);
	ecma->in_class = true;
	if (ecma_looks_at(ecma, "^"))
		text_add_char(ecma->out, *ecma->at++);
	while (good && ecma->at < ecma->end && *ecma->at != ']') {
		if (*ecma->at == '\\') {
			good = rewrite_class_escape(ecma);
			continue;
		}
		/* PCRE2 has [:alpha:], [.x.] and [=x=] */
		if (*ecma->at == '[')
			text_add_char(ecma->out, '\\');
		text_add_char(ecma->out, *ecma->at++);
	}
	if (good && ecma->at == ecma->end)
		return ecma_refuse(ecma, "[ without ]");
	if (good)
		text_add_char(ecma->out, *ecma->at++);
	if (ecma->out->len - start > ecma->longest_class)
		ecma->longest_class = ecma->out->len - start;
	ecma->in_class = false;
	ecma->may_repeat = true;
	return good;
}

/* The length of "(?i:", "(?i-s:" and the like, 0 if it is none of these. */
static size_t
modifiers(const struct ecma *ecma)
{
	const char *at = ecma->at + 2;

	if (!ecma_looks_at(ecma, "(?"))
		return 0;
	while (at < ecma->end && *at != '\0' && strchr("ims-", *at))
		at++;
	return at > ecma->at + 2 && at < ecma->end && *at == ':' ? (size_t)(at + 1 - ecma->at) : 0;
}

static bool
rewrite_group(struct ecma *ecma)
{
	static const char *const openings[] = {"(?:", "(?=", "(?!", "(?<"};
	size_t len = 1;

	if (ecma_looks_at(ecma, "(*"))
		return ecma_refuse(ecma, "nothing to repeat");
	if (ecma_looks_at(ecma, "(?")) {
		len = modifiers(ecma);
		for (size_t i = 0; i < sizeof openings / sizeof *openings; i++)
			if (ecma_looks_at(ecma, openings[i]))
				len = strlen(openings[i]);
		if (len == 0)
			return ecma_refuse(ecma, "unknown kind of group after (?");
	}
	if (ecma->with_modifiers || modifiers(ecma) == 0)
		text_add(ecma->out, ecma->at, len);
	else
		text_add_string(ecma->out, "(?:");
	ecma->at += len;
	ecma->may_repeat = false;
	return true;
}

/* The length of "{n}", "{n,}" or "{n,m}" at the brace, 0 if it is none of these. */
static size_t
braces(const struct ecma *ecma)
{
	const char *at = ecma->at + 1;

	if (at == ecma->end || !ecma_is_digit(*at))
		return 0;
	while (at < ecma->end && ecma_is_digit(*at))
		at++;
	if (at < ecma->end && *at == ',')
		at++;
	while (at < ecma->end && ecma_is_digit(*at))
		at++;
	return at < ecma->end && *at == '}' ? (size_t)(at + 1 - ecma->at) : 0;
}

static bool
rewrite_quantifier(struct ecma *ecma)
{
	size_t len = *ecma->at == '{' ? braces(ecma) : 1;

	if (len == 0) {
		text_add_string(ecma->out, "\\{");
		ecma->at++;
		ecma->may_repeat = true;
		return true;
	}
	if (!ecma->may_repeat)
		return ecma_refuse(ecma, "nothing to repeat");
	text_add(ecma->out, ecma->at, len);
	ecma->at += len;
	if (ecma_looks_at(ecma, "?"))
		text_add_char(ecma->out, *ecma->at++);
	ecma->may_repeat = false;
	return true;
}

static bool
rewrite_plain(struct ecma *ecma)
{
	char c = *ecma->at++;

	if (c == ']' || c == '}')
		text_add_char(ecma->out, '\\');
	text_add_char(ecma->out, c);
	ecma->may_repeat = c != '|' && c != '^' && c != '$';
	return true;
}

int
schema_ecma_rewrite(const char *pattern, size_t len, bool with_modifiers, struct text *ret_text,
	size_t *ret_longest_class, struct text *ret_reason)
{
	struct ecma ecma = {.at = pattern,
		.end = pattern + len,
		.out = ret_text,
		.reason = ret_reason,
		.with_modifiers = with_modifiers};
	bool good = true;

	while (good && ecma.at < ecma.end) {
		char c = *ecma.at;
		if (c == '\\')
			good = ecma_rewrite_escape(&ecma);
		else if (c == '[')
			good = rewrite_class(&ecma);
		else if (c == '(')
			good = rewrite_group(&ecma);
		else if (c == '*' || c == '+' || c == '?' || c == '{')
			good = rewrite_quantifier(&ecma);
		else
			good = rewrite_plain(&ecma);
	}
	*ret_longest_class = ecma.longest_class;
	return good ? 0 : -EINVAL;
}
