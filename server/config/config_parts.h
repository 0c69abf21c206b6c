/* What the parts of the configuration's reader share; nobody else includes it. */
#pragma once

#include "config/config.h"
#include "config/settings.h"

struct json_object;

#define CONFIG_ROUTES_MAX 10000
#define CONFIG_LISTEN_MAX 64

/* Longest times, in milliseconds. */
#define CONFIG_HOUR_MS UINT64_C(3600000)
#define CONFIG_DAY_MS (24 * CONFIG_HOUR_MS)

/* Largest sizes. */
#define CONFIG_BODY_MAX_BYTES (UINT64_C(16) << 30)
#define CONFIG_RESULT_MAX_BYTES (UINT64_C(64) << 30)
#define CONFIG_RETAINED_MAX_BYTES (UINT64_C(1) << 50)

/* Members of the whole (the owner is a struct config), of a route, and of the work in it. */
extern const struct setting_table config_table;
extern const struct setting_table config_listen_table;
extern const struct setting_table config_route_table;
extern const struct setting_table config_collection_table; /* the owner is the route */
extern const struct setting_table config_program_table;
extern const struct setting_table config_upstream_table;

/* Begins the reading of a configuration.  directory is NULL if that of the file cannot be found. */
void config_begin(struct settings *settings, const char *file);
void config_end(struct settings *settings);

/*
 * Reads a text: the configuration (the caller's), however many mistakes were told, and its JSON (the
 * caller's), for the places of what it holds.  NULL if it is no JSON.
 */
struct config *config_load(
	struct settings *settings, const char *data, size_t len, struct json_object **ret_root);

/* SETTING_OWN: an address or an object with one (the owner is a struct config_listen), and one of them or a
 * list (a struct config). */
void config_read_address(struct settings *settings, struct json_object *value, void *listen);
void config_free_address(void *listen);
void config_read_listen(struct settings *settings, struct json_object *value, void *config);
void config_free_listen(void *config);

/* SETTING_OWN of a route and of its collection: both are the route's schema, so that there may be one
 * alone. */
void config_read_route_schema(struct settings *settings, struct json_object *value, void *route);
void config_free_route_schema(void *route);

/* Tells what is wrong with the schema, which stands in the route or in its collection. */
void config_check_schema(struct settings *settings, const struct config_route *route, bool is_of_route);

/* Tells what a collection makes wrong of its route's path and methods. */
void config_check_collection(struct settings *settings, const struct config_route *route);

/* Tells {name}s in the arguments of a program (the pointer is at it) that are not known (ended by NULL). */
void config_check_names(
	struct settings *settings, const struct program_config *program, const char *const *known);

/* Tells what only the whole can tell: addresses, users, collections (config_check.c). */
void config_check(struct settings *settings, struct json_object *root, const struct config *config);

/* Tells which routes take the same calls as another, or those of the monitors (config_paths.c). */
void config_check_paths(struct settings *settings, const struct config *config);

/* Reads what the files of auth and TLS hold, and tells what is wrong with it (config_secrets.c). */
void config_read_secrets(struct settings *settings, struct json_object *root, struct config *config);

/* Moves the pointer to a member of a route: "/routes/2/path". */
size_t config_enter_route(struct settings *settings, size_t index, const char *member);

/*
 * Moves the pointer to an address: "/listen", "/listen/1", "/admin/listen".  index counts config->listen;
 * the one after them is admin's.  *ret_value is the JSON there (lent): a string, or an object that has the
 * address as a member.
 */
size_t config_enter_listen(struct settings *settings, struct json_object *root, const struct config *config,
	size_t index, struct json_object **ret_value);
