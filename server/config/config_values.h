/*
 * Strings of a configuration that are more than strings: addresses, URLs, names, media types.  The converts
 * are for settings (see convert in settings.h): what is kept, or NULL once it has been told why the string
 * is a mistake.
 */
#pragma once

#include "config/settings.h"

#include <stdbool.h>

/* Methods that routes may have, ended by NULL. */
extern const char *const config_methods[];

/* "127.0.0.1:8580", "[::1]:8580", "localhost:8580", "unix:PATH"; PATH becomes absolute. */
char *config_convert_address(struct settings *settings, const char *address);

/* Whether an address that was converted can only be reached from this machine: loopback, or a unix socket. */
bool config_address_is_local(const char *address);

/* Whether its port is 0: whichever is free. */
bool config_address_is_any_port(const char *address);

/* http or https, with a host, without user, query and fragment; loses the slashes at its end. */
char *config_convert_url(struct settings *settings, const char *url);

/* A path pattern (pattern.h), and a literal one without a slash at its end, or "". */
char *config_convert_pattern(struct settings *settings, const char *pattern);
char *config_convert_base_path(struct settings *settings, const char *path);

char *config_convert_method(struct settings *settings, const char *method);

/* What {name} may take from the query. */
char *config_convert_query_name(struct settings *settings, const char *name);

/* Name of a collection: a letter, then letters, digits, '_' and '-'. */
char *config_convert_collection_name(struct settings *settings, const char *name);

/* "image/png; q=x": a media type with or without parameters; "image/png", "image/" and a star: a range of
 * them without. */
char *config_convert_media_type(struct settings *settings, const char *type);
char *config_convert_media_range(struct settings *settings, const char *range);

/* Any text without control characters. */
char *config_convert_plain(struct settings *settings, const char *text);
