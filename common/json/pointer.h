/* JSON Pointers (RFC 6901), built a step at a time in a text. */
#pragma once

#include "common/text.h"

/* Adds "/" and token with its ~ and / escaped. */
void json_pointer_add(struct text *pointer, const char *token);

/* Adds the step to a member or an element; what they answer brings the pointer back with
 * json_pointer_leave(). */
size_t json_pointer_enter(struct text *pointer, const char *name);
size_t json_pointer_enter_index(struct text *pointer, size_t index);
void json_pointer_leave(struct text *pointer, size_t mark);
