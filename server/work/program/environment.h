/* The environment of a program: RFC 3875's meta-variables and ours, nothing of the server's own. */
#pragma once

#include "common/string_list.h"
#include "work/work.h"

/*
 * Adds the variables of a program for input: first the operation's id and the progress descriptor (which no
 * later entry replaces), then PATH and LANG, the meta-variables, the header fields as HTTP_*, and own
 * ("NAME=value", ended by NULL; NULL: none), whose entries replace earlier ones of the same name.
 */
void environment_build(const struct work_input *input, char *const *own, struct string_list *ret_list);
