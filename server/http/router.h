/*
 * The router: path patterns of literal segments, {name} for one segment, {name}:verb for one segment that ends with
 * ":verb", and {rest...} for all segments that are left; each with its methods.  At every level a literal segment is
 * tried first, then {name}:verb, then {name}, then {rest...}.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Methods as bits, so that a set of them is a number. */
enum http_method {
	HTTP_GET = 1 << 0,
	HTTP_HEAD = 1 << 1,
	HTTP_POST = 1 << 2,
	HTTP_PUT = 1 << 3,
	HTTP_PATCH = 1 << 4,
	HTTP_DELETE = 1 << 5,
	HTTP_OPTIONS = 1 << 6,
};

/* "GET"; the method of that name, 0 if we know none. */
const char *http_method_name(enum http_method method);
enum http_method http_method_find(const char *name);

#define ROUTER_PARAMS_MAX 16

/* A piece of the path that a parameter took: still percent-encoded, not NUL-terminated, lent by the path. */
struct router_param {
	const char *name;
	const char *value;
	size_t value_len;
};

struct router_match {
	void *target;	/* what the pattern was added with */
	unsigned allow; /* when the method does not fit: the methods that would */
	struct router_param params[ROUTER_PARAMS_MAX];
	size_t param_count;
};

struct router;

struct router *router_new(void);
void router_free(struct router *router); /* NULL is allowed; targets are the caller's */

/* Adds pattern for a set of methods.  -EINVAL if it is malformed, -EEXIST if a pattern of the same shape has
 * one of the methods. */
__attribute__((warn_unused_result)) int router_add(
	struct router *router, const char *pattern, unsigned methods, void *target);

/* Finds the target of a path (without query).  -ENOENT if no pattern fits, -EPERM if only the method does not
 * (see allow).  HEAD is answered by a pattern that has GET. */
__attribute__((warn_unused_result)) int router_find(const struct router *router, const char *path, size_t len,
	enum http_method method, struct router_match *ret_match);
