/*
 * Blobs: immutable bytes with counted references, so that a body or a result is not copied from owner to owner.
 * A blob lies in memory, or, if it is large, in a file of a directory (the spool).  Any thread may hold
 * references.
 */
#pragma once

#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct blob;

#define BLOB_NAME_SIZE 64

/* Copies len bytes; never NULL. */
struct blob *blob_new(const void *data, size_t len);

/* Takes text's memory and leaves it empty; never NULL. */
struct blob *blob_take_text(struct text *text);

/* A blob of a file called name in the directory dir_fd, which must outlive it.  While a blob is temporary its
 * file is unlinked with the last reference. */
struct blob *blob_new_file(int dir_fd, const char *name, uint64_t len, bool temporary);

struct blob *blob_ref(struct blob *blob); /* NULL gives NULL */
void blob_unref(struct blob *blob);	  /* NULL is allowed */

uint64_t blob_len(const struct blob *blob); /* of NULL: 0 */

/* The bytes, NULL if they are in a file.  An empty blob in memory has a pointer that is not NULL. */
const char *blob_data(const struct blob *blob);

/* Whether the blob lies in a file.  If so: the file's name in the spool, and a new descriptor to read it (the
 * caller's) or -errno. */
bool blob_is_file(const struct blob *blob);
const char *blob_name(const struct blob *blob);
__attribute__((warn_unused_result)) int blob_open(const struct blob *blob);

/* Keeps the file when the last reference goes: a row of the store names it now, under final_name.  For the store
 * only, on its own thread; readers that have opened the file are not disturbed. */
void blob_keep(struct blob *blob, const char *final_name);

/* Undoes blob_keep: the file is unlinked with the last reference. */
void blob_drop_file(struct blob *blob);

/* Of a blob in a file: keeps with it what was found out about its bytes (0: nothing yet), and a blob that was made of
 * them (taken; NULL: none).  The loop thread alone uses both. */
void blob_set_finding(struct blob *blob, uint8_t finding, struct blob *made);
uint8_t blob_finding(const struct blob *blob);
struct blob *blob_made(const struct blob *blob); /* lent */

/* Returns a copy (malloc'ed) with a NUL behind, and its length, which is shorter if the file cannot be read to
 * its end.  Any thread. */
char *blob_dup(const struct blob *blob, size_t *ret_len);

/* Reads up to len bytes from offset into buffer: the number read, 0 at the end, or -errno.  Any thread. */
__attribute__((warn_unused_result)) ssize_t blob_read(
	const struct blob *blob, uint64_t offset, void *buffer, size_t len);

/*
 * A sink makes a blob from bytes that come piece by piece.  Up to BLOB_SPILL_BYTES they stay in memory; beyond
 * that they go to a temporary file of the spool, if there is one.
 */
#define BLOB_SPILL_BYTES (64 * 1024)

struct blob_sink {
	struct text memory;
	int dir_fd;	    /* the spool, -1: everything stays in memory */
	int fd;		    /* the temporary file, -1 while in memory */
	uint64_t len;	    /* bytes written so far */
	uint64_t max_bytes; /* beyond it: -EFBIG */
	char name[BLOB_NAME_SIZE];
};

void blob_sink_init(struct blob_sink *sink, int dir_fd, uint64_t max_bytes);

/* -EFBIG beyond the limit, -errno of the disk.  Nothing of data is then taken, and the same may be tried again. */
__attribute__((warn_unused_result)) int blob_sink_write(struct blob_sink *sink, const void *data, size_t len);

/* Gives the blob to the caller; the sink is then empty and needs no fini. */
__attribute__((warn_unused_result)) int blob_sink_finish(struct blob_sink *sink, struct blob **ret_blob);

/* Drops what was written. */
void blob_sink_fini(struct blob_sink *sink);
