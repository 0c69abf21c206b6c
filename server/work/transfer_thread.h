/*
 * What a thread keeps for its transfers: a libcurl handle and the connections it has made.  Names that were looked up and TLS sessions are
 * shared by all threads.
 */
#pragma once

#include <curl/curl.h>

struct transfer_thread {
	CURLM *multi; /* has the connections */
	CURL *easy;   /* not in multi between transfers */
};

/* The calling thread's, made when first asked for, gone with the thread; NULL if libcurl cannot make it. */
struct transfer_thread *transfer_thread_get(void);

/* What easy handles share. */
CURLSH *transfer_thread_share(void);
