/*
 * The configuration: deferd.json as a struct.  The reader reports all mistakes at once.  The tables of settings
 * in this folder define name, type, default and meaning of each setting.  Loop thread.
 */
#pragma once

#include "common/text.h"
#include "http/message/site.h"
#include "work/program/program.h"
#include "work/upstream/upstream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;
struct ssl_ctx_st;
struct style;
struct users;

/* One address to listen on. */
struct config_listen {
	char *address;	       /* "127.0.0.1:8580", "[::]:0", "localhost:80", "unix:/run/deferd.sock" */
	char *tls_certificate; /* file; NULL: no TLS */
	char *tls_key;	       /* file; set where tls_certificate is */
	char *tls_client_ca;   /* file; NULL: no client certificates */
	struct ssl_ctx_st
		*tls; /* made from the files (http/tls.h); NULL: no TLS, or not made by config_read */
};

enum config_work { CONFIG_PROGRAM, CONFIG_UPSTREAM, CONFIG_COLLECTION };

struct config_collection {
	char *name; /* "zones"; unique */
	char *parent; /* name of another collection, NULL: none; the path's last parameter is the id of the parent */
	char **unique;	   /* members, ended by NULL; NULL: none */
	char **index;	   /* members, ended by NULL; NULL: none */
	char **envelope;   /* names from the outside in, ended by NULL; NULL: none */
	int delete_status; /* 204 or 200 */
	bool has_on_change;
	enum config_work on_change; /* CONFIG_PROGRAM or CONFIG_UPSTREAM, where has_on_change */
	struct program_config on_change_program;
	struct upstream_config on_change_upstream;
};

/* A route; times in milliseconds, sizes in bytes; unset members have the server's values. */
struct config_route {
	char *path;		   /* "/thumbnails/{size}", without base_path */
	char *base_path;	   /* "/bc/rest", "" if there is none */
	char **methods;		   /* ended by NULL; never empty; GET implies HEAD */
	const struct style *style; /* of the table given to config_read; NULL: synchronous */
	char **query;		   /* names of query parameters for {name}, ended by NULL; NULL: none */
	char **request_types;	   /* media types allowed, ended by NULL; NULL: all */
	char **users;		   /* principals that may call it, ended by NULL; NULL: everybody */
	int64_t queue_timeout_ms;  /* 0: not set, see operations.h */
	int64_t keep_ms;	   /* 0: not set, the style decides */
	int64_t run_timeout_ms, keep_timed_out_ms;
	uint64_t max_body_bytes, max_result_bytes;
	unsigned concurrency; /* 0: as many as the server runs */
	unsigned queue;	      /* CONFIG_NO_LIMIT: as the server's capacity allows */
	bool rerun;
	bool idempotency_required;
	bool has_cors;
	struct http_cors cors;	    /* with has_cors: in place of the server's */
	struct json_object *schema; /* an object or boolean, of the route or the collection; NULL: none */
	bool assert_formats;	    /* format in the schema is an assertion */
	enum config_work work;
	struct program_config program;	     /* of CONFIG_PROGRAM */
	struct upstream_config upstream;     /* of CONFIG_UPSTREAM */
	struct config_collection collection; /* of CONFIG_COLLECTION */
};

#define CONFIG_NO_LIMIT 0xffffffffu

struct config {
	struct config_listen *listen; /* listen_count of them */
	size_t listen_count;
	struct config_listen admin; /* address NULL: none */
	char *public_url;	    /* without a slash at its end; NULL: from the request */
	struct http_site site;	    /* names, and pages of other origins */
	char **trusted_proxies;	    /* networks and "unix", ended by NULL; NULL: none */
	char *state;		    /* path of the database, NULL: "memory" */
	unsigned workers, upstream_concurrency, capacity;
	int64_t queue_timeout_ms, keep_ms; /* 0: not set */
	int64_t run_timeout_ms, keep_timed_out_ms, keep_tombstone_ms, wait_max_ms, validation_wait_ms,
		stop_grace_ms, drain_timeout_ms, header_timeout_ms, idle_timeout_ms;
	uint64_t max_header_bytes, max_body_bytes, max_result_bytes, max_retained_bytes;
	unsigned max_header_fields, max_connections_per_address;
	int log_level; /* enum log_level */
	bool has_auth;
	char *auth_basic, *auth_bearer; /* files; NULL: none */
	char **auth_admins;		/* ended by NULL; NULL: none */
	struct users
		*users; /* read from the files (http/users.h); NULL: no auth, or not made by config_read */
	struct config_route *routes;
	size_t route_count;
};

/*
 * Reads the configuration in file.  styles are those that a route may have, ended by NULL; they outlive the
 * configuration.  Returns 0 and *ret_config (the caller's), or -EINVAL and all mistakes in
 * ret_mistakes, one per line, each line ended by a newline: "FILE:LINE:COLUMN: ..." for a JSON syntax error (at
 * most one), "/routes/2/queue_timeout: \"30x\" is not a time" otherwise.  File names in the configuration are
 * relative to its directory.
 */
__attribute__((warn_unused_result)) int config_read(const char *file, const struct style *const *styles,
	struct config **ret_config, struct text *ret_mistakes);

/* Adds the warnings of a configuration without mistakes, one per line with its JSON Pointer: settings that are legal
 * and unwise.  Reads the file again. */
void config_read_warnings(const char *file, const struct style *const *styles, struct text *ret_warnings);

void config_free(struct config *config); /* NULL is allowed */

/*
 * Adds all settings as plain text, three lines each: the name ("routes[].program.argv"), then, indented, its
 * type and default, and its meaning.
 */
void config_describe(const struct style *const *styles, struct text *ret_text);
