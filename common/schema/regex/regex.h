/*
 * Regular expressions of ECMA-262 (with the u flag), matched by PCRE2 within a bound that holds.  Part of the
 * schema, see schema.h.
 */
#pragma once

#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A longer pattern is refused; one that is only to be looked at, which comes from anybody, earlier. */
#define SCHEMA_PATTERN_MAX_BYTES 32768
#define SCHEMA_PATTERN_CHECK_MAX_BYTES 1024

struct schema_regex;

/* Compiles pattern.  0, or -EINVAL and the reason is added to ret_reason.  Any thread. */
__attribute__((warn_unused_result)) int schema_regex_compile(
	const char *pattern, size_t len, struct schema_regex **ret_regex, struct text *ret_reason);

/* Whether pattern could be compiled, in about a millisecond at most.  Any thread. */
bool schema_regex_is_valid(const char *pattern, size_t len);

void schema_regex_free(struct schema_regex *regex); /* NULL is allowed */

enum schema_match {
	SCHEMA_MATCH_NO,
	SCHEMA_MATCH_YES,
	SCHEMA_MATCH_TOO_COMPLEX, /* undecided within max_steps */
};

/* The memory of matches that run one after the other on one thread; all zero at first. */
struct schema_matcher {
	void *data;			  /* pcre2_match_data, NULL before the first match */
	void *context;			  /* pcre2_match_context */
	const struct schema_regex *regex; /* of the match under way */
	uint64_t steps_left;		  /* of the match under way */
	size_t position;		  /* in the subject, at the last item */
};

/* Looks for regex in subject (UTF-8) taking at most max_steps; *ret_steps is how many it took. */
enum schema_match schema_regex_match(const struct schema_regex *regex, struct schema_matcher *matcher,
	const char *subject, size_t len, uint64_t max_steps, uint64_t *ret_steps);

void schema_matcher_fini(struct schema_matcher *matcher);
