/* The head of a request that has come in one piece, read with the help of the guard's note. */
#pragma once

#include "http/guard.h"
#include "http/transport.h"

#include <stddef.h>
#include <stdint.h>

/* Its header fields: NUL-terminated, lent by the text that they were read from. */
struct piece {
	unsigned count;
	struct piece_field {
		const char *name, *value;
	} fields[GUARD_NOTE_FIELDS];
};

/* Bytes of the request up to the end of its last field. */
size_t piece_head_len(const struct guard_note *note);

/*
 * Read the target, or the fields, out of text: the request's first piece_head_len bytes and one byte more.
 * They write NULs there behind each part.  note has had room for all fields.
 */
void piece_read_target(const struct guard_note *note, char *text, struct http_request *request);
void piece_read_fields(const struct guard_note *note, char *text, struct piece *ret_piece);

/* As field and each_field of struct http_transport. */
const char *piece_find(const struct piece *piece, const char *name);
void piece_each(const struct piece *piece, http_each_fn fn, void *arg);
