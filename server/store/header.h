/* What the file at a database's path is, before it is opened. */
#pragma once

#include <stdbool.h>

/*
 * Looks at the file without touching it.  *ret_exists says whether there is a database of ours.  -EINVAL when
 * the file is something else, or when it is missing or empty although its write-ahead log is there; -errno;
 * *ret_why then says so (malloc'ed).
 */
__attribute__((warn_unused_result)) int header_look(const char *path, bool *ret_exists, char **ret_why);
