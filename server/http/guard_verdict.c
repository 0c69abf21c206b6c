/*
 * The wire guard's verdicts: how a request begins, is refused and is complete, and the checks of single bytes
 * that every step of the guard uses.
 */
#include "common/text.h"
#include "http/guard_step.h"

#include <assert.h>

void
guard_init(struct guard *guard, const struct guard_limits *limits)
{
	assert(limits->max_target_bytes > 0);
	*guard = (struct guard){.limits = limits, .body_limit = limits->max_body_bytes};
	if (guard->body_limit > INT64_MAX)
		guard->body_limit = INT64_MAX;
}

void
guard_limit_body(struct guard *guard, uint64_t most)
{
	assert(most >= guard->body_total);
	if (most < guard->body_limit)
		guard->body_limit = most;
}

enum guard_verdict
guard_refuse(struct guard *guard, enum problem problem, const char *reason)
{
	guard->state = GUARD_REFUSED;
	guard->problem = problem;
	guard->reason = reason;
	return GUARD_REFUSE;
}

enum guard_verdict
guard_complete(struct guard *guard)
{
	guard_init(guard, guard->limits);
	return GUARD_COMPLETE;
}

enum guard_verdict
guard_expect(
	struct guard *guard, struct guard_run *run, uint8_t byte, enum guard_state next, const char *reason)
{
	if (*run->at != byte)
		return guard_refuse(guard, PROBLEM_BAD_REQUEST, reason);
	run->at++;
	guard->state = next;
	return GUARD_PASS;
}

bool
guard_escape(struct guard *guard, uint8_t byte)
{
	int digit = text_hex_value((char)byte);

	if (digit < 0)
		return false;
	guard->octet = (uint8_t)(guard->octet << 4 | digit);
	guard->escape--;
	return guard->escape > 0 || guard->octet != 0;
}

enum guard_verdict
guard_refuse_long_body(struct guard *guard)
{
	return guard_refuse(guard, PROBLEM_CONTENT_TOO_LARGE, "The body is longer than allowed.");
}
