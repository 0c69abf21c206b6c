/*
 * Scratch: a directory for large bodies and results of a store that keeps nothing.  It is this server's alone
 * and goes with it; what a server that was killed has left behind is removed by the next one.
 */
#pragma once

struct scratch;

/* Where temporary files go: TMPDIR if that is an absolute path, else /var/tmp if that may be written, else
 * /tmp. */
const char *scratch_place(void);

/* Makes the directory in place, and removes those there that no server has any more.  -errno; *ret_why then
 * says so (malloc'ed). */
__attribute__((warn_unused_result)) int scratch_open(
	const char *place, struct scratch **ret_scratch, char **ret_why);

/* For blob_sink_init; of NULL: -1. */
int scratch_fd(const struct scratch *scratch);

/* Removes it with all that is in it; blobs in it can no longer be read.  NULL is allowed. */
void scratch_close(struct scratch *scratch);
