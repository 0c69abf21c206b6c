/*
 * The store: it makes operations durable.  Its interface is asynchronous: the loop thread hands a write over,
 * and the completion comes back to the loop once the write is durable, never from within the call.  Accepts,
 * begins and ends become durable and complete in the order in which they were handed over, with one
 * exception: a refused one does not wait for writes that are being retried.  Expiries and forgettings, which
 * nothing waits for, may lag behind, so that many of them do not delay the others.
 *
 * Behind the interface is either SQLite, with one writer thread that commits everything that has gathered
 * since its last commit in one transaction, or nothing at all ("memory"): then completions come at the next
 * turn of the loop.  The operations layer keeps everything that is polled in its own table, so operations are
 * read from the store only at start.
 */
#pragma once

#include "common/blob.h"
#include "common/histogram.h"
#include "common/id.h"
#include "common/loop/mailbox.h"

#include <stdbool.h>
#include <stdint.h>

struct store;
struct store_change;
struct store_pending;

struct store_config {
	const char *path; /* of the database; NULL: "memory" */
	struct mailbox *mailbox;

	/* Loop thread.  Called when the disk stops accepting writes (full or failing), and when it accepts
	 * them again. why is for the log. */
	void (*on_health)(void *arg, bool healthy, const char *why);
	void *arg;

	/* A line that tells of this server, without its end; the lock of the database holds it.  NULL: none.  Lent
	 * to store_open. */
	const char *server;
};

/* The completion of a write.  Called exactly once, on the loop thread: 0, or -errno if the write could not be
 * made durable (-ENOSPC, -EIO). */
typedef void (*store_done_fn)(void *arg, int error);

/* The stages of an operation in the store. */
enum store_state { STORE_QUEUED, STORE_RUNNING, STORE_ENDED, STORE_TOMBSTONE };

/* A stored operation.  Only members that say so may be NULL. All pointers are lent for the duration of the
 * call that passes the operation. */
struct store_operation {
	struct id id;
	enum store_state state;
	uint64_t sequence;     /* order of acceptance; chosen by the operations layer */
	const char *route;     /* key of the route in the configuration */
	const char *style;     /* the style of the call: "location"; "" for a synchronous call */
	const char *principal; /* NULL: not authenticated */
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

	/* the change of a resource that it carries out (resources.h); NULL: none. pending is the same change
	 * as store_load reports it. */
	struct store_change *change;
	const struct store_pending *pending;

	/* a program that was running: the leader of its process group; 0: none was recorded */
	pid_t pid;
	uint64_t pid_start_time;
};

/*
 * Opens or creates the database and its spool (the directory PATH.spool beside it), and takes the lock that
 * keeps other servers out.  -EBUSY if another server holds it, -EINVAL if the file is not a database of
 * deferd or is of a newer version, -errno of the disk; *ret_why is then a sentence for the operator
 * (malloc'ed).
 */
__attribute__((warn_unused_result)) int store_open(
	const struct store_config *config, struct store **ret_store, char **ret_why);

/* Returns the lines of the servers that had this store before and may have left something behind, each ended by
 * a line feed; "" if there are none.  The store's. */
const char *store_earlier_servers(const struct store *store);

/* Forgets those lines once nothing of those servers is left.  -errno. */
__attribute__((warn_unused_result)) int store_forget_servers(struct store *store);

/* Receives a stored operation; all that it points to is lent. */
typedef void (*store_load_fn)(void *arg, const struct store_operation *operation);

/*
 * Passes every stored operation to fn, in order of acceptance; comes before the first write. fn takes
 * references to the blobs it needs and copies the rest.  Files in the spool that no row names are removed.
 * -EIO, -EINVAL and *ret_why as above if anything in the database cannot be read: nothing is ever skipped
 * silently.
 */
__attribute__((warn_unused_result)) int store_load(
	struct store *store, store_load_fn fn, void *arg, char **ret_why);

/* Starts the writer thread; the calls below may be made from then on. */
__attribute__((warn_unused_result)) int store_start(struct store *store);

/* Makes an accepted operation durable, with its body (a large one goes to a file of the spool). state is
 * STORE_QUEUED, or STORE_RUNNING with started_ms if the work begins at the same moment.  A refused accept
 * (-ENOSPC, -EIO) leaves nothing, except that after a failed sync the next start may find it. */
void store_accept(
	struct store *store, const struct store_operation *operation, store_done_fn done, void *arg);

/* Makes it durable that the work begins; may be refused as an accept may: -ENOSPC, -EIO. This call and those
 * below identify an operation by its id and its sequence, because the sequence is its key in the embedded
 * store. change is the one that the operation was accepted with (NULL: none); its on_change is then set. */
void store_begin(struct store *store, const struct id *id, uint64_t sequence, int64_t started_ms,
	struct store_change *change, store_done_fn done, void *arg);

/* Records a running program's process group.  No completion. */
void store_process(
	struct store *store, const struct id *id, uint64_t sequence, pid_t pid, uint64_t start_time);

/* Makes the end durable.  Reads end, status, fields, result, detail, ended_ms and forget_ms of operation;
 * drops the input and the body of the request.  If the disk refuses, retries until it succeeds or the store
 * is closed.  The completion gets 0; -ECANCELED at close; -ENOENT if the accept was refused; or -EIO if the
 * file of the result is gone, and then the operation can be ended with another result.  Must not be called
 * for an operation that was never accepted (a synchronous one). */
void store_end(struct store *store, const struct store_operation *operation, store_done_fn done, void *arg);

/* Drops the result and keeps the tombstone until forget_ms.  Retried like store_end.  done may be NULL. */
void store_expire(struct store *store, const struct id *id, uint64_t sequence, int64_t forget_ms,
	store_done_fn done, void *arg);

/* Removes the operation, whatever its state.  No completion. */
void store_forget(struct store *store, const struct id *id, uint64_t sequence);

/* The directory for temporary files of large bodies and results (blob_sink_init); -1 if "memory" could not
 * make one. */
int store_spool_fd(const struct store *store);

/* Whether accepts are possible at the moment. */
bool store_is_healthy(const struct store *store);

/* For metrics: the number of commits and of completed writes, the number of writes waiting for a commit, how
 * long commits took, and the size of the database file. */
struct store_stats {
	uint64_t commits;
	uint64_t writes;
	uint64_t waiting;
	struct histogram commit_times;
	uint64_t file_bytes;
};
void store_get_stats(struct store *store, struct store_stats *ret_stats);

/* Writes everything that was handed over, waits for the writer, and closes the store.  Completions that have
 * not been delivered stay in the mailbox and must not call the store any more; blobs in files can no longer
 * be read.  NULL is allowed. */
void store_close(struct store *store);
