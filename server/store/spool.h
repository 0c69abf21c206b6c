/*
 * The spool: the directory of the bodies and results that are too large for a row.  A file is made under a
 * name of its own and keeps it; what makes it last is a row that names it.  Files that no row names are left
 * over from a crash and are removed at start.
 */
#pragma once

#include "common/blob.h"

#include <stdint.h>

struct spool;

/* What a file is to its operation. */
enum spool_kind { SPOOL_BODY, SPOOL_RESULT, SPOOL_KIND_COUNT };

/* Opens the directory at path, or makes it.  -errno; *ret_why then says so (malloc'ed). */
__attribute__((warn_unused_result)) int spool_open(
	const char *path, struct spool **ret_spool, char **ret_why);

/* The same of a directory that is open already; takes dir_fd. */
struct spool *spool_new(int dir_fd);

/* The files that rows name stay.  NULL is allowed. */
void spool_close(struct spool *spool);

int spool_fd(const struct spool *spool);

/* 1 if nothing is in it, 0 if something is, -errno. */
__attribute__((warn_unused_result)) int spool_is_empty(struct spool *spool);

/*
 * Puts blob on disk, if it is one that belongs in a file: *ret_file is then the blob of that file (the
 * caller's reference), which goes with its last reference until it is kept; NULL if it belongs in the
 * row.  It lasts once spool_sync has returned 0 as well. -EIO with spool_is_broken where a sync failed,
 * -ENOENT if the file is gone or was cut off, -errno.
 */
__attribute__((warn_unused_result)) int spool_settle(
	struct spool *spool, struct blob *blob, struct blob **ret_file);

/* Makes the names of what was settled last. */
__attribute__((warn_unused_result)) int spool_sync(struct spool *spool);

/* Whether a sync has failed: what is on disk is not known any more. */
bool spool_is_broken(const struct spool *spool);

/* Says that a row names the settled file as that operation's. */
void spool_keep(struct spool *spool, uint64_t sequence, enum spool_kind kind, struct blob *file);

/* Says that the row is no more: the file goes once nobody reads it any more.  Does nothing where there is
 * none. */
void spool_drop(struct spool *spool, uint64_t sequence, enum spool_kind kind);

/* Finds at start the file that a row names, and keeps it: *ret_file is lent.  -ENOENT if it is not there,
 * -EINVAL if its length is another, the name is none of a file in the spool, or another row has it. */
__attribute__((warn_unused_result)) int spool_adopt(struct spool *spool, uint64_t sequence,
	enum spool_kind kind, const char *name, uint64_t len, struct blob **ret_file);

/* Removes every file that is not kept.  -errno. */
__attribute__((warn_unused_result)) int spool_sweep(struct spool *spool);
