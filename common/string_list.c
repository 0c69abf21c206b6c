/* Lists of strings that end with NULL: copied and freed as a whole. */
#include "common/string_list.h"

#include "common/memory.h"

#include <stdlib.h>

void
string_list_take(struct string_list *list, char *string)
{
	if (list->count + 1 >= list->size) {
		size_t size = list->size ? list->size * 2 : 16;
		char **items = reallocarray(list->items, size, sizeof *items);
		if (!items)
			abort();
		list->items = items;
		list->size = size;
	}
	list->items[list->count++] = string;
	list->items[list->count] = NULL;
}

void
string_list_copy(struct string_list *list, char *const *from)
{
	for (; from && *from; from++)
		string_list_take(list, xstrdup(*from));
}

void
string_list_fini(struct string_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct string_list){0};
}

char **
string_list_dup(char *const *from)
{
	struct string_list list = {0};

	string_list_copy(&list, from);
	return list.items ? list.items : xcalloc(1, sizeof *list.items);
}

void
string_list_free(char **items)
{
	for (char **item = items; item && *item; item++)
		free(*item);
	free(items);
}
