/* The representation of a resource: the server's members, then the client's, in the envelope.  Pure
 * functions. */
#pragma once

#include "store/resources.h"

/* A row of the resources. */
struct resource {
	int64_t sequence; /* its key: order of creation */
	struct id id;
	struct id parent;
	enum store_status status;
	enum store_action action;
	uint64_t version;
	int64_t created_ms;
	int64_t updated_ms;	    /* 0: never */
	const char *status_message; /* NULL: none */
	const char *document;	    /* a JSON object without surrounding white space */
};

/* Adds the resource in its envelope; url is its address. */
void representation_add(struct text *text, const struct store_collection *collection,
	const struct resource *resource, const char *url);

/* Sets a change's representation and version to those of resource. */
void representation_of_change(struct store_change *change, const struct resource *resource);

/* As representation_add, but without the envelope. */
void representation_add_inside(struct text *text, const struct store_collection *collection,
	const struct resource *resource, const char *url);
