/* The head of a request that has come in one piece, read with the help of the guard's note. */
#include "http/piece.h"

#include "http/request.h"

#include <string.h>

size_t
piece_head_len(const struct guard_note *note)
{
	size_t len = note->target + note->target_len;

	for (unsigned i = 0; i < note->field_count; i++) {
		const struct guard_field_note *field = &note->fields[i];
		if (field->name_len > 0 && field->value + field->value_len > len)
			len = field->value + field->value_len;
	}
	return len;
}

/* Ends a part of the text; a CR, a colon or a blank stands behind it. */
static char *
cut(char *text, uint32_t at, uint32_t len)
{
	text[at + len] = '\0';
	return text + at;
}

void
piece_read_target(const struct guard_note *note, char *text, struct http_request *request)
{
	http_request_set_target(request, cut(text, note->target, note->target_len), note->target_len);
}

void
piece_read_fields(const struct guard_note *note, char *text, struct piece *ret_piece)
{
	/* A field without a name is one of trailers. */
	for (ret_piece->count = 0; ret_piece->count < note->field_count; ret_piece->count++) {
		const struct guard_field_note *field = &note->fields[ret_piece->count];
		struct piece_field *read = &ret_piece->fields[ret_piece->count];
		uint32_t len = field->value_len;

		if (field->name_len == 0)
			break;
		while (len > 0 && strchr(" \t", text[field->value + len - 1]))
			len--;
		read->name = cut(text, field->name, field->name_len);
		read->value = cut(text, field->value, len);
	}
}

const char *
piece_find(const struct piece *piece, const char *name)
{
	for (unsigned i = 0; i < piece->count; i++)
		if (strcasecmp(piece->fields[i].name, name) == 0)
			return piece->fields[i].value;
	return NULL;
}

void
piece_each(const struct piece *piece, http_each_fn fn, void *arg)
{
	for (unsigned i = 0; i < piece->count; i++)
		fn(piece->fields[i].name, piece->fields[i].value, arg);
}
