/*
 * Passwords that were found right a short while ago, as digests under a key that only this process knows:
 * checking one again costs no crypt(3).  Bounded: the one that was found right first goes first.  Loop thread
 * only.
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

/* The digest of a log-in: of a name, its password and what that is checked against, so that another hash is
 * another log-in. */
void login_cache_digest(const struct login_cache *cache, const char *name, const char *hash,
	const char *password, uint8_t ret_digest[static LOGIN_CACHE_DIGEST_BYTES]);

/* Until when it counts as right, because it was found so in the last minute: monotonic milliseconds; 0: it
 * does not. */
int64_t login_cache_until(struct login_cache *cache, const uint8_t digest[static LOGIN_CACHE_DIGEST_BYTES]);

/* It has been found right now. */
void login_cache_add(struct login_cache *cache, const uint8_t digest[static LOGIN_CACHE_DIGEST_BYTES]);
