/* Identifies the file at a database's path before it is opened. */
#pragma once

#include <stdbool.h>

/*
 * Reads the header without changing the file.  *ret_exists says whether there is a database of deferd.
 * -EINVAL if the file is something else, or if it is missing or empty although its write-ahead log exists;
 * -errno; *ret_why then explains (malloc'ed).
 */
__attribute__((warn_unused_result)) int header_look(const char *path, bool *ret_exists, char **ret_why);
