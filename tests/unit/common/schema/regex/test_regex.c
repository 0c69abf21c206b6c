/* Regular expressions of ECMA-262 on PCRE2: what they mean, what they are not, and that they end. */
#include "common/schema/regex/regex.h"
#include "tests/unit/common/schema/schema_cases.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_STEPS 3000000

static struct schema_regex *
compile(const char *pattern)
{
	struct text reason = {0};
	struct schema_regex *regex = NULL;

	if (schema_regex_compile(pattern, strlen(pattern), &regex, &reason) < 0)
		fail_msg("%s: %s", pattern, reason.data);
	assert_null(reason.data);
	return regex;
}

static enum schema_match
match(const char *pattern, const char *subject, size_t len)
{
	struct schema_regex *regex = compile(pattern);
	struct schema_matcher matcher = {0};
	uint64_t steps;
	enum schema_match found = schema_regex_match(regex, &matcher, subject, len, MAX_STEPS, &steps);

	assert_true(steps > 0 && steps <= MAX_STEPS);
	schema_matcher_fini(&matcher);
	schema_regex_free(regex);
	return found;
}

static void
matches(void **state)
{
	static const struct {
		const char *pattern, *subject;
		bool found;
	} cases[] = {
		{"", "", true},
		{"b", "abc", true},
		{"^b", "abc", false},
		{"^abc$", "abc\n", false},
		{"a.c", "a\nc", false},
		{"a.c", "a\rc", false},
		{"a.c", "a\vc", true},
		{"^.$", "\xf0\x9f\x90\xb2", true},
		/* escapes */
		{"^\\d$", "\xd9\xa3", false},
		{"^\\w$", "\xc3\xa4", false},
		{"^\\v$", "\v", true},
		{"^\\v$", "\n", false},
		{"^\\cJ$", "\n", true},
		{"^\\cj$", "\n", true},
		{"^\\x41\\u0042\\u{43}\\u{0000044}$", "ABCD", true},
		{"^\\ud83d\\udc32$", "\xf0\x9f\x90\xb2", true},
		{"^[\\ud83d\\udc32-\\ud83d\\udc33]$", "\xf0\x9f\x90\xb3", true},
		{"^\\0$", "\\0", false},
		{"^\\/\\-\\.$", "/-.", true},
		{"^\\\xc3\xa4$", "\xc3\xa4", true},
		{"^\\s+$",
			" \t\n\v\f\r\xc2\xa0\xe1\x9a\x80\xe2\x80\x80\xe2\x80\xa8\xe2\x80\xaf\xe2\x81\x9f\xe3"
			"\x80\x80\xef\xbb\xbf",
			true},
		{"\\s", "\xc2\x85\xe2\x80\x8b", false},
		{"^\\S$", "\xe2\x80\x8b", true},
		{"^\\S$", "\xe3\x80\x80", false},
		{"\\bb", "a b", true},
		{"\\Bb", "a b", false},
		/* classes */
		{"^[\\s-]+$", "\xef\xbb\xbf- ", true},
		{"^[\\s-a]+$", "\xef\xbb\xbf-a ", true},
		{"^[\\w-\\.]+@([\\w-]+\\.)+[\\p{Ll}-z]{2,4}$", "a.b-c@d-e.fg", true},
		{"^[\\S-a]+$", "-", true},
		{"^[-\\s]+$", "\xef\xbb\xbf- ", true},
		{"^[a\\S]+$", "\xc3\xa4x1", true},
		{"[\\S]", " \xe3\x80\x80", false},
		{"[^\\S]", "x\xe3\x80\x80", true},
		{"^[\\d\\-x]+$", "1-x", true},
		{"^[\\b]$", "\b", true},
		{"[]", "a", false},
		{"^[^]$", "\n", true},
		{"^[]a]", "a", false},
		{"^[[:alpha:]$", ":", true},
		{"^[[:alpha:]]$", "l]", true},
		{"^[[:alpha:]]$", "x]", false},
		{"^[.*+?(){}|^$]+$", ".*+?(){}|^$", true},
		{"^[\\u{1f400}-\\u{1f4ff}]$", "\xf0\x9f\x90\xb2", true},
		/* properties */
		{"^\\p{L}\\p{Lu}\\p{Letter}\\p{gc=Uppercase_Letter}\\P{Nd}$", "\xc3\xa4\xc3\x84x\xc3\x84x",
			true},
		{"^\\p{Script=Greek}\\p{sc=Greek}\\p{scx=Greek}$", "\xce\xb1\xce\xb2\xce\xb3", true},
		{"^\\p{Alphabetic}\\p{ASCII}\\p{Any}$", "aaa", true},
		{"^[\\p{Lu}\\d]+$",
			"\xc3\x84"
			"1",
			true},
		{"\\P{Assigned}", "a", false},
		/* groups and quantifiers */
		{"^(a)(b)\\2\\1$", "abba", true},
		{"^(a)(b)?\\2$", "a", true},
		{"^(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)\\10\\1$", "abcdefghijja", true},
		{"^(?<x>a)\\k<x>$", "aa", true},
		{"^(?:a|b)+?$", "abab", true},
		{"a(?=b)", "ab", true},
		{"a(?!b)", "ab", false},
		{"(?<=a)b", "ab", true},
		{"(?<!a)b", "ab", false},
		{"^(?i:A)b$", "ab", true},
		{"^(?i:A)b$", "aB", false},
		{"^(?i:a(?-i:b))$", "Ab", true},
		{"^a{2}$", "aa", true},
		{"^a{,2}$", "a{,2}", true},
		{"^{$", "{", true},
		{"^a{b}]$", "a{b}]", true},
		{"^x{2,}?y{1,2}$", "xxxyy", true},
		{"^# x$", "# x", true},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (match(cases[i].pattern, cases[i].subject, strlen(cases[i].subject)) !=
			(cases[i].found ? SCHEMA_MATCH_YES : SCHEMA_MATCH_NO))
			fail_msg("%s: %s", cases[i].pattern, cases[i].subject);
	assert_int_equal(match("^a\\0b$", "a\0b", 3), SCHEMA_MATCH_YES);
	assert_int_equal(match("a",
				 "\xff"
				 "a",
				 2),
		SCHEMA_MATCH_NO);
}

static const char *const bad[] = {
	"(",
	")",
	"[",
	"[a",
	"[\\]",
	"a\\",
	"*",
	"a**",
	"a++",
	"a{1}{2}",
	"^*",
	"a|*",
	"(*COMMIT)a",
	"(*UTF)a",
	"(?i)a",
	"(?#x)",
	"(?>a)",
	"(?|a)",
	"(?R)",
	"(?1)(a)",
	"(?P<n>a)",
	"(?'n'a)",
	"(?x:a)",
	"(?C1)",
	"(?(1)a)",
	"\\a",
	"\\e",
	"\\A",
	"\\Z",
	"\\z",
	"\\G",
	"\\K",
	"\\Qa\\E",
	"\\R",
	"\\X",
	"\\C",
	"\\N",
	"\\h",
	"\\g1",
	"\\o{7}",
	"\\1",
	"(a)\\2",
	"\\01",
	"[\\1]",
	"[\\B]",
	"[\\k<a>]",
	"\\k",
	"\\k<a>",
	"\\c",
	"\\c1",
	"\\x4",
	"\\xg0",
	"\\u004",
	"\\u{}",
	"\\u{110000}",
	"\\u{41",
	"\\u{4g}",
	"\\ud83d",
	"\\ud83d\\u0041",
	"\\udc32",
	"\\p",
	"\\pL",
	"\\p{",
	"\\p{}",
	"\\p{^L}",
	"\\p{NoSuchProperty}",
	"\\p{Block=Greek}",
	"\\p{sc=}",
	"\\p{L",
	"[z-a]",
	"[a-\\d]",
	"[a-\\s]",
	"a{99999}",
	"a{3,2}",
	"(?<a>x)(?<a>y)",
	"(?<1>x)",
	"(?<a",
	"(?<=a*)b",
};

static void
refuses(void **state)
{
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct text reason = {0};
		struct schema_regex *regex = NULL;
		if (schema_regex_compile(bad[i], strlen(bad[i]), &regex, &reason) != -EINVAL)
			fail_msg("%s", bad[i]);
		assert_null(regex);
		assert_true(reason.len > 0);
		text_fini(&reason);
		assert_false(schema_regex_is_valid(bad[i], strlen(bad[i])));
	}
	assert_true(schema_regex_is_valid("(?i:a)\\1?", 6));
	assert_true(schema_regex_is_valid("", 0));
}

static void
refuses_long_patterns(void **state)
{
	const struct {
		const char *what;
		size_t count;
		bool compiles, is_valid;
	} cases[] = {
		{"a", SCHEMA_PATTERN_CHECK_MAX_BYTES, true, true},
		{"a", SCHEMA_PATTERN_CHECK_MAX_BYTES + 1, true, false},
		{"a", 4096, true, false},
		{"a", 10000, false, false}, /* PCRE2's own limit */
		{"[\\u{4e00}]", 2048, true, false},
		{"a", SCHEMA_PATTERN_MAX_BYTES + 1, false, false},
		{"(?:a{99}){99}", 40, false, true},
		{"(", 101, false, false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *pattern = cases_repeat("", cases[i].what, cases[i].count, "");
		struct schema_regex *regex = NULL;
		struct text reason = {0};
		int rc = schema_regex_compile(pattern, strlen(pattern), &regex, &reason);
		assert_int_equal(rc, cases[i].compiles ? 0 : -EINVAL);
		assert_int_equal(schema_regex_is_valid(pattern, strlen(pattern)), cases[i].is_valid);
		schema_regex_free(regex);
		text_fini(&reason);
		free(pattern);
	}
}

static void
ends(void **state)
{
	char *as = cases_repeat("", "a", 1000000, ""), *dashes = cases_repeat("", "\xe4\xb8\x81", 300000, "");
	char *class = cases_repeat("[", "\\u{4e00}\\u{4e02}", 1500, "]*[0-9]");
	char *groups = cases_repeat("(?:a|b)*", "(a)?", 200, "[xy]");
	const struct {
		const char *pattern, *subject;
	} cases[] = {
		{"a*[bc]", as},
		{"(a*)*[bc]", as},
		{"(a|aa)+[bc]", as},
		{"^(([a-z])+.)+[A-Z]([a-z])+[0-9]$", as},
		{"(.*)(.*)(.*)(.*)[bc]", as},
		{"(a*)\\1[bc]", as},
		{"(?=(a+))a*[bc]", as},
		{"((((((((((a*)*)*)*)*)*)*)*)*)*)*[bc]", as},
		{"^(?:a|b)*$", as}, /* memory rather than time */
		{groups, as},
		{class, dashes},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (match(cases[i].pattern, cases[i].subject, strlen(cases[i].subject)) !=
			SCHEMA_MATCH_TOO_COMPLEX)
			fail_msg("%.60s", cases[i].pattern);
	free(as);
	free(dashes);
	free(class);
	free(groups);
}

/* The same steps whatever came before. */
static void
counts_the_same_each_time(void **state)
{
	struct schema_regex *regex = compile("^(a|b)*c");
	struct schema_matcher matcher = {0};
	uint64_t first, again;

	assert_int_equal(schema_regex_match(regex, &matcher, "ababc", 5, 10000, &first), SCHEMA_MATCH_YES);
	assert_int_equal(schema_regex_match(regex, &matcher, "abababab", 8, 10000, &again), SCHEMA_MATCH_NO);
	assert_int_equal(schema_regex_match(regex, &matcher, "ababc", 5, first, &again), SCHEMA_MATCH_YES);
	assert_int_equal(again, first);
	assert_int_equal(
		schema_regex_match(regex, &matcher, "ababc", 5, first - 1, &again), SCHEMA_MATCH_TOO_COMPLEX);
	assert_int_equal(again, first - 1);
	assert_int_equal(
		schema_regex_match(regex, &matcher, "ababc", 5, 0, &again), SCHEMA_MATCH_TOO_COMPLEX);
	schema_matcher_fini(&matcher);
	schema_regex_free(regex);
}

static void
frees_nothing(void **state)
{
	struct schema_matcher matcher = {0};

	schema_regex_free(NULL);
	schema_matcher_fini(&matcher);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches),
		cmocka_unit_test(refuses),
		cmocka_unit_test(refuses_long_patterns),
		cmocka_unit_test(ends),
		cmocka_unit_test(counts_the_same_each_time),
		cmocka_unit_test(frees_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
