/*
 * The resources of the collections, which the store keeps beside the operations.
 *
 * The writer thread judges changes in the order in which they were handed over: do the parent and the
 * resource exist, is the version an expected one, is a value that must be unique taken?  A change travels
 * alone (store_change) or with the operation that carries it out.  In the second case it is made when the
 * operation is accepted, which leaves the resource PENDING; it is looked up when the operation begins, and
 * settled when the operation ends, each in the same transaction as the operation's own row.  The completions
 * of those calls report why a change was refused:
 *
 * -ENOENT    the resource or its parent does not exist
 * -ESTALE    the version is not among the expected ones
 * -EEXIST    another resource has the value of a unique member
 * -EBUSY     the resource or its parent is being deleted
 * -EALREADY  a DELETE of a resource that is already being deleted
 * -EAGAIN    store_change only: other changes are pending, so this one must wait its turn as an operation
 *
 * Reads run on threads of their own.  A read sees every change that completed before the read was handed
 * over.
 */
#pragma once

#include "common/hash.h"
#include "common/http/fields.h"
#include "common/http/problem.h"
#include "common/id.h"
#include "common/list.h"
#include "common/text.h"
#include "store/store.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct item_cache;
struct json_object;

/* How the resources of a collection are stored and shown.  Immutable; any thread. */
struct store_collection {
	_Atomic unsigned references;
	char *name;
	char *parent;	     /* the collection of the parents; NULL: none */
	char *parent_member; /* the member that shows the parent's id; NULL: none */
	char **above;	 /* the collections above the parent's, nearest first, NULL-terminated; NULL: none */
	char **unique;	 /* names of the unique members, NULL-terminated; never NULL */
	char **index;	 /* names of the indexed members, NULL-terminated; never NULL */
	char **envelope; /* names of the enclosing members, outermost first, NULL-terminated; never NULL */
	int delete_status; /* status code of the final response to a DELETE */
};

struct store_collection *store_collection_ref(struct store_collection *collection);
void store_collection_unref(struct store_collection *collection); /* NULL is allowed */

/* Whether the server sets the member called name. */
bool store_collection_owns(const struct store_collection *collection, const char *name);

/* Removes the members that the server sets from a JSON object. */
void store_collection_strip(const struct store_collection *collection, struct json_object *object);

enum store_status { STORE_ACTIVE, STORE_PENDING, STORE_ERROR };
enum store_action { STORE_NONE, STORE_CREATE, STORE_UPDATE, STORE_DELETE };

/* "ACTIVE", "CREATE" */
const char *store_status_name(enum store_status status);
const char *store_action_name(enum store_action action);

/* The most versions that If-Match may list. */
#define STORE_EXPECTED_MAX 8

/*
 * One change of one resource.  It belongs to the code that made it, except between a call that hands it over
 * and the completion of that call: then it belongs to the writer.
 */
struct store_change {
	/* the request */
	struct store_collection *collection; /* a reference */
	enum store_action action;
	struct id id;
	struct id parent;		       /* if the collection has a parent */
	uint64_t expected[STORE_EXPECTED_MAX]; /* expected_count versions */
	unsigned expected_count;	       /* 0: any */
	char *document;			       /* JSON object with the client's members; NULL for a DELETE */
	char **unique; /* values of the collection's unique members, in its order, as canonical JSON text; NULL: none */
	char *url;	/* of the resource */
	int64_t now_ms; /* wall clock */

	/* the outcome of the work, for store_end */
	bool failed;
	char *message;		      /* becomes status_message; NULL: unknown */
	struct blob *answer;	      /* a JSON object to merge into the resource; NULL: none */
	enum problem_dialect dialect; /* of the problem, if the answer cannot be merged */
	struct id operation;	      /* the operation that carries the change out */

	/* the result, set when the change has completed */
	char *representation; /* the resource after the change, in its envelope; NULL: unknown */
	uint64_t version;
	char *on_change;  /* set by store_begin: {"action","resource"}, the input of the work */
	bool took_others; /* dependents of the deleted resource were deleted with it */

	/* set by store_end if failed is false: the final response; end_failed is set if the answer could not
	 * be merged */
	int status;
	struct fields fields;
	struct blob *body;
	bool end_failed;
};

/* A new change; takes a reference to collection and copies url. */
struct store_change *store_change_new(struct store_collection *collection, enum store_action action,
	const struct id *id, const struct id *parent, const char *url);
void store_change_free(struct store_change *change); /* NULL is allowed */

/* Sets document and unique from an object with the client's members. */
void store_change_set_document(struct store_change *change, struct json_object *document);

/* Sets status, fields and body to the final response of a successful change, as store_end does. */
void store_change_make_response(struct store_change *change);

/* The change that an operation that has not ended must carry out, as store_load reports it. */
struct store_pending {
	char *collection;
	enum store_action action;
	struct id id;
	struct id parent;
	char *document; /* as the change left it */
	uint64_t version;
	int64_t created_ms, updated_ms;
};

/* The representation of the resource right after the change was accepted, for the caller to free. */
char *store_pending_represent(
	const struct store_pending *pending, const struct store_collection *collection, const char *url);

/* A collection with just enough settings to settle a pending change, for a collection that is no longer
 * configured. */
struct store_collection *store_collection_new_stand_in(const struct store_pending *pending);

/* Prepares for changes and reads of a collection, and creates its indexes.  After store_start.  -errno. */
__attribute__((warn_unused_result)) int store_add_collection(
	struct store *store, struct store_collection *collection);

/* Makes a change that needs no work: on completion the resource is ACTIVE, or gone. */
void store_change(struct store *store, struct store_change *change, store_done_fn done, void *arg);

/* Adds a change to an operation that was accepted without one and has not begun.  From then on it is as if
 * the operation had been accepted with the change. */
void store_attach(struct store *store, const struct id *id, uint64_t sequence, struct store_change *change,
	store_done_fn done, void *arg);

/* One read of one resource.  It belongs to the caller, but to the store until it has completed.  The caller
 * sets the members of the request and zeroes the rest. */
struct store_read {
	struct mail mail;
	struct store_collection *collection; /* lent */
	struct id id;
	struct id parent; /* if the collection has a parent */
	const char *url;  /* of the resource; lent */
	void (*done)(struct store_read *read);

	int error; /* -ENOENT, -EIO */
	enum store_status status;
	uint64_t version;
	char *document;	      /* for the caller to free, as representation; NULL after an error */
	char *representation; /* in its envelope */

	/* used by the store */
	struct list link;
	struct hash_node by_id;	  /* in the cache's table of unfinished reads */
	struct item_cache *cache; /* a reference, until the read has completed */
	bool is_stale;		  /* the resource has changed since the read was handed over */
};

void store_read(struct store *store, struct store_read *read);

/* A resource as a read shows it. */
struct store_item {
	enum store_status status;
	uint64_t version;
	struct blob *representation; /* in its envelope */
};

/* Returns the result that store_read would give if it is in memory, else NULL. The item is lent until the
 * next call of the store. parent is ignored if the collection has none.  Loop thread. */
const struct store_item *store_find_item(struct store *store, const struct store_collection *collection,
	const struct id *id, const struct id *parent, const char *url);

/*
 * Judges a change without making it: would it be refused if it came with an operation now?  The judgement and
 * its change belong to the caller, but to the store until the judgement has completed.  The caller zeroes
 * what it does not set.
 */
struct store_judgement {
	struct mail mail;
	struct store_change *change; /* lent */
	void (*done)(struct store_judgement *judgement);

	int error; /* 0, a refusal, or -EIO */

	struct list link; /* used by the store */
};

void store_judge(struct store *store, struct store_judgement *judgement);

/* A filter of a list: the member must have the value. */
struct store_filter {
	char *member;
	char *value; /* as text; '*' matches any characters */
};

/* One page of a list.  It belongs to the caller, but to the store until it has completed. */
struct store_list {
	struct mail mail;
	struct store_collection *collection; /* lent */
	struct id parent;		     /* if the collection has a parent */
	char *url;			     /* of the collection: "http://host/v2/zones" */
	struct store_filter *filters;	     /* filter_count of them */
	size_t filter_count;
	char *sort_key;		/* NULL: order of creation */
	bool sort_key_is_known; /* false: some resource must have such a member */
	bool descending;
	bool has_marker;
	struct id marker;
	unsigned limit;
	void (*done)(struct store_list *list);
	void *arg; /* the caller's */

	/* -ENOENT: the parent does not exist; -ESRCH: no resource is the marker; -EINVAL: no resource has the
	 * sort key; -EIO */
	int error;
	struct text items; /* representations, separated by commas */
	bool has_more;
	struct id last; /* of the items */
	uint64_t total; /* number of resources that pass the filters */

	struct list link; /* used by the store */
};

void store_list(struct store *store, struct store_list *list);
