/* The writer: the one thread that makes writes durable, in groups, and decides what happens when the disk
 * refuses. */
#pragma once

#include "store/writer/write.h"

struct writer;

/*
 * Where a writer writes to: a backend fills it in.  Every function is called on the writer's thread, with the
 * target of struct writer_config.
 */
struct writer_ops {
	/* Makes all writes of the list (struct store_write) durable, and sets error of each to the result for
	 * its completion: 0, -ENOENT if there is no such operation, a refusal of its change (resources.h), or
	 * -EIO if the file of its body or result is gone.  Or returns -errno, and nothing has changed. */
	int (*write)(void *target, struct list *writes);

	/* Called after each group, while others may wait: upkeep that must not fail silently.  -errno. */
	int (*tidy)(void *target);

	/* Whether deleted resources have left dependents that must still be removed; removes some of them.
	 * -errno, and nothing has changed. */
	bool (*is_removing)(void *target);
	int (*remove_some)(void *target);

	/* Tries whether an operation of usual size can be written, and leaves nothing behind.  -errno. */
	int (*probe)(void *target);

	/* NULL while writing is safe.  Otherwise the state of the disk is unknown, nothing may be written any
	 * more, and this is the reason, for the log. */
	const char *(*why_broken)(void *target);
};

struct writer_config {
	struct mailbox *mailbox;
	void (*on_health)(void *arg, bool healthy, const char *why); /* see store_config; may be NULL */
	void *arg;
	unsigned pause_ms; /* between two tries while the disk refuses */

	const struct writer_ops *ops;
	void *target; /* used by the thread alone until writer_stop has returned */
};

/* Starts the thread.  -errno. */
__attribute__((warn_unused_result)) int writer_start(
	const struct writer_config *config, struct writer **ret_writer);

/* Takes ownership of write and hands it to the thread at the end of the current turn of the loop.  Loop
 * thread. */
void writer_post(struct writer *writer, struct store_write *write);

/* Whether accepts are possible at the moment.  Any thread. */
bool writer_is_healthy(const struct writer *writer);

/* Any thread. */
void writer_get_stats(struct writer *writer, struct store_stats *ret_stats);

/* Writes everything that was handed over, retries once what was refused, and completes the rest with
 * -ECANCELED; then ends the thread and frees the writer. */
void writer_stop(struct writer *writer);
