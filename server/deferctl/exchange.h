/*
 * Exchanges: one request and its answer, over libcurl.  What a server sends is bounded: 256 KiB of header, and of a body
 * that is kept in memory 4 MiB; a result goes to its output as it comes.  Redirects are not followed here.
 */
#pragma once

#include "common/http/fields.h"
#include "common/text.h"
#include "deferctl/options.h"
#include "deferctl/output.h"

#include <curl/curl.h>
#include <stdint.h>

/* What all exchanges of a run share. */
struct session {
	CURL *curl;
	const struct options *options;
	char *url; /* what the user has named: its origin alone is sent credentials */
	struct output output;
	CURLcode last; /* why the last exchange failed */
	char error[CURL_ERROR_SIZE];
};

enum exchange_body {
	EXCHANGE_KEEP,	 /* in memory */
	EXCHANGE_STREAM, /* to the output */
	EXCHANGE_EITHER, /* in memory while it is at most 64 KiB, else to the output */
};

struct exchange {
	const char *method, *url;
	const char *data; /* as of -d: @FILE or the bytes; NULL: no body */
	bool is_call; /* has all fields of -H; another has not those that are about a call's body or conditions */
	struct fields send; /* beside those of the options */
	long stall_s;	    /* how long nothing may come; 0: any time */
	enum exchange_body (*sort)(const struct exchange *exchange); /* by status and fields; NULL: kept */

	long status;
	struct fields fields;
	struct text body;	/* what was kept */
	bool is_streamed;	/* the body went to the output */
	int64_t retry_after_ms; /* -1: none */

	struct session *session;
	bool is_sorted;
	enum exchange_body where;
	size_t header_bytes;
	int error; /* of the output, negative */
};

/* Takes url.  The options must outlive the session. */
void session_init(struct session *session, const struct options *options, char *url);
void session_fini(struct session *session);

/* Runs it: 0 with what was answered, or the exit status of the failure (libcurl's numbers), nothing told. */
int exchange_run(struct session *session, struct exchange *exchange);

/* Whether the last failure may pass: the same may be sent again. */
bool exchange_may_pass(int code);

/* Tells on standard error why an exchange failed. */
void exchange_complain(const struct session *session, int code);

void exchange_fini(struct exchange *exchange);
