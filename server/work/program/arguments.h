/* The arguments of a program: templates with {name} (a brace, [A-Za-z_][A-Za-z0-9_]*, a brace), filled from a
 * call's parameters. */
#pragma once

#include "common/string_list.h"
#include "work/work.h"

#include <stddef.h>

/* Returns the opening brace of the next {name} in text, NULL: there is none.  Every other brace is literal. */
const char *arguments_find_name(const char *text, size_t *ret_len);

/* Adds the templates to list, the first unchanged, the others with each {name} replaced by its parameter.  An
 * argument that becomes empty is kept.  -ENOENT if a name has no value: *ret_missing is that name (the caller's),
 * and the list is incomplete. */
__attribute__((warn_unused_result)) int arguments_fill(const struct string_list *templates,
	const struct work_input *input, struct string_list *list, char **ret_missing);
