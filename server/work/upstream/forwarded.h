/*
 * The fields that tell an upstream who called: Forwarded (RFC 7239), X-Forwarded-For, -Proto and -Host, and the
 * principal.  Only a trusted proxy's fields are kept; a client's own are replaced.
 */
#pragma once

#include "common/http/fields.h"
#include "common/network.h"

#include <stdbool.h>
#include <stddef.h>

struct work_input;

/* The peers whose forwarding fields are believed.  All zero: none. */
struct trusted_proxies {
	struct network *networks; /* count of them */
	size_t count;
	bool unix_sockets; /* peers that connect over a unix socket */
};

/* names: networks and "unix", ended by NULL; NULL: none.  -EINVAL if one is neither. */
__attribute__((warn_unused_result)) int trusted_proxies_init(
	struct trusted_proxies *proxies, char *const *names);
void trusted_proxies_fini(struct trusted_proxies *proxies);

/* Sets the fields of a request.  fields is a copy of the client's without hop-by-hop fields. */
void forwarded_put(
	const struct trusted_proxies *proxies, const struct work_input *input, struct fields *fields);

/* Sets the field name to the call's principal.  Whatever the client sent under that name, or under one that
 * differs only in '_' for '-', is removed.  Without a principal, or with one that a field cannot carry
 * unchanged, there is no such field. */
void forwarded_put_principal(const char *name, const struct work_input *input, struct fields *fields);
