/* Lines of htpasswd and token files.  Pure functions over one line, without its line feed. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LOGIN_NAME_MAX 255
#define LOGIN_HASH_MAX 383 /* the longest that crypt(3) makes */
#define LOGIN_DIGEST_BYTES 32

/* Hashes of a higher cost are refused: one check may not take many seconds. */
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
 * Reads "NAME:HASH".  Any hash of crypt(3) is good but plain text, MD5, SHA-1 and DES.  -ENOENT for an empty
 * line or a comment ('#'); -EINVAL and in *ret_why the mistake, without any part of the line.
 */
__attribute__((warn_unused_result)) int htpasswd_parse_line(
	const char *line, size_t len, struct htpasswd_line *ret_line, const char **ret_why);

/* Reads "NAME:SHA256-HEX", the digest of a bearer's token.  Returns as htpasswd_parse_line does. */
__attribute__((warn_unused_result)) int token_parse_line(
	const char *line, size_t len, struct token_line *ret_line, const char **ret_why);

/* Whether a name can be a principal's: UTF-8 without control characters or colons, not empty, not too
 * long. */
int login_name_check(const char *name, size_t len, const char **ret_why);
