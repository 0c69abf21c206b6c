/* Files that a configuration names: absolute paths, checks, and reading. */
#pragma once

#include "config/settings/settings.h"

#include <stddef.h>

struct json_object;

/* The largest configuration or schema. */
#define CONFIG_FILE_MAX_BYTES (16 * 1024 * 1024)

/* Returns the absolute directory of file (malloc'ed), or NULL if it does not exist. */
char *config_directory_of(const char *file);

/* Reads a whole file.  Returns 0, -EFBIG if it is larger than CONFIG_FILE_MAX_BYTES, or another -errno. */
__attribute__((warn_unused_result)) int config_read_file(const char *path, struct text *ret_text);

/*
 * Values of convert (settings.h).  Each makes the name absolute, relative to the configuration's directory, and
 * checks it: a path may name anything or nothing; a file must be regular and readable; a directory must be one
 * that can be entered; a program must have a slash in its name and be a regular, executable file.
 */
char *config_convert_path(struct settings *settings, const char *name);
char *config_convert_file(struct settings *settings, const char *name);
char *config_convert_directory(struct settings *settings, const char *name);
char *config_convert_program(struct settings *settings, const char *name);

/* A user that the server can run programs as. */
char *config_convert_user(struct settings *settings, const char *name);

/* Returns the schema in value, or in the file that value names: an object or a boolean (the caller's).  Reports a
 * mistake and returns NULL if there is none. */
struct json_object *config_read_schema(struct settings *settings, struct json_object *value);
