/* JSON Pointers. */
#include "common/json/pointer.h"

void
json_pointer_add(struct text *pointer, const char *token)
{
	text_add_char(pointer, '/');
	for (; *token; token++) {
		if (*token == '~')
			text_add_string(pointer, "~0");
		else if (*token == '/')
			text_add_string(pointer, "~1");
		else
			text_add_char(pointer, *token);
	}
}

size_t
json_pointer_enter(struct text *pointer, const char *name)
{
	size_t mark = pointer->len;

	json_pointer_add(pointer, name);
	return mark;
}

size_t
json_pointer_enter_index(struct text *pointer, size_t index)
{
	size_t mark = pointer->len;

	text_addf(pointer, "/%zu", index);
	return mark;
}

void
json_pointer_leave(struct text *pointer, size_t mark)
{
	pointer->len = mark;
	if (pointer->data)
		pointer->data[mark] = '\0';
}
