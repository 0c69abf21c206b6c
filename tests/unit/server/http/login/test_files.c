/* Lines of htpasswd files and files of tokens. */
#include "http/login/files.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BCRYPT_TAIL "abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
#define SHA256_TAIL "0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA"
#define SHA512_TAIL "LAV5VE5Y7w1d73x1mFNspYWUpazfmwv2SoepNXNKJ/otop/Zok96Hr8Q13LEv0DRY/x8v0/crpIjl8NJSAqXV/"
#define YESCRYPT "$y$j9T$/yA1rQMP0Z9O.Td4zXkXE1$CR61Q0dcYVyJSrc6JuvRJ0AUst2rAf82PhRWMA8z/C9"
#define HEX "dde96f5b27b2298476b272c037dfd2cb5438e3495510c51035db1ef55f2994a4"

static const struct {
	const char *line;
	const char *name; /* NULL: it is refused, or empty */
	const char *why;  /* a part of what is told; NULL: nothing is */
} htpasswd_cases[] = {
	{"ann:$2b$04$" BCRYPT_TAIL, "ann", NULL},
	{"ann:$2y$16$" BCRYPT_TAIL, "ann", NULL},
	{"ann:$2a$05$" BCRYPT_TAIL "\r", "ann", NULL},
	{"ann:$5$saltsalt$" SHA256_TAIL, "ann", NULL},
	{"ann:$5$$" SHA256_TAIL, "ann", NULL},
	{"ann:$6$rounds=1000$saltsalt$" SHA512_TAIL, "ann", NULL},
	{"ann:" YESCRYPT, "ann", NULL},
	{"a n\xc3\xa4:" YESCRYPT, "a n\xc3\xa4", NULL},
	{"", NULL, NULL},
	{"\r", NULL, NULL},
	{"# ann:secret", NULL, NULL},
	/* names */
	{"ann", NULL, "no colon"},
	{" ", NULL, "no colon"},
	{":" YESCRYPT, NULL, "name is empty"},
	{"a\tn:" YESCRYPT, NULL, "control character"},
	{"a\x7f:" YESCRYPT, NULL, "control character"},
	{"\xe4:" YESCRYPT, NULL, "not UTF-8"},
	/* what is too weak */
	{"ann:secret", NULL, "plain text"},
	{"ann:rqXexS6ZhobKA", NULL, "plain text or DES"},
	{"ann:_J9..rasmBYk8r9AiWNc", NULL, "plain text or DES"},
	{"ann:$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/", NULL, "$apr1$"},
	{"ann:$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1", NULL, "$1$"},
	{"ann:$md5$x$y", NULL, "MD5"},
	{"ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", NULL, "SHA-1"},
	{"ann:{SSHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", NULL, "SHA-1"},
	{"ann:$sha1$1$x$y", NULL, "SHA-1"},
	{"ann:$3$$8846f7eaee8fb117ad06bdd830b7586c", NULL, "NT"},
	{"ann:$2x$04$" BCRYPT_TAIL, NULL, "broken kind"},
	{"ann:$9$what$ever", NULL, "not known"},
	{"ann:$", NULL, "not known"},
	{"ann:", NULL, "missing"},
	{"ann:\r", NULL, "missing"},
	/* what can never be right */
	{"ann:$2b$04$abcdefghijklmnopqrstuu", NULL, "not whole"},
	{"ann:$2b$04$" BCRYPT_TAIL "x", NULL, "not whole"},
	{"ann:$2b$04$" BCRYPT_TAIL " ", NULL, "character"},
	{"ann:$2b$04$" BCRYPT_TAIL ":x", NULL, "character"},
	{"ann:$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIr=", NULL, "not whole"},
	{"ann:$2b$4$" BCRYPT_TAIL, NULL, "no cost"},
	{"ann:$2b$03$" BCRYPT_TAIL, NULL, "no cost"},
	{"ann:$2b$" BCRYPT_TAIL, NULL, "no cost"},
	{"ann:$5$" SHA256_TAIL "$", NULL, "not whole"},
	{"ann:$6$rounds=x$saltsalt$" SHA512_TAIL, NULL, "no number of rounds"},
	{"ann:$6$rounds=1000", NULL, "not whole"},
	/* what would hold a thread for long */
	{"ann:$2b$17$" BCRYPT_TAIL, NULL, "too much time"},
	{"ann:$2b$31$" BCRYPT_TAIL, NULL, "too much time"},
	{"ann:$6$rounds=999999999$saltsalt$" SHA512_TAIL, NULL, "too much time"},
};

static void
test_htpasswd(void **state)
{
	for (size_t i = 0; i < sizeof htpasswd_cases / sizeof *htpasswd_cases; i++) {
		const char *line = htpasswd_cases[i].line, *name = htpasswd_cases[i].name, *why = NULL;
		struct htpasswd_line parsed = {0};
		int rc = htpasswd_parse_line(line, strlen(line), &parsed, &why);
		int wanted = name ? 0 : htpasswd_cases[i].why ? -EINVAL : -ENOENT;
		if (rc != wanted)
			fail_msg("%s: %d (%s)", line, rc, why ? why : "");
		if (name) {
			assert_int_equal(parsed.name_len, strlen(name));
			assert_memory_equal(parsed.name, name, parsed.name_len);
			assert_true(parsed.hash_len > 0 && parsed.hash[parsed.hash_len - 1] != '\r');
		} else {
			assert_null(parsed.name);
		}
		if (htpasswd_cases[i].why && !strstr(why, htpasswd_cases[i].why))
			fail_msg("%s: %s", line, why);
	}
}

static void
test_long(void **state)
{
	char line[1000];
	struct htpasswd_line parsed;
	const char *why;

	snprintf(line, sizeof line, "%0256d:%s", 0, YESCRYPT);
	assert_int_equal(htpasswd_parse_line(line, strlen(line), &parsed, &why), -EINVAL);
	assert_string_equal(why, "the name is too long");
	assert_int_equal(htpasswd_parse_line(line + 1, strlen(line) - 1, &parsed, &why), 0);
	snprintf(line, sizeof line, "ann:$6$%0400d$%s", 0, SHA512_TAIL);
	assert_int_equal(htpasswd_parse_line(line, strlen(line), &parsed, &why), -EINVAL);
	assert_string_equal(why, "the password is too long");
}

/* A NUL is a byte as any other: it neither ends a line nor passes. */
static void
test_nul(void **state)
{
	static const char name[] = "a\0n:" YESCRYPT,
			  hash[] = "ann:$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAX\0GHnS4UpFFP8WIrW",
			  token[] = "ann:dde96f5b27b2298476b272c037dfd2cb\0"
				    "438e3495510c51035db1ef55f2994a4";
	struct htpasswd_line parsed;
	struct token_line token_parsed;
	const char *why;

	assert_int_equal(htpasswd_parse_line(name, sizeof name - 1, &parsed, &why), -EINVAL);
	assert_int_equal(htpasswd_parse_line(hash, sizeof hash - 1, &parsed, &why), -EINVAL);
	assert_int_equal(token_parse_line(token, sizeof token - 1, &token_parsed, &why), -EINVAL);
}

static void
test_tokens(void **state)
{
	static const struct {
		const char *line;
		int rc;
	} cases[] = {
		{"robot:" HEX, 0},
		{"robot:DDE96F5B27b2298476b272c037dfd2cb5438e3495510c51035db1ef55f2994a4\r", 0},
		{"", -ENOENT},
		{"#robot:" HEX, -ENOENT},
		{"robot", -EINVAL},
		{":" HEX, -EINVAL},
		{"robot:", -EINVAL},
		{"robot:" HEX "0", -EINVAL},
		{"robot: " HEX, -EINVAL},
		{"robot:" HEX " ", -EINVAL},
		{"robot:0x" HEX, -EINVAL},
		{"robot:gde96f5b27b2298476b272c037dfd2cb5438e3495510c51035db1ef55f2994a4", -EINVAL},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct token_line parsed = {0};
		const char *why = NULL;
		int rc = token_parse_line(cases[i].line, strlen(cases[i].line), &parsed, &why);
		if (rc != cases[i].rc)
			fail_msg("%s: %d", cases[i].line, rc);
		assert_int_equal(why != NULL, rc == -EINVAL);
		if (rc == 0)
			assert_memory_equal(parsed.digest, "\xdd\xe9\x6f\x5b", 4);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_htpasswd),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_tokens),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
