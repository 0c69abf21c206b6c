/*
 * libcurl's easy handles, each set up for one peer.  All share the cache of names and TLS sessions.
 */
#pragma once

#include "common/list.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

/* The server that transfers go to, and the settings of all of them. */
struct transfer_peer {
	uint64_t number;	    /* unique, from transfer_peer_number() */
	const char *origin;	    /* "http://127.0.0.1:9000" */
	const char *ca_file;	    /* NULL: the system's certificates */
	int64_t connect_timeout_ms; /* these three: 0 is no limit */
	int64_t timeout_ms;
	int64_t stall_timeout_ms;
};

/* Returns a number that no peer has had yet; never 0.  Any thread. */
uint64_t transfer_peer_number(void);

struct transfer_handle {
	CURL *easy;
	CURLU *url;		      /* the peer's origin, parsed */
	struct list link;	      /* the user's */
	void *user;		      /* the user's */
	uint64_t peer;		      /* its number; 0: none yet */
	bool has_callbacks;	      /* the user has set callbacks; false again after a change of peer */
	char method[16];	      /* of its last request, if that had no body; else "" */
	bool may_repeat;	      /* as of its last request: decides how old a reused connection may be */
	char reason[CURL_ERROR_SIZE]; /* libcurl's error message */
};

/* Call it before any other function of libcurl.  Any thread. */
void transfer_handle_init_library(void);

/* NULL if libcurl cannot make one. */
struct transfer_handle *transfer_handle_new(void);
void transfer_handle_free(struct transfer_handle *handle);

/* Returns the handle that owns easy. */
struct transfer_handle *transfer_handle_of(CURL *easy);

/* Sets the handle up for peer.  False if it already was; true if it was reset: all options but the peer's then
 * have libcurl's defaults. */
bool transfer_handle_set_peer(struct transfer_handle *handle, const struct transfer_peer *peer);
