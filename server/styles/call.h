/* A call of a route on its way to its answer, as the files that carry it there share it. */
#pragma once

#include "common/loop/pool.h"
#include "operations/idempotency.h"
#include "store/resources.h"
#include "styles/async_param.h"
#include "styles/intake.h"
#include "styles/preference.h"
#include "styles/private.h"

struct judging;

struct call {
	struct http_request *request; /* NULL: the client has left, and something is still busy; or is_late */
	struct style_route *route;    /* a reference */
	struct preferences preferences;
	const struct style *style; /* NULL: synchronous */
	const struct style *also;  /* asked for too: its fields join the 202; NULL: none */
	bool asks_prefer;	   /* Prefer: respond-async was honoured */
	bool defers;		   /* Prefer: wait=0: the body is judged after the 202 */
	bool unjudged;		   /* it is submitted before its body was judged */
	bool is_late;		   /* it was answered: only its body is still to be judged, for op */
	int64_t wait_ms;	   /* hold the 202 this long for the end; 0: do not */
	char *query;		   /* without async; NULL: there is none */
	struct blob *body;	   /* a reference; NULL: there is none */
	struct work_input *input;  /* until it is submitted */
	struct op_key *key;	   /* likewise */
	struct op *op;		   /* once submitted, until answered; is_late: NULL once it has ended */
	struct op_acceptor acceptor;
	struct op_watcher watcher;
	struct timer timer; /* the client's patience */

	/* the body, where it is looked into */
	struct intake intake;
	struct judging *judging; /* on a thread; NULL: it is not */
	void (*judged)(struct call *call);
	struct timer judge_timer;   /* how long the 202 waits for that */
	struct work_result verdict; /* the final response, where it is known before the call is submitted;
				       status 0: it is not */

	/* of a collection */
	enum store_action action;
	struct id id;
	struct id parent;
	char *url;		     /* of the resource */
	struct store_change *change; /* until it is submitted as an operation */
	struct store_read read;	     /* what a patch is merged into */
	struct store_judgement judgement;
	void (*passed)(struct call *call); /* once the judgement has found nothing */
	enum op_refusal refusal;	   /* with it: what is told then */
	struct collection_page *page;	   /* what is listed; NULL: nothing is */
	bool has_if_match;
	uint64_t expected[STORE_EXPECTED_MAX];
	unsigned expected_count; /* of If-Match; with has_if_match, 0: nothing can match */
	bool is_any;		 /* If-Match: * */

	bool busy; /* the store has a part of it: it must stay */
};

void call_free(struct call *call);

/* Takes the request out of the call, which is freed: what follows is its answer. */
struct http_request *call_end(struct call *call);

/* Answers with a problem; fields may be NULL. */
void call_refuse(
	struct call *call, enum problem problem, int status, const char *detail, struct fields *fields);

/* Answers with the verdict of the intake. */
void call_refuse_body(struct call *call);

/* Whether something that was busy has come back too late: then the call is freed. */
bool call_is_gone(struct call *call);

/* Whether the method changes nothing. */
bool call_is_safe(const struct http_request *request);
