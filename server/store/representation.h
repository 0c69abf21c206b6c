/* What a resource looks like to clients: the server's members, then the client's, in the envelope.  Pure. */
#pragma once

#include "store/resources.h"

/* A row of the resources. */
struct resource {
	int64_t sequence; /* its key: the order of creation */
	struct id id;
	struct id parent;
	enum store_status status;
	enum store_action action;
	uint64_t version;
	int64_t created_ms;
	int64_t updated_ms;	    /* 0: never */
	const char *status_message; /* NULL: none */
	const char *document;	    /* a JSON object without white space around it */
};

/* Adds the resource in its envelope; url is where it is. */
void representation_add(struct text *text, const struct store_collection *collection,
	const struct resource *resource, const char *url);

/* Sets a change's representation and version: of what came of it. */
void representation_of_change(struct store_change *change, const struct resource *resource);

/* The same as representation_add without envelope. */
void representation_add_inside(struct text *text, const struct store_collection *collection,
	const struct resource *resource, const char *url);
