/* The lines of the files that say who may log in: htpasswd and tokens.  Pure functions over one line, without
 * its line feed. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LOGIN_NAME_MAX 255
#define LOGIN_HASH_MAX 383 /* what crypt(3) at most makes */
#define LOGIN_DIGEST_BYTES 32

/* The kinds of password that are refused for their cost: one check may not take many seconds. */
#define LOGIN_BCRYPT_COST_MAX 16
#define LOGIN_SHA_ROUNDS_MAX 10000000

/* Both are lent by the line. */
struct htpasswd_line {
	const char *name;
	size_t name_len;
	const char *hash;
	size_t hash_len;
};

struct token_line {
	const char *name;
	size_t name_len;
	uint8_t digest[LOGIN_DIGEST_BYTES]; /* SHA-256 of the token */
};

/*
 * "NAME:HASH", whatever crypt(3) knows that is no plain text, no MD5, no SHA-1 and no DES.  0; -ENOENT for an
 * empty line or a comment ('#'); -EINVAL and in *ret_why what is wrong, without anything of the line in it.
 */
__attribute__((warn_unused_result)) int htpasswd_parse_line(
	const char *line, size_t len, struct htpasswd_line *ret_line, const char **ret_why);

/* "NAME:SHA256-HEX", the digest of a bearer's token; likewise. */
__attribute__((warn_unused_result)) int token_parse_line(
	const char *line, size_t len, struct token_line *ret_line, const char **ret_why);

/* Whether a name can be a principal's: UTF-8 without control characters or colons, not empty, not too
 * long. */
int login_name_check(const char *name, size_t len, const char **ret_why);
