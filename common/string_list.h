/* A list of strings as execve(2) wants it: an array ended by NULL. */
#pragma once

#include <stddef.h>

/* All zero is the empty list; items is NULL until something was added. */
struct string_list {
	char **items; /* count of them, then NULL */
	size_t count;
	size_t size; /* pointers that items has room for */
};

/* Adds string and takes it. */
void string_list_take(struct string_list *list, char *string);

/* Copies the strings of an array that is ended by NULL; NULL is an empty one. */
void string_list_copy(struct string_list *list, char *const *from);

void string_list_fini(struct string_list *list);

/* Returns a copy of an array that is ended by NULL, for string_list_free.  NULL is an empty one. */
char **string_list_dup(char *const *from);
void string_list_free(char **items); /* NULL is allowed */
