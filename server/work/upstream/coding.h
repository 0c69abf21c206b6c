/*
 * Content codings (RFC 9110, 8.4.1) that zlib can undo: gzip and deflate.  The bytes are decoded as they come, and need the
 * same memory however many they become.  Any thread.
 */
#pragma once

#include "common/blob.h"

struct coding;

/* Returns a decoder for the value of a Content-Encoding field, NULL if it is not one coding that can be undone. */
struct coding *coding_new(const char *name, size_t len);
void coding_free(struct coding *coding); /* NULL is allowed */

/* Decodes a piece into sink.  -EBADMSG if it is broken, else as blob_sink_write. */
__attribute__((warn_unused_result)) int coding_write(
	struct coding *coding, const char *data, size_t len, struct blob_sink *sink);

/* Whether the coded bytes were complete. */
bool coding_is_complete(const struct coding *coding);
