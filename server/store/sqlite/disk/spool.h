/*
 * The spool: the directory of bodies and results that are too large for a row.  A file is created under its
 * own name and keeps it; it is permanent once a row names it.  Files that no row names are left over from a
 * crash and are removed at start.
 */
#pragma once

#include "common/blob.h"

#include <stdint.h>

struct spool;

/* The role of a file in its operation. */
enum spool_kind { SPOOL_BODY, SPOOL_RESULT, SPOOL_KIND_COUNT };

/* Opens the directory at path, or creates it.  -errno; *ret_why then explains (malloc'ed). */
__attribute__((warn_unused_result)) int spool_open(
	const char *path, struct spool **ret_spool, char **ret_why);

/* The same for a directory that is already open; takes ownership of dir_fd. */
struct spool *spool_new(int dir_fd);

/* Files that rows name stay on disk.  NULL is allowed. */
void spool_close(struct spool *spool);

int spool_fd(const struct spool *spool);

/* 1 if the directory is empty, 0 if not, -errno. */
__attribute__((warn_unused_result)) int spool_is_empty(struct spool *spool);

/*
 * Puts blob on disk if it belongs in a file.  *ret_file is then the blob of that file (a reference for the
 * caller), which is deleted with its last reference until it is kept; NULL if the blob belongs in the row.
 * The file is durable once spool_sync has returned 0 too.  -EIO with spool_is_broken if a sync failed,
 * -ENOENT if the file is gone or was cut short, -errno.
 */
__attribute__((warn_unused_result)) int spool_settle(
	struct spool *spool, struct blob *blob, struct blob **ret_file);

/* Makes the names of settled files durable.  -EIO with spool_is_broken if that fails. */
__attribute__((warn_unused_result)) int spool_sync(struct spool *spool);

/* Whether a sync has failed: then the state of the disk is unknown. */
bool spool_is_broken(const struct spool *spool);

/* Keeps a settled file, because a row now names it as that operation's. */
void spool_keep(struct spool *spool, uint64_t sequence, enum spool_kind kind, struct blob *file);

/* Stops keeping the file, because no row names it any more: it is deleted with its last reference.  Does
 * nothing if there is none. */
void spool_drop(struct spool *spool, uint64_t sequence, enum spool_kind kind);

/* At start: finds the file that a row names, and keeps it; *ret_file is lent.  -ENOENT if it does not exist;
 * -EINVAL if its length differs, the name is not that of a file in the spool, or another row has it. */
__attribute__((warn_unused_result)) int spool_adopt(struct spool *spool, uint64_t sequence,
	enum spool_kind kind, const char *name, uint64_t len, struct blob **ret_file);

/* Removes every file that is not kept.  -errno. */
__attribute__((warn_unused_result)) int spool_sweep(struct spool *spool);
