/* A call of a route on its way to its answer; what the files call*.c share. */
#pragma once

#include "common/loop/pool.h"
#include "operations/idempotency.h"
#include "store/resources.h"
#include "styles/async_param.h"
#include "styles/intake.h"
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

/* call_head.c: whether the method changes nothing. */
bool call_is_safe(const struct http_request *request);

/* Decides how the call is answered.  The request says; where it is silent, the route does. */
void call_choose_style(struct call *call, enum async_param said);

/* Steps 2 to 5 of the contract's order, as far as they are the route's: what is wrong with the head of a
 * request with a body of that length.  PROBLEM_NONE, or a problem and in *ret_detail a constant sentence. */
enum problem call_judge_head(const struct style_route *route, const struct http_request *request,
	enum async_param said, uint64_t body_len, const char **ret_detail);

/* Adds to the answer of a refused request what the client may do instead: Accept-Encoding (RFC 9110, 15.5.16) where
 * the body's coding was the reason. */
void call_add_remedy(const struct style_route *route, const struct http_request *request,
	enum problem problem, struct fields *fields);

/* call_input.c: makes the input and the key.  False if the call has been answered. */
bool call_prepare(struct call *call);

/* What it was called with. */
const struct work_input *call_input(const struct call *call);

/* call_submit.c: submits the call, with its change if it has one; or joins the operation that had its key. */
void call_submit_or_join(struct call *call);

/* The first operation of its key answers, if there is one and the request is the same: then true. */
bool call_join_same(struct call *call);

/* Submits or joins as it is, with the body still to be judged. */
void call_submit_unjudged(struct call *call);

/* Answers that the server has no room. */
void call_refuse_load(struct call *call, enum op_refusal refusal);

/* call_await.c: waits for op, which may be told to the client, as for one of its own. */
void call_await(struct call *call, struct op *op);

/* Whether something that was busy has come back too late: then the call is freed. */
bool call_is_gone(struct call *call);

/* call_key.c: reads the Idempotency-Key and makes the call's key.  False if the call has been answered. */
bool call_read_key(struct call *call);

/* call_body.c: has the intake judged, on a thread where that takes long; then calls judged.  Where that takes
 * too long for the 202, the call is submitted unjudged instead. */
void call_judge(struct call *call, void (*judged)(struct call *call));
bool call_wants_intake(const struct call *call);

/* The same, but the body is only parsed. */
void call_parse(struct call *call, void (*parsed)(struct call *call));

/* Lets go of what is judged on a thread. */
void call_abandon_judging(struct call *call);

/* call_late.c: an op_judge_fn, its argument is a style_route.  Begins a late call. */
void call_late_begin(void *route, struct op *op);

/* Ends a late call: its body is good, is a change (call->change), or is not good. */
void call_late_pass(struct call *call);
void call_late_attach(struct call *call);
void call_late_fail(struct call *call, const struct problem_report *report);

/* call_change.c: a call of a collection. */
void call_change_begin(struct call *call);
void call_change_refused(struct call *call, int error);

/* call_read.c: a GET or HEAD of a collection that was asked for asynchronously. */
void call_read_begin(struct call *call);

/* Has its change judged, which is about to be refused for another reason: what is wrong with it comes first
 * (contract, 3).  Then passed is called if nothing is. */
void call_judge_change(struct call *call, void (*passed)(struct call *call));
