/* The writer: the one thread that makes writes durable, in groups, and what it does when the disk refuses. */
#pragma once

#include "store/disk.h"

struct writer;

struct writer_config {
	struct mailbox *mailbox;
	void (*on_health)(
		void *arg, bool healthy, const char *why); /* see store_config; NULL: nobody wants to know */
	void *arg;
	unsigned pause_ms; /* between two tries while the disk refuses */

	struct disk *disk; /* the thread's own until writer_stop has returned */
};

/* Starts the thread.  -errno. */
__attribute__((warn_unused_result)) int writer_start(
	const struct writer_config *config, struct writer **ret_writer);

/* Takes write, and hands it to the thread once the pass of the loop has ended.  Loop thread. */
void writer_post(struct writer *writer, struct write *write);

/* Whether accepts are taken just now.  Any thread. */
bool writer_is_healthy(const struct writer *writer);

/* Any thread. */
void writer_get_stats(struct writer *writer, struct store_stats *ret_stats);

/* Writes what was handed over, tries once more what was refused, completes the rest with -ECANCELED; ends the
 * thread and frees. */
void writer_stop(struct writer *writer);
