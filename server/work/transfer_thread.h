/*
 * What a thread keeps for its transfers: a libcurl handle and the connections it has made.  Names that were looked up and TLS sessions are
 * shared by all threads.
 */
#pragma once

#include <curl/curl.h>

struct transfer_thread {
	CURLM *multi;  /* has the connections */
	CURL *easy;    /* not in multi between transfers; set up for what all transfers have in common */
	char *ca_file; /* that easy is set up for; NULL: the system's */
	char reason[CURL_ERROR_SIZE]; /* libcurl's own words on what went wrong */
};

/* The calling thread's, made when first asked for, gone with the thread; NULL if libcurl cannot make it.  Trusts the certificates in
 * ca_file (NULL: the system's). */
struct transfer_thread *transfer_thread_get(const char *ca_file);
