/*
 * The store: what must survive.  Its interface is asynchronous: a write is handed over on the loop thread,
 * and its completion comes back to the loop once it is durable, never from within the call.  Accepts, begins
 * and ends become durable and complete in the order in which they were handed over; only one that is refused
 * does not wait for what is being tried again.  Expiries and forgettings, which nobody waits for, may lag
 * behind, so that a crowd of them does not hold up the others.
 *
 * Behind it stands SQLite (store.c and its neighbours, one writer thread that commits all that has gathered
 * since its last commit in one transaction), or nothing at all ("memory"): then completions come at the next
 * turn of the loop.  The operations keep everything that is polled in their own table, so the embedded store
 * is only read at start.
 */
#pragma once

#include "common/blob.h"
#include "common/histogram.h"
#include "common/id.h"
#include "common/mailbox.h"

#include <stdbool.h>
#include <stdint.h>

struct store;
struct store_change;
struct store_pending;

struct store_config {
	const char *path; /* of the database; NULL: "memory" */
	struct mailbox *mailbox;

	/* Loop thread: accepting is impossible (a full or failing disk) from now on, or possible again.  why
	 * is for the log. */
	void (*on_health)(void *arg, bool healthy, const char *why);
	void *arg;
};

/* Completion of a write, on the loop thread, exactly once: 0, or -errno when it could not be made durable
 * (-ENOSPC, -EIO). */
typedef void (*store_done_fn)(void *arg, int error);

/* How far an operation is, as the store sees it. */
enum store_state { STORE_QUEUED, STORE_RUNNING, STORE_ENDED, STORE_TOMBSTONE };

/* An operation as it is kept.  Strings may be NULL where that is said; all are lent to the call that gets
 * them. */
struct store_operation {
	struct id id;
	enum store_state state;
	uint64_t sequence;     /* order of acceptance, given by the operations */
	const char *route;     /* key of the route in the configuration */
	const char *style;     /* as it was asked: "location", "" for a synchronous call */
	const char *principal; /* NULL: nobody is known */
	int64_t accepted_ms;   /* wall clock, as all times here */
	int64_t started_ms;    /* 0: not started */
	int64_t ended_ms;      /* 0: not ended */
	int64_t forget_ms; /* ended: when the result becomes a tombstone; tombstone: when it is forgotten */

	/* idempotency: the key as the client sent it, and a digest of the request; NULL: none */
	const char *key;
	uint8_t key_digest[32];

	/* until the end */
	const char *input; /* work_input_format; NULL once ended */
	size_t input_len;
	struct blob *body; /* of the request; NULL: none */

	/* the end */
	const char *end;    /* name of the state: "succeeded", "failed", ... ; NULL before */
	int status;	    /* of the final response; kept in the tombstone */
	const char *fields; /* its header fields (fields.h's wire form) */
	size_t fields_len;
	struct blob *result; /* its body; NULL: none */
	const char *detail;  /* why it failed, for monitors that say so; NULL: none */

	/* the change of a resource that it carries out, see resources.h; NULL: none.  pending: the same, as
	 * store_load tells it. */
	struct store_change *change;
	const struct store_pending *pending;

	/* a program that was running: its process group's leader, 0: none was recorded */
	pid_t pid;
	uint64_t pid_start_time;
};

/*
 * Opens or makes the database and its spool (the directory PATH.spool beside it), and takes the lock that
 * keeps a second server out. -EBUSY when another server holds it, -EINVAL when it is no database of ours or
 * of a newer version, -errno of the disk; *ret_why is then a sentence for the operator (malloc'ed).
 */
__attribute__((warn_unused_result)) int store_open(
	const struct store_config *config, struct store **ret_store, char **ret_why);

/* Takes an operation that is kept, with what it says lent. */
typedef void (*store_load_fn)(void *arg, const struct store_operation *operation);

/*
 * Gives every operation kept to fn, in order of acceptance, before anything is written: fn takes a reference
 * to the blobs it wants and copies the rest.  Files in the spool that no row names are removed.  -EIO,
 * -EINVAL and *ret_why as above when the database cannot be read whole: nothing is ever dropped silently.
 */
__attribute__((warn_unused_result)) int store_load(
	struct store *store, store_load_fn fn, void *arg, char **ret_why);

/* Starts the writer thread; the calls below may be made from then on. */
__attribute__((warn_unused_result)) int store_start(struct store *store);

/* Makes an accepted operation durable, with its body (which goes to a file of the spool when it is large).
 * state is STORE_QUEUED, or STORE_RUNNING with started_ms where the work begins in the same moment.  An
 * accept that is refused (-ENOSPC, -EIO) has left nothing, but after a sync that failed the next start may
 * find it. */
void store_accept(
	struct store *store, const struct store_operation *operation, store_done_fn done, void *arg);

/* Makes it durable that the work begins, or is refused as store_accept is: -ENOSPC, -EIO.  This call and
 * those below name an operation by its id and its sequence, which is where the embedded store keeps it.
 * change is the one that it was accepted with (NULL: without): what it is to carry out is then in its
 * on_change. */
void store_begin(struct store *store, const struct id *id, uint64_t sequence, int64_t started_ms,
	struct store_change *change, store_done_fn done, void *arg);

/* Records a running program's process group.  No completion. */
void store_process(
	struct store *store, const struct id *id, uint64_t sequence, pid_t pid, uint64_t start_time);

/* Makes the end durable: end, status, fields, result, detail, ended_ms and forget_ms of operation are read;
 * input and body of the request are dropped.  If the disk refuses, it is tried again until it succeeds or the
 * store is closed: the completion is called with 0, with -ECANCELED at close, with -ENOENT if the accept was
 * refused, or with -EIO if the file of the result is gone, and then it can be ended otherwise.  An operation
 * that was never accepted (a synchronous one) is not known and must not be ended here. */
void store_end(struct store *store, const struct store_operation *operation, store_done_fn done, void *arg);

/* Drops the result and keeps the tombstone until forget_ms.  No completion; tried again as store_end. */
void store_expire(struct store *store, const struct id *id, uint64_t sequence, int64_t forget_ms);

/* Forgets the operation altogether, whatever its state.  No completion. */
void store_forget(struct store *store, const struct id *id, uint64_t sequence);

/* Directory for temporary files of large bodies and results (blob_sink_init); -1 where "memory" has found no
 * place for one. */
int store_spool_fd(const struct store *store);

/* Whether accepting is possible just now. */
bool store_is_healthy(const struct store *store);

/* For metrics: commits made, operations waiting for one, seconds that the last commit took, bytes in the
 * database file. */
struct store_stats {
	uint64_t commits;
	uint64_t writes;
	uint64_t waiting;
	struct histogram commit_times;
	uint64_t file_bytes;
};
void store_get_stats(struct store *store, struct store_stats *ret_stats);

/* Writes what was handed over, waits for the writer, closes.  Completions not yet delivered are in the
 * mailbox, and must not call the store any more; blobs of files can no longer be read.  NULL is allowed. */
void store_close(struct store *store);
