/*
 * The cache of passwords that were right a short while ago, as digests under a key that only this process
 * knows: checking one again costs no crypt(3).  Bounded: the oldest entry goes first.  Loop thread only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define LOGIN_CACHE_DIGEST_BYTES 32
#define LOGIN_CACHE_MS 60000
#define LOGIN_CACHE_MAX 1024

struct login_cache;

struct login_cache *login_cache_new(void);
void login_cache_free(struct login_cache *cache); /* NULL is allowed */

/* The digest of a log-in: of the name, the password and the hash that it is checked against.  A changed hash
 * gives another digest. */
void login_cache_digest(const struct login_cache *cache, const char *name, const char *hash,
	const char *password, uint8_t ret_digest[static LOGIN_CACHE_DIGEST_BYTES]);

/* The time (monotonic milliseconds) until which a log-in counts as right; 0: it was not found right in the last
 * minute. */
int64_t login_cache_until(struct login_cache *cache, const uint8_t digest[static LOGIN_CACHE_DIGEST_BYTES]);

/* Adds a log-in that has just been found right. */
void login_cache_add(struct login_cache *cache, const uint8_t digest[static LOGIN_CACHE_DIGEST_BYTES]);
