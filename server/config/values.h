/*
 * Checks of string settings: URLs, patterns, names, media types.  The functions config_convert_... are
 * values of convert (settings.h): each returns the string to keep (malloc'ed), or reports a mistake and returns
 * NULL.
 */
#pragma once

#include "config/settings/settings.h"

/* Methods that routes may have, ended by NULL. */
extern const char *const config_methods[];

/* http or https, with a host, without user, query and fragment; trailing slashes are removed. */
char *config_convert_url(struct settings *settings, const char *url);

/* A path pattern (pattern.h), and a literal one without a slash at its end, or "". */
char *config_convert_pattern(struct settings *settings, const char *pattern);
char *config_convert_base_path(struct settings *settings, const char *path);

char *config_convert_method(struct settings *settings, const char *method);

/* A query parameter that {name} may refer to. */
char *config_convert_query_name(struct settings *settings, const char *name);

/* Name of a collection: a letter, then letters, digits, '_' and '-'. */
char *config_convert_collection_name(struct settings *settings, const char *name);

/* A media type with or without parameters ("image/png; q=x"), and a media range without parameters
 * ("image/png", or "image/" and a star). */
char *config_convert_media_type(struct settings *settings, const char *type);
char *config_convert_media_range(struct settings *settings, const char *range);

/* Any text without control characters. */
char *config_convert_plain(struct settings *settings, const char *text);
