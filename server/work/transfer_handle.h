/*
 * libcurl's easy handles, set up for what all transfers have in common and for one peer.  Names that were
 * looked up and TLS sessions are shared by all of them.
 */
#pragma once

#include "common/list.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

/* The other side of transfers, and what holds for all of them. */
struct transfer_peer {
	uint64_t number;	    /* of transfer_peer_number(): tells it from every other */
	const char *origin;	    /* "http://127.0.0.1:9000" */
	const char *ca_file;	    /* NULL: the system's certificates */
	int64_t connect_timeout_ms; /* these three: 0 is no limit */
	int64_t timeout_ms;
	int64_t stall_timeout_ms;
};

/* A number that no peer has had yet; never 0.  Any thread. */
uint64_t transfer_peer_number(void);

struct transfer_handle {
	CURL *easy;
	CURLU *url;		      /* the peer's origin, parsed */
	struct list link;	      /* the user's */
	void *user;		      /* likewise */
	uint64_t peer;		      /* its number; 0: none yet */
	bool has_callbacks;	      /* the user's; none once it was made one for another peer */
	char method[16];	      /* of its last request, which had no body; "": of none such */
	bool may_repeat;	      /* its last request: how old a connection may be is set for that */
	char reason[CURL_ERROR_SIZE]; /* libcurl's own words on what went wrong */
};

/* To be called before anything else of libcurl is used.  Any thread. */
void transfer_handle_init_library(void);

/* NULL if libcurl cannot make one. */
struct transfer_handle *transfer_handle_new(void);
void transfer_handle_free(struct transfer_handle *handle);

/* The handle that has libcurl's. */
struct transfer_handle *transfer_handle_of(CURL *easy);

/* Makes it one for that peer.  False if it was that already; else every option but those of the peer is as
 * libcurl has it. */
bool transfer_handle_set_peer(struct transfer_handle *handle, const struct transfer_peer *peer);
