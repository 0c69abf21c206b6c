/* What tests of the writer stand on: a writer of a disk in a place of its own, and writes for it. */
#pragma once

#include "store_place.h"

#include "store/disk.h"

/* A place, a writer on a disk in it, and what happened there. */
struct writing {
	struct place place;
	struct disk disk;
	struct writer *writer;
	unsigned count; /* completions */

	/* reports */
	unsigned reports;
	bool healthy;
	char why[256];
};

/* For cmocka: a disk that can be made faulty (faulty_vfs.h), and a writer on it, become *state. */
int writing_set_up(void **state);
int writing_tear_down(void **state);

/* Starts the writer, which tries again what was refused after so long. */
void writing_start(struct writing *scene, unsigned pause_ms);

/* Stops the writer; found is what a restart finds on a disk that works again. */
void writing_restart(struct writing *scene, struct found *found);

/* Restarts, and finds operations of those sequences. */
void writing_assert_kept(struct writing *scene, const uint64_t *sequences, size_t count);

/* Posts a write of an operation; outcome NULL: nobody is told of its completion. */
void writing_post(struct writing *scene, enum store_verb verb, const struct store_operation *operation,
	struct outcome *outcome);

/* Likewise, of the operation of that sequence; the last with nothing but what STORE_BEGIN, STORE_PROCESS and
 * STORE_EXPIRE read. */
void writing_accept(struct writing *scene, uint64_t sequence, struct outcome *outcome);
void writing_end(struct writing *scene, uint64_t sequence, struct outcome *outcome);
void writing_bare(struct writing *scene, enum store_verb verb, uint64_t sequence, struct outcome *outcome);

/* Until so many completions, or reports, have come; the last report said that it is healthy, or not. */
void writing_wait_for(struct writing *scene, unsigned count);
void writing_wait_for_reports(struct writing *scene, unsigned reports, bool healthy);
