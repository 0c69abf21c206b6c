/* The parameters of a query (what follows '?' in a target), as forms encode them: names and values between
 * ampersands.  Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A parameter, lent by the query. */
struct http_query_param {
	const char *raw; /* "name=value" as it came */
	size_t raw_len;
	const char *name; /* still encoded */
	size_t name_len;
	const char *value; /* still encoded; "" without '=' */
	size_t value_len;
};

/* Walks over the parameters of a query: *at starts as the query (NULL: there is none) and moves on.  False at
 * the end; an empty parameter is passed over. */
bool http_query_next(const char **at, struct http_query_param *ret_param);

/* The decoded value of the first parameter of that name, for the caller to free; NULL if there is none.  A
 * parameter without '=' has the empty value. */
char *http_query_find(const char *query, const char *name);

/* Decodes percent signs, and with plus every '+' to a space; for the caller to free.  "" if an escape is
 * broken: the guard refuses such targets. */
char *http_query_decode(const char *data, size_t len, bool plus);
