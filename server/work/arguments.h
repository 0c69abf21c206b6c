/* The arguments of a program: templates with {name} (a brace, [A-Za-z_][A-Za-z0-9_]*, a brace), filled from a
 * call's parameters. */
#pragma once

#include "work/string_list.h"
#include "work/work.h"

#include <stddef.h>

/* Where the brace of the next {name} in text stands, NULL if there is none; every other brace is literal. */
const char *arguments_find_name(const char *text, size_t *ret_len);

/* Adds the templates to list, the first as it is, the others with the parameters in the place of their names.
 * What becomes empty stays an argument.  -ENOENT if a name has no value: *ret_missing is that name, the
 * caller's, and the list is of no use. */
__attribute__((warn_unused_result)) int arguments_fill(const struct string_list *templates,
	const struct work_input *input, struct string_list *list, char **ret_missing);
