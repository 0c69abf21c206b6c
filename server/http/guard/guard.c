/*
 * The wire guard's state machine: one function a state, which reads a run of bytes where it can.
 *
 * The machine neither looks ahead nor back: the meaning of a byte depends on struct guard alone.  Pieces of
 * any size therefore give the same verdicts, and a refusal comes at the first byte that cannot be right.  The
 * files: the request line (guard_line), header and trailer lines (guard_field), the values that frame or
 * route (guard_rule), bodies (guard_body, guard_chunk), verdicts (guard_verdict), classes of bytes
 * (guard_bytes).
 *
 * The guard does not know what a request means: others judge routes, methods of a route and most values.
 */
#include "http/guard/guard.h"

#include "http/guard/private.h"

#include <assert.h>

static enum guard_verdict
stay_refused(struct guard *guard, struct guard_run *run)
{
	return GUARD_REFUSE;
}

static const guard_step_fn steps[GUARD_STATE_COUNT] = {
	[GUARD_START] = guard_line_start,
	[GUARD_EMPTY_LF] = guard_line_empty,
	[GUARD_METHOD] = guard_line_method,
	[GUARD_TARGET] = guard_line_target,
	[GUARD_ASTERISK] = guard_line_asterisk,
	[GUARD_SCHEME] = guard_line_scheme,
	[GUARD_SCHEME_SLASH] = guard_line_scheme_slash,
	[GUARD_AUTHORITY] = guard_line_authority,
	[GUARD_PATH] = guard_line_path,
	[GUARD_PATH_ESCAPE] = guard_line_escape,
	[GUARD_QUERY] = guard_line_query,
	[GUARD_QUERY_ESCAPE] = guard_line_escape,
	[GUARD_VERSION] = guard_line_version,
	[GUARD_LINE] = guard_field_line,
	[GUARD_NAME] = guard_field_name,
	[GUARD_BLANKS] = guard_field_blanks,
	[GUARD_TABS] = guard_field_tabs,
	[GUARD_VALUE] = guard_field_value,
	[GUARD_TAIL] = guard_field_tail,
	[GUARD_LINE_LF] = guard_field_line_end,
	[GUARD_HEADER_LF] = guard_body_begin,
	[GUARD_BODY] = guard_body_data,
	[GUARD_CHUNK_SIZE] = guard_chunk_size,
	[GUARD_CHUNK_EXT] = guard_chunk_ext,
	[GUARD_CHUNK_CR] = guard_chunk_cr,
	[GUARD_CHUNK_LF] = guard_chunk_begin,
	[GUARD_CHUNK_DATA] = guard_body_data,
	[GUARD_CHUNK_DATA_CR] = guard_chunk_data_cr,
	[GUARD_CHUNK_DATA_LF] = guard_chunk_data_lf,
	[GUARD_TRAILER_LF] = guard_chunk_end,
	[GUARD_REFUSED] = stay_refused,
};

bool
guard_reads_host(const struct guard *guard)
{
	return guard->state == GUARD_AUTHORITY;
}

enum guard_verdict
guard_feed(struct guard *guard, const char *data, size_t len, size_t *ret_used)
{
	const uint8_t *begin = (const uint8_t *)data;
	struct guard_run run = {begin, begin + len};
	enum guard_verdict verdict = GUARD_PASS;
	bool drop = guard->drop, in_body = guard->in_body;

	if (guard->note) {
		guard->note->begin = begin;
		guard->note->is_plain = true;
		guard->note->field_count = 0;
	}
	assert(len > 0);
	while (verdict == GUARD_PASS && run.at < run.end && guard->in_body == in_body &&
		(guard->drop == drop || run.at == begin)) {
		drop = guard->drop;
		verdict = steps[guard->state](guard, &run);
	}
	if (verdict == GUARD_REFUSE && run.at > begin)
		verdict = GUARD_PASS;
	if (verdict == GUARD_PASS && drop)
		verdict = GUARD_DROP;
	*ret_used = (size_t)(run.at - begin);
	return verdict;
}
