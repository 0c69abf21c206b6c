/*
 * The resources of the collections, as the store keeps them beside the operations.
 *
 * A change is decided on the writer's thread, in the order in which changes were handed over: whether parent
 * and resource are there, whether the version is the expected one, whether a value that must be unique is
 * taken.  It travels alone (store_change), or with the operation that carries it out: then it is made when
 * that is accepted, which leaves the resource PENDING, it is looked up when the operation begins, and settled
 * when it ends, each in the transaction of the operation's own row.  Completions of those calls tell why it
 * was refused:
 *
 * -ENOENT    no such resource, or its parent is missing
 * -ESTALE    the version is not among those expected
 * -EEXIST    another resource has the value of a unique member
 * -EBUSY     the resource, or its parent, is being deleted
 * -EALREADY  it is to be deleted, and is being deleted
 * -EAGAIN    store_change only: other changes are pending, this one must wait its turn as an operation
 *
 * Reads come from threads of their own and see everything that was completed before they were asked for.
 */
#pragma once

#include "common/fields.h"
#include "common/hash.h"
#include "common/id.h"
#include "common/list.h"
#include "common/problem.h"
#include "common/text.h"
#include "store/store.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct item_cache;
struct json_object;

/* How the resources of a collection are kept and shown.  Never changed; any thread. */
struct store_collection {
	_Atomic unsigned references;
	char *name;
	char *parent;	     /* the collection that the parents are in; NULL: none */
	char *parent_member; /* shows the parent's id; NULL: none */
	char **above;	   /* the collections above that one, the nearest first, ended by NULL; NULL: none */
	char **unique;	   /* members, ended by NULL; never NULL */
	char **index;	   /* likewise */
	char **envelope;   /* names from the outside in, likewise */
	int delete_status; /* of the final response to a DELETE */
};

struct store_collection *store_collection_ref(struct store_collection *collection);
void store_collection_unref(struct store_collection *collection); /* NULL is allowed */

/* Whether name is a member that the server sets. */
bool store_collection_owns(const struct store_collection *collection, const char *name);

/* Removes the server's members from a JSON object. */
void store_collection_strip(const struct store_collection *collection, struct json_object *object);

enum store_status { STORE_ACTIVE, STORE_PENDING, STORE_ERROR };
enum store_action { STORE_NONE, STORE_CREATE, STORE_UPDATE, STORE_DELETE };

/* "ACTIVE", "CREATE" */
const char *store_status_name(enum store_status status);
const char *store_action_name(enum store_action action);

/* How many versions If-Match may name. */
#define STORE_EXPECTED_MAX 8

/*
 * One change of one resource.  Its maker's, but the writer's between a call that hands it over and its
 * completion.
 */
struct store_change {
	/* what is wanted */
	struct store_collection *collection; /* a reference */
	enum store_action action;
	struct id id;
	struct id parent;		       /* where the collection has one */
	uint64_t expected[STORE_EXPECTED_MAX]; /* versions, expected_count of them */
	unsigned expected_count;	       /* 0: any */
	char *document;			       /* the client's members, a JSON object; NULL for a DELETE */
	char **unique;	/* values of the unique members as JSON text, in their order; NULL: none */
	char *url;	/* of the resource */
	int64_t now_ms; /* wall clock */

	/* how it ended, for store_end */
	bool failed;
	char *message;		      /* why: status_message; NULL: not known */
	struct blob *answer;	      /* a JSON object to be merged in; NULL: none */
	enum problem_dialect dialect; /* of the problem, if that cannot be */
	struct id operation;	      /* whose change it is */

	/* what came of it, once completed */
	char *representation; /* the resource as it then was, in its envelope; NULL: not known */
	uint64_t version;
	char *on_change;  /* store_begin: {"action","resource"}, what is to be carried out */
	bool took_others; /* resources that belonged to the one that is gone have gone with it */

	/* store_end of one that did not fail: the final response; of one whose answer could not be merged
	 * end_failed is set */
	int status;
	struct fields fields;
	struct blob *body;
	bool end_failed;
};

/* A change of collection, whose reference is taken anew; url is copied. */
struct store_change *store_change_new(struct store_collection *collection, enum store_action action,
	const struct id *id, const struct id *parent, const char *url);
void store_change_free(struct store_change *change); /* NULL is allowed */

/* Sets document and unique from the client's members. */
void store_change_set_document(struct store_change *change, struct json_object *document);

/* The final response of a change that was made, as store_end does it: sets status, fields and body. */
void store_change_make_response(struct store_change *change);

/* What an operation that has not ended is to carry out, as store_load tells it. */
struct store_pending {
	char *collection;
	enum store_action action;
	struct id id;
	struct id parent;
	char *document; /* as the change left it */
	uint64_t version;
	int64_t created_ms, updated_ms;
};

/* The resource as it was shown when the change was accepted, for the caller to free. */
char *store_pending_represent(
	const struct store_pending *pending, const struct store_collection *collection, const char *url);

/* A collection that knows as much of itself as is needed to settle a pending change, for one that is no
 * longer configured. */
struct store_collection *store_collection_new_stand_in(const struct store_pending *pending);

/* Makes ready for changes and reads of a collection, and makes its indexes; after store_start.  -errno. */
__attribute__((warn_unused_result)) int store_add_collection(
	struct store *store, struct store_collection *collection);

/* Makes a change that needs nobody to carry it out: the resource is ACTIVE, or gone, when it completes. */
void store_change(struct store *store, struct store_change *change, store_done_fn done, void *arg);

/* Makes the change part of an operation that was accepted without one and has not begun, as if it had been
 * accepted with it now. */
void store_attach(struct store *store, const struct id *id, uint64_t sequence, struct store_change *change,
	store_done_fn done, void *arg);

/* One read of one resource.  The caller's, but the store's until it is completed; zero but for what is
 * wanted. */
struct store_read {
	struct mail mail;
	struct store_collection *collection; /* lent */
	struct id id;
	struct id parent; /* where the collection has one */
	const char *url;  /* of the resource; lent */
	void (*done)(struct store_read *read);

	int error; /* -ENOENT, -EIO */
	enum store_status status;
	uint64_t version;
	char *document;	      /* for the caller to free, as the next; NULL with an error */
	char *representation; /* in its envelope */

	/* the store's */
	struct list link;
	struct hash_node by_id;	  /* among those on their way */
	struct item_cache *cache; /* a reference, while it is on its way */
	bool is_stale;		  /* the resource has been changed since it was handed over */
};

void store_read(struct store *store, struct store_read *read);

/* A resource as a read would show it. */
struct store_item {
	enum store_status status;
	uint64_t version;
	struct blob *representation; /* in its envelope */
};

/* What store_read would bring, if that is in memory, else NULL; lent until the next call of the store.
 * parent counts where the collection has one.  Loop thread. */
const struct store_item *store_find_item(struct store *store, const struct store_collection *collection,
	const struct id *id, const struct id *parent, const char *url);

/*
 * A judgement on a change that is not made: whether it would be refused if it came with an operation now.
 * The caller's, but the store's until it is completed, and its change with it; zero but for what is wanted.
 */
struct store_judgement {
	struct mail mail;
	struct store_change *change; /* lent */
	void (*done)(struct store_judgement *judgement);

	int error; /* 0, a refusal, or -EIO */

	struct list link; /* the store's */
};

void store_judge(struct store *store, struct store_judgement *judgement);

/* A filter of a list: a member and the value that it must have. */
struct store_filter {
	char *member;
	char *value; /* its text; '*' is any characters */
};

/* One page of a list, likewise. */
struct store_list {
	struct mail mail;
	struct store_collection *collection; /* lent */
	struct id parent;		     /* where the collection has one */
	char *url;			     /* of the collection: "http://host/v2/zones" */
	struct store_filter *filters;	     /* filter_count of them */
	size_t filter_count;
	char *sort_key;		/* NULL: in the order of their creation */
	bool sort_key_is_known; /* or must it be the member of a resource? */
	bool descending;
	bool has_marker;
	struct id marker;
	unsigned limit;
	void (*done)(struct store_list *list);
	void *arg; /* the caller's */

	/* -ENOENT: the parent is missing; -ESRCH: no resource is the marker; -EINVAL: no resource has the
	 * sort key; -EIO */
	int error;
	struct text items; /* representations, separated by commas */
	bool has_more;
	struct id last; /* of the items */
	uint64_t total; /* that the filters let pass */

	struct list link; /* the store's */
};

void store_list(struct store *store, struct store_list *list);
