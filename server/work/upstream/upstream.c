/* Upstream work: a call is one or more HTTP exchanges with an upstream server. */
#include "work/upstream/upstream.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/id.h"
#include "common/log.h"
#include "transfer/transfer.h"
#include "transfer/transfers.h"
#include "work/upstream/forwarded.h"
#include "work/upstream/request.h"
#include "work/upstream/response.h"
#include "work/upstream/target.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct upstream {
	struct work work; /* first, as in every kind of work */

	/* fixed */
	struct upstream_config config; /* without the strings and lists: those are below */
	struct upstream_target target;
	struct fields own_fields;
	struct trusted_proxies trusted;
	char via[sizeof "deferd-" +
		 16]; /* its name in Via: a call that already has it goes round in a loop */
	char *ca_file, *principal_header;
	struct transfer_peer peer; /* lends from the above */

	/* any thread */
	struct breaker breaker;
	_Atomic uint64_t retries;
};

/* One call, from its beginning to its mail.  Its transfer's thread uses it.  The loop allocates and frees it:
 * memory freed by another thread costs more. */
struct upstream_call {
	struct transfer transfer;
	struct mail mail;
	struct upstream *upstream; /* lent: the run's */
	struct work_run *run;
	struct fields fields; /* of the request to the upstream */
	char *target;	      /* NULL before its first turn */
	bool may_repeat;
	bool is_trial; /* the breaker's */
	int64_t began_ms;
	unsigned tried;	       /* attempts so far */
	bool has_sent;	       /* one of them has sent the request, or a part of it */
	enum transfer_end end; /* of the last one */
	struct upstream_response response;
};

/* By the end of an attempt: the problem that the client gets, and the outcome that the breaker counts. */
static const struct {
	enum problem problem;
	enum breaker_outcome outcome;
	const char *detail;
} ends[] = {
	[TRANSFER_ANSWERED] = {PROBLEM_NONE, BREAKER_SUCCESS, NULL},
	[TRANSFER_CANCELLED] = {PROBLEM_CANCELLED, BREAKER_UNKNOWN, "The call was stopped."},
	[TRANSFER_REFUSED] = {PROBLEM_NONE, BREAKER_SUCCESS, NULL},
	[TRANSFER_UNREACHABLE] = {PROBLEM_UPSTREAM_UNREACHABLE, BREAKER_FAILURE,
		"No connection could be made to the upstream server."},
	[TRANSFER_UNTRUSTED] = {PROBLEM_UPSTREAM_UNTRUSTED, BREAKER_FAILURE,
		"No trusted connection could be made: the upstream server's certificate is not accepted."},
	[TRANSFER_BROKEN] = {PROBLEM_UPSTREAM_BROKEN, BREAKER_FAILURE,
		"The connection was lost before a complete and valid answer arrived."},
	[TRANSFER_TIMED_OUT] = {PROBLEM_UPSTREAM_TIMEOUT, BREAKER_FAILURE,
		"The upstream server did not answer in time."},
	[TRANSFER_FAILED] = {PROBLEM_INTERNAL, BREAKER_UNKNOWN, "The call could not be made."},
};

/* Sets the result of a response that was refused. */
static void
set_refused(const struct upstream_call *call, int error)
{
	struct work_result *result = call->run->result;

	switch (-error) {
	case EFBIG:
		work_result_set_problem(result, PROBLEM_RESULT_TOO_LARGE, 0,
			"The upstream server's answer is longer than %" PRIu64 " bytes.",
			call->run->control->max_result_bytes);
		break;
	case EBADMSG:
		work_result_set_problem(result, PROBLEM_UPSTREAM_BROKEN, 0,
			"The header of the upstream server's answer is malformed or too long.");
		break;
	default:
		log_error("cannot store an upstream's answer", "operation=%s reason=%s",
			LOG_ID(&call->run->input->id), strerrordesc_np(-error));
		work_result_set_problem(
			result, PROBLEM_STORAGE, 0, "The upstream server's answer cannot be stored.");
	}
}

/* The upstream's address and libcurl's message go to the operator's log, not to the client. */
static void
tell_failure(const struct upstream_call *call, const char *reason)
{
	char quoted[256];

	log_warning("upstream call failed", "operation=%s upstream=%s attempt=%u problem=%s reason=%s",
		LOG_ID(&call->run->input->id), call->upstream->target.origin, call->tried,
		problem_name(ends[call->end].problem), log_quote(reason, quoted, sizeof quoted));
}

/* Loop thread. */
static void
on_finished(struct mail *mail)
{
	struct upstream_call *call = container_of(mail, struct upstream_call, mail);
	struct work_run *run = call->run;

	free(call);
	run->mail.deliver(&run->mail);
}

static void
finish(struct upstream_call *call)
{
	struct work_run *run = call->run;

	run->result->never_began = run->result->problem != PROBLEM_NONE && !call->has_sent;
	fields_fini(&call->fields);
	free(call->target);
	if (run->check)
		run->check(run);
	transfer_finish(call->transfer.thread, &call->mail);
}

/* Sets the result of the attempt that has ended, good or bad. */
static void
take_result(struct upstream_call *call, const char *reason)
{
	struct work_result *result = call->run->result;
	int rc = call->response.error;

	if (call->end == TRANSFER_ANSWERED)
		rc = upstream_response_finish(
			&call->response, &call->upstream->target, call->run->input, result);
	if (rc < 0 && call->end != TRANSFER_CANCELLED) {
		set_refused(call, rc);
	} else if (call->end != TRANSFER_ANSWERED) {
		work_result_set_problem(result, ends[call->end].problem, 0, "%s", ends[call->end].detail);
		if (call->end != TRANSFER_CANCELLED)
			tell_failure(call, reason);
	}
	upstream_response_fini(&call->response);
}

/* Whether another attempt might succeed and is safe.  A request that was never sent is always safe. */
static bool
is_worth_another(const struct upstream_call *call)
{
	const struct work_result *result = call->run->result;

	if (call->end == TRANSFER_UNREACHABLE)
		return true;
	return call->may_repeat &&
	       (call->end == TRANSFER_BROKEN ||
		       (call->end == TRANSFER_ANSWERED && (result->status == 503 || result->status == 429)));
}

/* Returns how long to wait before the next attempt, in milliseconds; -1: there is none. */
static int64_t
next_delay_ms(const struct upstream_call *call)
{
	const struct retry_config *retry = &call->upstream->config.retry;

	if (call->tried > retry->times || !is_worth_another(call))
		return -1;
	int64_t asked = retry_after_ms(&call->run->result->fields, clock_wall_ms());
	return retry_delay_ms(retry, call->tried, clock_mono_ms() - call->began_ms, asked);
}

static void
on_end(struct transfer *transfer, enum transfer_end end, const char *reason)
{
	struct upstream_call *call = container_of(transfer, struct upstream_call, transfer);

	call->end = end;
	call->has_sent |= transfer->sends > 0;
	take_result(call, reason);
	bool is_broken = call->run->result->problem == PROBLEM_UPSTREAM_BROKEN;
	breaker_leave(
		&call->upstream->breaker, call->is_trial, is_broken ? BREAKER_FAILURE : ends[end].outcome);
	int64_t delay = next_delay_ms(call);
	if (delay >= 0)
		transfer_rest(transfer, delay);
	else
		finish(call);
}

static bool
may_repeat(const struct upstream *upstream, const struct work_input *input, const char *method)
{
	struct field field;

	return upstream->config.may_repeat || upstream_request_is_idempotent(method) ||
	       (upstream->config.pass_idempotency_key &&
		       fields_find(&input->fields, "Idempotency-Key", &field));
}

static int
take_line(void *response, const char *line, size_t len, bool is_head_request)
{
	return upstream_response_take_line(response, line, len, is_head_request);
}

static int
take_body(void *response, const char *data, size_t len)
{
	return upstream_response_take_body(response, data, len);
}

static const struct transfer_sink response_sink = {.on_line = take_line, .on_body = take_body};

/* Whether the call wants bytes without a coding, as every asynchronous call does.  One that comes all the same is undone:
 * who reads the result may not know it. */
static bool
asks_for_identity(const struct fields *fields)
{
	struct field accepted;

	return fields_find(fields, "Accept-Encoding", &accepted) &&
	       text_equal_nocase(accepted.value, accepted.value_len, "identity");
}

/* Prepares what every attempt sends. */
static void
prepare(struct upstream_call *call)
{
	const struct upstream *upstream = call->upstream;
	const struct work_input *input = call->run->input;
	struct upstream_request_rules rules = {
		.forward_credentials = upstream->config.forward_credentials,
		.pass_idempotency_key = upstream->config.pass_idempotency_key,
		.own = &upstream->own_fields,
		.trusted = &upstream->trusted,
		.via = upstream->via,
		.principal_header = upstream->principal_header,
	};
	const char *method = call->run->method ? call->run->method : input->method;
	struct text target = {0};

	call->began_ms = clock_mono_ms();
	call->may_repeat = may_repeat(upstream, input, method);
	upstream_target_add(&upstream->target, input, &target);
	call->target = text_take(&target);
	upstream_request_fields(&rules, input, &call->fields);
	call->transfer.sink = &response_sink;
	call->transfer.sink_arg = &call->response;
	call->transfer.request = (struct transfer_request){
		.peer = &upstream->peer,
		.target = call->target,
		.method = method,
		.fields = &call->fields,
		.body = input->body,
		.may_repeat = call->may_repeat,
	};
}

static void
attempt(struct upstream_call *call)
{
	const struct work_control *control = call->run->control;

	if (call->tried++ > 0) {
		work_result_fini(call->run->result);
		atomic_fetch_add(&call->upstream->retries, 1);
	}
	upstream_response_init(&call->response, control->spool_fd, control->max_result_bytes,
		asks_for_identity(&call->fields));
	transfer_start(&call->transfer);
}

static void
on_turn(struct transfer *transfer)
{
	struct upstream_call *call = container_of(transfer, struct upstream_call, transfer);
	struct work_result *result = call->run->result;

	if (!call->target)
		prepare(call);
	if (atomic_load(&call->run->control->stop) != WORK_GOES_ON) {
		work_result_set_problem(
			result, ends[TRANSFER_CANCELLED].problem, 0, "%s", ends[TRANSFER_CANCELLED].detail);
		finish(call);
	} else if (upstream_request_has_passed(&call->run->input->fields, call->upstream->via)) {
		work_result_set_problem(result, PROBLEM_LOOP, 0,
			"The upstream server has sent this call back to its own route.");
		finish(call);
	} else if (!breaker_enter(&call->upstream->breaker, &call->is_trial)) {
		work_result_set_problem(result, PROBLEM_UPSTREAM_UNREACHABLE, 503,
			"The upstream server has failed repeatedly and is not called for a while.");
		result->retry_after_s = breaker_retry_after(&call->upstream->breaker);
		finish(call);
	} else {
		attempt(call);
	}
}

static void
on_stop(void *thread)
{
	transfer_stop(thread);
}

static void
upstream_begin(const struct work *work, struct work_run *run)
{
	struct upstream_call *call = xcalloc(1, sizeof *call);

	call->upstream = (struct upstream *)(uintptr_t)work;
	call->run = run;
	call->mail.deliver = on_finished;
	call->transfer.stop = &run->control->stop;
	call->transfer.on_turn = on_turn;
	call->transfer.on_end = on_end;
	transfers_add(run->transfers, &call->transfer);
	run->control->on_stop = on_stop;
	run->control->stop_arg = call->transfer.thread;
}

static void
upstream_free(struct work *work)
{
	struct upstream *upstream = (struct upstream *)work;

	upstream_target_fini(&upstream->target);
	fields_fini(&upstream->own_fields);
	breaker_fini(&upstream->breaker);
	trusted_proxies_fini(&upstream->trusted);
	free(upstream->principal_header);
	free(upstream->ca_file);
	free(upstream);
}

static const struct work_type upstream_type = {
	.name = "upstream", .begin = upstream_begin, .free = upstream_free};

static int
parse_fields(char *const *lines, struct fields *ret_fields)
{
	int rc = 0;

	for (; rc == 0 && lines && *lines; lines++) {
		const char *colon = strchr(*lines, ':');
		rc = colon ? fields_add_bytes(ret_fields, *lines, (size_t)(colon - *lines), colon + 1,
				     strlen(colon + 1))
			   : -EINVAL;
	}
	return rc;
}

static void
name_for_via(struct upstream *upstream)
{
	uint64_t number;

	random_bytes(&number, sizeof number);
	snprintf(upstream->via, sizeof upstream->via, "deferd-%016" PRIx64, number);
}

int
upstream_new(const struct upstream_config *config, struct work **ret_work)
{
	struct fields own = {0};
	struct trusted_proxies trusted = {0};
	struct upstream_target target;
	int rc = parse_fields(config->headers, &own);

	if (rc == 0)
		rc = trusted_proxies_init(&trusted, config->trusted_proxies);
	if (rc == 0)
		rc = upstream_target_init(&target, config->url);
	if (rc < 0) {
		trusted_proxies_fini(&trusted);
		fields_fini(&own);
		return rc;
	}
	struct upstream *upstream = xcalloc(1, sizeof *upstream);
	upstream->work.type = &upstream_type;
	upstream->work.references = 1;
	upstream->config = *config;
	upstream->config.url = upstream->config.ca_file = NULL;
	upstream->config.headers = upstream->config.trusted_proxies = NULL;
	upstream->config.principal_header = NULL;
	upstream->trusted = trusted;
	name_for_via(upstream);
	upstream->principal_header = xstrdup(config->principal_header);
	upstream->target = target;
	upstream->own_fields = own;
	upstream->ca_file = xstrdup(config->ca_file);
	upstream->peer = (struct transfer_peer){
		.number = transfer_peer_number(),
		.origin = upstream->target.origin,
		.ca_file = upstream->ca_file,
		.connect_timeout_ms = config->connect_timeout_ms,
		.timeout_ms = config->timeout_ms,
		.stall_timeout_ms = config->stall_timeout_ms,
	};
	breaker_init(&upstream->breaker, &config->breaker);
	*ret_work = &upstream->work;
	return 0;
}

bool
upstream_get_stats(const struct work *work, struct upstream_stats *ret_stats)
{
	struct upstream *upstream = (struct upstream *)(uintptr_t)work;

	if (work->type != &upstream_type)
		return false;
	breaker_get_stats(&upstream->breaker, &ret_stats->breaker);
	ret_stats->retries = atomic_load(&upstream->retries);
	return true;
}
