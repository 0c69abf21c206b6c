/*
 * Matching within bounds.
 *
 * PCRE2's own limits do not bound time: the match limit starts anew at each place where a match may begin,
 * and a run over the subject such as a* counts as one however long it is, so that a*[bc] takes seconds over a
 * text of a few hundred kilobytes without ever touching a limit.  What does bound it are automatic callouts:
 * PCRE2 calls back before each item of the pattern, and between two calls it does no more than run one item
 * over the subject.  Each call is charged for itself and for the way that the position has gone since the
 * last one.  Both are dearer for patterns with many groups, whose frames are long to copy, and with long
 * classes, which are searched for every character.
 */
#include "common/schema/regex/regex.h"

#include "common/cleanup.h"
#include "common/schema/regex/ecma.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <errno.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

struct schema_regex {
	pcre2_code *code;
	uint64_t item_steps;	    /* what an item of the pattern costs that looks at one character, */
	uint64_t eight_bytes_steps; /* and eight bytes of the subject that it runs over */
};

/* Memory for backtracking, in KiB, and how deep groups may nest (they are compiled recursively). */
#define HEAP_LIMIT_KIB 8192
#define NEST_LIMIT 100

static const uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALLOW_EMPTY_CLASS |
				PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UCP;
static const uint32_t match_options = PCRE2_AUTO_CALLOUT;
static const uint32_t check_options =
	PCRE2_NO_START_OPTIMIZE | PCRE2_NO_AUTO_POSSESS | PCRE2_NO_DOTSTAR_ANCHOR;

static void
free_context(pcre2_compile_context **context)
{
	pcre2_compile_context_free(*context);
}

static pcre2_code *
compile_rewritten(const struct text *pattern, uint32_t more_options, struct text *ret_reason)
{
	CLEANUP(free_context) pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	PCRE2_UCHAR message[256];
	PCRE2_SIZE offset;
	int error;

	if (!context)
		abort();
	pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
	pcre2_set_parens_nest_limit(context, NEST_LIMIT);
	pcre2_code *code = pcre2_compile(
		(PCRE2_SPTR)pattern->data, pattern->len, options | more_options, &error, &offset, context);
	if (!code) {
		pcre2_get_error_message(error, message, sizeof message);
		text_add_string(ret_reason, (const char *)message);
	}
	return code;
}

static pcre2_code *
compile(const char *pattern, size_t len, bool for_matching, size_t *ret_longest_class,
	struct text *ret_reason)
{
	CLEANUP(text_fini) struct text rewritten = {0};

	if (len > (for_matching ? SCHEMA_PATTERN_MAX_BYTES : SCHEMA_PATTERN_CHECK_MAX_BYTES)) {
		text_add_string(ret_reason, "too long");
		return NULL;
	}
	text_add(&rewritten, "", 0);
	if (schema_ecma_rewrite(pattern, len, for_matching, &rewritten, ret_longest_class, ret_reason) < 0)
		return NULL;
	return compile_rewritten(&rewritten, for_matching ? match_options : check_options, ret_reason);
}

int
schema_regex_compile(
	const char *pattern, size_t len, struct schema_regex **ret_regex, struct text *ret_reason)
{
	size_t longest_class = 0, frame_bytes;
	pcre2_code *code = compile(pattern, len, true, &longest_class, ret_reason);

	if (!code)
		return -EINVAL;
	if (pcre2_pattern_info(code, PCRE2_INFO_FRAMESIZE, &frame_bytes) < 0)
		abort();
	struct schema_regex *regex = xcalloc(1, sizeof *regex);
	regex->code = code;
	regex->eight_bytes_steps = 2 + longest_class / 12;
	regex->item_steps = 2 + frame_bytes / 32 + regex->eight_bytes_steps / 4;
	*ret_regex = regex;
	return 0;
}

bool
schema_regex_is_valid(const char *pattern, size_t len)
{
	CLEANUP(text_fini) struct text reason = {0};
	size_t longest_class;
	pcre2_code *code = compile(pattern, len, false, &longest_class, &reason);

	pcre2_code_free(code);
	return code;
}

void
schema_regex_free(struct schema_regex *regex)
{
	if (!regex)
		return;
	pcre2_code_free(regex->code);
	free(regex);
}

/* PCRE2 is before an item: pays for what was done since the last one. */
static int
on_callout(pcre2_callout_block *block, void *arg)
{
	struct schema_matcher *matcher = arg;
	size_t position = block->current_position;
	size_t moved =
		position > matcher->position ? position - matcher->position : matcher->position - position;
	uint64_t steps = matcher->regex->item_steps + moved / 8 * matcher->regex->eight_bytes_steps;

	matcher->position = position;
	if (steps > matcher->steps_left) {
		matcher->steps_left = 0;
		return PCRE2_ERROR_CALLOUT;
	}
	matcher->steps_left -= steps;
	return 0;
}

static void
prepare(struct schema_matcher *matcher)
{
	if (matcher->data)
		return;
	/* Room for where the match is, which nobody asks for. */
	matcher->data = pcre2_match_data_create(1, NULL);
	matcher->context = pcre2_match_context_create(NULL);
	if (!matcher->data || !matcher->context)
		abort();
	pcre2_set_heap_limit(matcher->context, HEAP_LIMIT_KIB);
	pcre2_set_callout(matcher->context, on_callout, matcher);
}

enum schema_match
schema_regex_match(const struct schema_regex *regex, struct schema_matcher *matcher, const char *subject,
	size_t len, uint64_t max_steps, uint64_t *ret_steps)
{
	uint64_t first = 10 + len / 16; /* PCRE2 checks that it is UTF-8 */

	*ret_steps = max_steps;
	/* One item over the whole of the subject is not interrupted. */
	if (first + len / 8 * regex->eight_bytes_steps > max_steps)
		return SCHEMA_MATCH_TOO_COMPLEX;
	prepare(matcher);
	matcher->regex = regex;
	matcher->steps_left = max_steps - first;
	matcher->position = 0;
	int rc = pcre2_match(regex->code, (PCRE2_SPTR)subject, len, 0, 0, matcher->data, matcher->context);
	/* Bytes that are not UTF-8 are no string of JSON, and match nothing. */
	bool none =
		rc == PCRE2_ERROR_NOMATCH || (rc <= PCRE2_ERROR_UTF8_ERR1 && rc >= PCRE2_ERROR_UTF8_ERR21);
	if (rc < 0 && !none)
		return SCHEMA_MATCH_TOO_COMPLEX;
	*ret_steps = max_steps - matcher->steps_left;
	return none ? SCHEMA_MATCH_NO : SCHEMA_MATCH_YES;
}

void
schema_matcher_fini(struct schema_matcher *matcher)
{
	pcre2_match_data_free(matcher->data);
	pcre2_match_context_free(matcher->context);
	*matcher = (struct schema_matcher){0};
}
