/* The wire guard's bodies (RFC 9112, 6): where a body begins, and its bytes. */
#include "http/guard_step.h"

enum guard_verdict
guard_body_begin(struct guard *guard, struct guard_run *run)
{
	enum guard_verdict verdict =
		guard_expect(guard, run, '\n', GUARD_BODY, "A CR is not followed by an LF.");

	if (verdict != GUARD_PASS)
		return verdict;
	if (!guard->chunked && guard->body_total == 0)
		return guard_complete(guard);
	guard->in_body = true;
	guard->body_left = guard->body_total;
	if (guard->chunked)
		guard_chunk_next(guard);
	return GUARD_PASS;
}

enum guard_verdict
guard_body_data(struct guard *guard, struct guard_run *run)
{
	size_t len = (size_t)(run->end - run->at);

	if (len > guard->body_left)
		len = (size_t)guard->body_left;
	run->at += len;
	guard->body_left -= len;
	guard->body_bytes += len;
	if (guard->body_left > 0)
		return GUARD_PASS;
	if (!guard->chunked)
		return guard_complete(guard);
	guard->state = GUARD_CHUNK_DATA_CR;
	return GUARD_PASS;
}
