/* Upstream work: see upstream.h. */
#include "work/upstream.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "work/transfer.h"
#include "work/upstream_request.h"
#include "work/upstream_response.h"
#include "work/upstream_target.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

struct upstream {
	struct work work; /* first, as in every kind of work */

	/* fixed */
	struct upstream_config config; /* without the strings and lists: those are below */
	struct upstream_target target;
	struct fields own_fields;
	char *ca_file;

	/* any thread */
	struct breaker breaker;
	_Atomic uint64_t retries;
};

/* One call on its thread. */
struct call {
	struct upstream *upstream;
	const struct work_input *input;
	struct work_control *control;
	struct fields fields; /* that are sent */
	char *target;
	bool may_repeat;
	int64_t began_ms;
	unsigned tried;	       /* attempts so far */
	enum transfer_end end; /* of the last one */
};

/* What a client is told of an attempt that came to nothing, and what the breaker makes of its end. */
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
		"The connection was lost before a whole and valid answer had come."},
	[TRANSFER_TIMED_OUT] = {PROBLEM_UPSTREAM_TIMEOUT, BREAKER_FAILURE,
		"The upstream server's answer did not come in time."},
	[TRANSFER_FAILED] = {PROBLEM_INTERNAL, BREAKER_UNKNOWN, "The call could not be made."},
};

/* The result of an answer that was not taken to its end. */
static void
set_refused(const struct call *call, int error, struct work_result *result)
{
	switch (-error) {
	case EFBIG:
		work_result_set_problem(result, PROBLEM_RESULT_TOO_LARGE, 0,
			"The upstream server's answer is longer than %" PRIu64 " bytes.",
			call->control->max_result_bytes);
		break;
	case EBADMSG:
		work_result_set_problem(result, PROBLEM_UPSTREAM_BROKEN, 0,
			"The header of the upstream server's answer is not valid or too long.");
		break;
	default:
		log_error("an upstream's answer cannot be kept", "operation=%s reason=%s",
			LOG_ID(&call->input->id), strerrordesc_np(-error));
		work_result_set_problem(
			result, PROBLEM_STORAGE, 0, "There is no room to keep the upstream server's answer.");
	}
}

/* The address and libcurl's words are the operator's to know, not the client's. */
static void
tell_failure(const struct call *call, const char *reason)
{
	char quoted[256];

	log_warning("upstream call failed", "operation=%s upstream=%s attempt=%u problem=%s reason=%s",
		LOG_ID(&call->input->id), call->upstream->target.origin, call->tried,
		problem_name(ends[call->end].problem), log_quote(reason, quoted, sizeof quoted));
}

/* One attempt, whatever comes of it. */
static void
attempt(struct call *call, struct work_result *result)
{
	const struct upstream *upstream = call->upstream;
	struct transfer_request request = {
		.origin = upstream->target.origin,
		.target = call->target,
		.method = call->input->method,
		.fields = &call->fields,
		.body = call->input->body,
		.ca_file = upstream->ca_file,
		.connect_timeout_ms = upstream->config.connect_timeout_ms,
		.timeout_ms = upstream->config.timeout_ms,
		.stall_timeout_ms = upstream->config.stall_timeout_ms,
		.may_repeat = call->may_repeat,
	};
	struct upstream_response response;
	char reason[TRANSFER_REASON_SIZE];
	int rc;

	upstream_response_init(&response, call->control->spool_fd, call->control->max_result_bytes);
	call->tried++;
	call->end = transfer_run(&request, call->control, &response, reason);
	rc = response.error;
	if (call->end == TRANSFER_ANSWERED)
		rc = upstream_response_finish(&response, &upstream->target, call->input, result);
	if (rc < 0 && call->end != TRANSFER_CANCELLED) {
		set_refused(call, rc, result);
	} else if (call->end != TRANSFER_ANSWERED) {
		work_result_set_problem(result, ends[call->end].problem, 0, "%s", ends[call->end].detail);
		if (call->end != TRANSFER_CANCELLED)
			tell_failure(call, reason);
	}
	upstream_response_fini(&response);
}

/* An attempt, if the breaker lets it through. */
static bool
attempt_if_let(struct call *call, struct work_result *result)
{
	struct breaker *breaker = &call->upstream->breaker;
	bool is_trial;

	if (!breaker_enter(breaker, &is_trial)) {
		work_result_set_problem(result, PROBLEM_UPSTREAM_UNREACHABLE, 503,
			"The upstream server has failed repeatedly and is not called for a while.");
		return false;
	}
	attempt(call, result);
	bool is_broken = result->problem == PROBLEM_UPSTREAM_BROKEN;
	breaker_leave(breaker, is_trial, is_broken ? BREAKER_FAILURE : ends[call->end].outcome);
	return true;
}

/* Whether another attempt might do better and can do no harm.  What was never sent can be sent again, whatever it is. */
static bool
is_worth_another(const struct call *call, const struct work_result *result)
{
	if (call->end == TRANSFER_UNREACHABLE)
		return true;
	return call->may_repeat &&
	       (call->end == TRANSFER_BROKEN ||
		       (call->end == TRANSFER_ANSWERED && (result->status == 503 || result->status == 429)));
}

/* How long to wait before the next attempt, -1 if there is none. */
static int64_t
next_delay_ms(const struct call *call, const struct work_result *result)
{
	if (!is_worth_another(call, result))
		return -1;
	int64_t asked = retry_after_ms(&result->fields, clock_wall_ms());
	return retry_delay_ms(
		&call->upstream->config.retry, call->tried, clock_mono_ms() - call->began_ms, asked);
}

/* Whether the time went by without being told to stop. */
static bool
pause_for(const struct work_control *control, int64_t delay_ms)
{
	struct pollfd wake = {.fd = control->wake_fd, .events = POLLIN};
	int64_t until = clock_mono_ms() + delay_ms;

	while (atomic_load(&control->stop) == WORK_GOES_ON) {
		int64_t left = until - clock_mono_ms();
		if (left <= 0)
			return true;
		poll(&wake, 1, left < INT32_MAX ? (int)left : INT32_MAX);
	}
	return false;
}

static void
try_until_done(struct call *call, struct work_result *result)
{
	while (attempt_if_let(call, result)) {
		int64_t delay = next_delay_ms(call, result);
		if (delay < 0 || !pause_for(call->control, delay))
			return;
		work_result_fini(result);
		atomic_fetch_add(&call->upstream->retries, 1);
	}
}

static bool
may_repeat(const struct upstream *upstream, const struct work_input *input)
{
	struct field field;

	return upstream->config.may_repeat || upstream_request_is_idempotent(input->method) ||
	       (upstream->config.pass_idempotency_key &&
		       fields_find(&input->fields, "Idempotency-Key", &field));
}

static void
upstream_run(const struct work *work, const struct work_input *input, struct work_control *control,
	struct work_result *ret_result)
{
	struct upstream *upstream = (struct upstream *)(uintptr_t)work;
	struct upstream_request_rules rules = {
		.forward_credentials = upstream->config.forward_credentials,
		.pass_idempotency_key = upstream->config.pass_idempotency_key,
		.own = &upstream->own_fields,
	};
	struct call call = {
		.upstream = upstream,
		.input = input,
		.control = control,
		.may_repeat = may_repeat(upstream, input),
		.began_ms = clock_mono_ms(),
	};
	struct text target = {0};

	upstream_target_add(&upstream->target, input, &target);
	call.target = text_take(&target);
	upstream_request_fields(&rules, input, &call.fields);
	try_until_done(&call, ret_result);
	fields_fini(&call.fields);
	free(call.target);
}

static void
upstream_free(struct work *work)
{
	struct upstream *upstream = (struct upstream *)work;

	upstream_target_fini(&upstream->target);
	fields_fini(&upstream->own_fields);
	breaker_fini(&upstream->breaker);
	free(upstream->ca_file);
	free(upstream);
}

static const struct work_type upstream_type = {
	.name = "upstream", .run = upstream_run, .free = upstream_free};

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

int
upstream_new(const struct upstream_config *config, struct work **ret_work)
{
	struct fields own = {0};
	struct upstream_target target;
	int rc = parse_fields(config->headers, &own);

	if (rc == 0)
		rc = upstream_target_init(&target, config->url);
	if (rc < 0) {
		fields_fini(&own);
		return rc;
	}
	struct upstream *upstream = xcalloc(1, sizeof *upstream);
	upstream->work.type = &upstream_type;
	upstream->work.references = 1;
	upstream->config = *config;
	upstream->config.url = upstream->config.ca_file = NULL;
	upstream->config.headers = NULL;
	upstream->target = target;
	upstream->own_fields = own;
	upstream->ca_file = xstrdup(config->ca_file);
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
