/*
 * Problems (RFC 9457): every kind of error that a client can get, and the writer of the problem document.  In
 * common, because http, work and operations all end calls with problems.
 */
#pragma once

#include "common/text.h"

struct json_object;

enum problem {
	PROBLEM_NONE,
	/* malformed HTTP: the connection is closed afterwards */
	PROBLEM_BAD_REQUEST,
	PROBLEM_LENGTH_REQUIRED,
	PROBLEM_CONTENT_TOO_LARGE,
	PROBLEM_URI_TOO_LONG,
	PROBLEM_EXPECTATION_FAILED,
	PROBLEM_HEADER_TOO_LARGE,
	PROBLEM_NOT_IMPLEMENTED,
	PROBLEM_VERSION_NOT_SUPPORTED,
	PROBLEM_REQUEST_TIMEOUT,
	/* the request */
	PROBLEM_UNAUTHORIZED,
	PROBLEM_FORBIDDEN,
	PROBLEM_FOREIGN_ORIGIN,
	PROBLEM_MISDIRECTED,
	PROBLEM_NOT_FOUND,
	PROBLEM_METHOD_NOT_ALLOWED,
	PROBLEM_INVALID_PARAMETER,
	PROBLEM_UNSUPPORTED_MEDIA_TYPE,
	PROBLEM_INVALID_JSON,
	PROBLEM_INVALID_BODY,
	PROBLEM_CONFLICT,
	PROBLEM_PRECONDITION_FAILED,
	/* idempotency */
	PROBLEM_KEY_REQUIRED,
	PROBLEM_KEY_INVALID,
	PROBLEM_KEY_REUSED,
	/* load */
	PROBLEM_CAPACITY,
	PROBLEM_QUEUE_FULL,
	PROBLEM_LOGIN_FAILURES,
	PROBLEM_DRAINING,
	PROBLEM_STORAGE,
	/* how an operation ended */
	PROBLEM_QUEUE_TIMEOUT,
	PROBLEM_RUN_TIMEOUT,
	PROBLEM_CANCELLED,
	PROBLEM_INTERRUPTED,
	PROBLEM_EXPIRED,
	PROBLEM_ALREADY_ENDED,
	PROBLEM_NOT_ENDED,
	PROBLEM_RESULT_TOO_LARGE,
	PROBLEM_PROGRAM_FAILED,
	PROBLEM_PROGRAM_UNAVAILABLE,
	PROBLEM_BAD_PROGRAM_RESPONSE,
	PROBLEM_UPSTREAM_UNREACHABLE,
	PROBLEM_UPSTREAM_BROKEN,
	PROBLEM_UPSTREAM_UNTRUSTED,
	PROBLEM_UPSTREAM_TIMEOUT,
	PROBLEM_LOOP,
	PROBLEM_INTERNAL,
	PROBLEM_COUNT,
};

/* Members that the clients of a style expect beside those of RFC 9457. */
enum problem_dialect {
	PROBLEM_PLAIN = 0,
	PROBLEM_WITH_MSG = 1 << 0,  /* "msg": style status */
	PROBLEM_WITH_CODE = 1 << 1, /* "code", "message", "request_id": style resource */
	PROBLEM_WITH_NAME = 1 << 2, /* "error": {"code": the problem's name, "message"}: style azure */
	PROBLEM_WITH_RPC = 1 << 3,  /* "error": {"code", "message", "status"} of google.rpc: style google */
};

/* One occurrence of a problem; all members but the first may be zero. */
struct problem_report {
	enum problem problem;
	int status;		    /* 0: the status of the table */
	const char *detail;	    /* explains this occurrence; NULL: the title is used */
	const char *instance;	    /* a URI reference; NULL: none */
	const char *request_id;	    /* for PROBLEM_WITH_CODE; NULL: none */
	struct json_object *errors; /* an array of {pointer, keyword, message}, lent; NULL: none */
	int operation_status;	    /* for PROBLEM_EXPIRED: status of the final response; 0: omitted */
	unsigned retry_after_s;	    /* for the reply's Retry-After; 0: unknown */
	enum problem_dialect dialect;
};

#define PROBLEM_CONTENT_TYPE "application/problem+json"

/* "queue-timeout": the last part of the type's URI reference, "/problems/queue-timeout". */
const char *problem_name(enum problem problem);
int problem_status(enum problem problem);
const char *problem_title(enum problem problem);

/* Adds the JSON document of a report to ret_text.  Any thread. */
void problem_format(const struct problem_report *report, struct text *ret_text);

/* The name of google.rpc.Code for a status code, "NOT_FOUND" (google/rpc/code.proto). */
const char *problem_rpc_name(int status);

/* Whether a document written by problem_format has that detail; true if detail is NULL. */
bool problem_says(const char *document, size_t len, const char *detail);

/* Returns the name of such a document's problem (malloc'ed), NULL if it is of another type. */
char *problem_dup_name(const char *document, size_t len);

/* Returns what a problem or another JSON error says (malloc'ed): the first text among its members detail, message, error
 * and msg, or in a member message of one of those.  NULL: nothing. */
char *problem_dup_detail(const char *document, size_t len);
