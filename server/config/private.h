/* Private to this folder: tables and checks that its files share. */
#pragma once

#include "config/config.h"
#include "config/settings/settings.h"

struct json_object;
struct machine_limits;

#define CONFIG_ROUTES_MAX 10000
#define CONFIG_LISTEN_MAX 64

/* Longest times, in milliseconds. */
#define CONFIG_HOUR_MS UINT64_C(3600000)
#define CONFIG_DAY_MS (24 * CONFIG_HOUR_MS)

/* Largest sizes.  A header field becomes a variable of a program, and Linux takes 128 KiB for one. */
#define CONFIG_HEADER_MAX_BYTES (UINT64_C(120) << 10)
#define CONFIG_BODY_MAX_BYTES (UINT64_C(16) << 30)
#define CONFIG_RESULT_MAX_BYTES (UINT64_C(64) << 30)
#define CONFIG_RETAINED_MAX_BYTES (UINT64_C(1) << 50)

/* Tables of the whole configuration (the owner is a struct config), of a listener, of a route and of its work. */
extern const struct setting_table config_table;
extern const struct setting_table config_listen_table;

/* The setting cors (site.c), and the conversion of a host name. */
extern const struct setting_table config_cors_table;
char *config_convert_host(struct settings *settings, const char *host);
extern const struct setting_table config_route_table;
extern const struct setting_table config_collection_table; /* the owner is the route */
extern const struct setting_table config_program_table;
extern const struct setting_table config_upstream_table;

/* Begins and ends the reading of a configuration.  settings->directory is NULL if the file's directory does not
 * exist; settings->context is the table of styles. */
void config_begin(struct settings *settings, const char *file, const struct style *const *styles);
void config_end(struct settings *settings);

/*
 * Reads a configuration from a text and checks it.  Returns the configuration (the caller's), complete or with
 * mistakes, and its JSON (the caller's), with which later checks find their places.  Returns NULL if the text is
 * not JSON.
 */
struct config *config_load(
	struct settings *settings, const char *data, size_t len, struct json_object **ret_root);

/* SETTING_OWN: one listener, as an address or an object (the owner is a struct config_listen), and one listener
 * or a list of them (the owner is a struct config). */
void config_read_address(struct settings *settings, struct json_object *value, void *listen);
void config_free_address(void *listen);
void config_read_listen(struct settings *settings, struct json_object *value, void *config);
void config_free_listen(void *config);

/* SETTING_OWN of a route and of its collection: both set the route's schema, so only one of them is allowed. */
void config_read_route_schema(struct settings *settings, struct json_object *value, void *route);
void config_free_route_schema(void *route);

/* Reports mistakes in the schema, which is a member of the route or of its collection. */
void config_check_schema(struct settings *settings, const struct config_route *route, bool is_of_route);

/* Reports a path or methods that a collection cannot have. */
void config_check_collection(struct settings *settings, const struct config_route *route);

/* Reports each {name} in a program's arguments that is not in known (ended by NULL).  The pointer must be at the
 * program. */
void config_check_names(
	struct settings *settings, const struct program_config *program, const char *const *known);

/* Reports mistakes between settings: addresses, users, collections (check.c). */
void config_check(struct settings *settings, struct json_object *root, const struct config *config);

/* Reports routes that match the same calls as another route or as a monitor (paths.c). */
void config_check_paths(struct settings *settings, const struct config *config);

/* Reads the files of auth and TLS, and reports their mistakes (secrets.c). */
void config_read_secrets(struct settings *settings, struct json_object *root, struct config *config);

/* Adds the warnings (advice.c): settings that are legal and unwise. */
void config_advise(struct settings *settings, struct json_object *root, const struct config *config);

/* Those of workers that the machine has no room for. */
void config_advise_workers(
	struct settings *settings, const struct config *config, const struct machine_limits *limits);

/* Moves the pointer to a member of a route: "/routes/2/path".  Returns the mark for mistakes_leave. */
size_t config_enter_route(struct settings *settings, size_t index, const char *member);

/*
 * Moves the pointer to a listener: "/listen", "/listen/1", "/admin/listen".  index counts config->listen; the
 * index after the last is the admin listener.  *ret_value is the JSON there (lent): a string, or an object with
 * the member "address".
 */
size_t config_enter_listen(struct settings *settings, struct json_object *root, const struct config *config,
	size_t index, struct json_object **ret_value);
