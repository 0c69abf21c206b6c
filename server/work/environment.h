/* The environment of a program: RFC 3875's meta-variables and ours, nothing of the server's own. */
#pragma once

#include "work/string_list.h"
#include "work/work.h"

/*
 * Adds what a program gets for input: the operation's id and the progress descriptor first (no later entry
 * changes these two), then PATH and LANG, the meta-variables, the header fields as HTTP_*, and own
 * ("NAME=value", ended by NULL; NULL: none), whose entries replace what stands before them.
 */
void environment_build(const struct work_input *input, char *const *own, struct string_list *ret_list);
