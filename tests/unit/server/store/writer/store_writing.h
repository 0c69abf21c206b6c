/* For tests of the writer (writer.h): a writer on a disk that can fail, and writes for it. */
#pragma once

#include "tests/unit/server/store/store_place.h"

#include "store/sqlite/group.h"

/* A place, a writer on a disk in it, and the completions and reports so far. */
struct writing {
	struct place place;
	struct disk disk;
	struct writer *writer;
	unsigned count; /* number of completions */

	/* reports */
	unsigned reports;
	bool healthy;
	char why[256];
};

/* For cmocka: *state becomes a writing, on a disk that can be made faulty (faulty_vfs.h). */
int writing_set_up(void **state);
int writing_tear_down(void **state);

/* Starts the writer, which retries after pause_ms. */
void writing_start(struct writing *scene, unsigned pause_ms);

/* Stops the writer, makes the disk work again, and restarts; found is what was durable. */
void writing_restart(struct writing *scene, struct found *found);

/* Asserts that a restart finds operations with those sequences. */
void writing_assert_kept(struct writing *scene, const uint64_t *sequences, size_t count);

/* Posts a write of an operation; outcome NULL: without a completion. */
void writing_post(struct writing *scene, enum store_verb verb, const struct store_operation *operation,
	struct outcome *outcome);

/* The same for the operation with that sequence; writing_bare sets only the members that STORE_BEGIN,
 * STORE_PROCESS and STORE_EXPIRE read. */
void writing_accept(struct writing *scene, uint64_t sequence, struct outcome *outcome);
void writing_end(struct writing *scene, uint64_t sequence, struct outcome *outcome);
void writing_bare(struct writing *scene, enum store_verb verb, uint64_t sequence, struct outcome *outcome);

/* Waits for so many completions, or reports; asserts the health in the last report. */
void writing_wait_for(struct writing *scene, unsigned count);
void writing_wait_for_reports(struct writing *scene, unsigned reports, bool healthy);
