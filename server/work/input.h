/* The input of a call: the request as the work sees it, and its text form for the store.  The loop thread makes and
 * frees inputs; any thread may read one. */
#pragma once

#include "common/http/fields.h"
#include "common/id.h"

#include <stdbool.h>
#include <stddef.h>

struct blob;
struct text;

/* A name and its value, both NUL-terminated. */
struct work_param {
	char *name;
	char *value;
};

/* One call as the work sees it.  The work must not change it: pool threads only read. */
struct work_input {
	struct id id;		   /* of the operation */
	char *method;		   /* "POST" */
	char *path;		   /* as it came, still percent-encoded: "/thumbnails/200" */
	char *query;		   /* without '?' and without `async`, still encoded; NULL: there was none */
	char *route;		   /* the route's pattern with its base path: "/thumbnails/{size}" */
	struct work_param *params; /* path parameters and the route's query parameters, decoded */
	size_t param_count;
	struct fields fields; /* the request's header fields, all of them */
	struct blob *body;    /* NULL: none was sent */
	char *principal;      /* NULL: nobody is known */
	char *remote_address; /* "127.0.0.1", "" for a unix socket */
	char *scheme;	      /* "http" or "https" */
	char *authority;      /* the request's Host: "example.com:8580" */
	char *base;	  /* BASE of the contract: "https://api.example.com", for links that the result has */
	bool is_http_1_0; /* the request's version; false: HTTP/1.1 */
	unsigned port;	  /* of the server's socket, where authority has none; 0: not known */
	bool unjudged; /* the body was not validated yet when the operation was accepted, see operations.h */
	char *strings; /* memory of all its strings but those of params; NULL: each has its own */
};

/* All zero. */
struct work_input *work_input_new(void);
void work_input_free(struct work_input *input); /* NULL is allowed */

/* Copies the strings of from into an input that has none yet, in one piece of memory. */
void work_input_copy_strings(struct work_input *input, const struct work_input *from);

/* Adds a parameter; copies both strings. */
void work_input_add_param(struct work_input *input, const char *name, const char *value);
/* Returns the value of that parameter, lent; NULL if there is none. */
const char *work_input_param(const struct work_input *input, const char *name);

/* Writes the input without its body as one text for the store, and reads it back.  -EINVAL if
 * work_input_format did not write the text. */
void work_input_format(const struct work_input *input, struct text *ret_text);
__attribute__((warn_unused_result)) int work_input_parse(
	const char *data, size_t len, struct work_input **ret_input);
