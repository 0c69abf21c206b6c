/*
 * The scratch directory: holds large bodies and results of a store that keeps nothing.  It belongs to this
 * server alone and is removed at the end; the next server removes what a killed one has left.
 */
#pragma once

struct scratch;

/* The place for temporary files: TMPDIR if it is an absolute path, else /var/tmp if it is writable, else
 * /tmp. */
const char *scratch_place(void);

/* Makes the directory in place, and removes such directories there that no server uses any more.  -errno;
 * *ret_why then explains (malloc'ed). */
__attribute__((warn_unused_result)) int scratch_open(
	const char *place, struct scratch **ret_scratch, char **ret_why);

/* The directory for blob_sink_init; -1 if scratch is NULL. */
int scratch_fd(const struct scratch *scratch);

/* Removes the directory and its files; blobs in it can no longer be read.  NULL is allowed. */
void scratch_close(struct scratch *scratch);
