/* Files that a configuration names: made absolute, looked at, and read. */
#pragma once

#include "config/settings.h"

#include <stddef.h>

struct json_object;

/* The largest configuration or schema. */
#define CONFIG_FILE_MAX_BYTES (16 * 1024 * 1024)

/* The absolute directory (malloc'ed) that file lies in, NULL if it cannot be found. */
char *config_directory_of(const char *file);

/* Reads all of a file, of at most CONFIG_FILE_MAX_BYTES: -EFBIG if it is larger, -errno. */
__attribute__((warn_unused_result)) int config_read_file(const char *path, struct text *ret_text);

/*
 * For settings (see convert in settings.h).  Each makes the name absolute, from the configuration's
 * directory.  A path may name anything; a file must be a regular file that can be read; a directory must be
 * one; a program must have a slash in its name, be a regular file and executable.
 */
char *config_convert_path(struct settings *settings, const char *name);
char *config_convert_file(struct settings *settings, const char *name);
char *config_convert_directory(struct settings *settings, const char *name);
char *config_convert_program(struct settings *settings, const char *name);

/* The name of a user that programs can be run as. */
char *config_convert_user(struct settings *settings, const char *name);

/* The schema that value is, or that the file it names holds: an object or a boolean (the caller's).  NULL
 * once it has been told why it is a mistake. */
struct json_object *config_read_schema(struct settings *settings, struct json_object *value);
