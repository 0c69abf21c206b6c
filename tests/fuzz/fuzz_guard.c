/*
 * Fuzzes the wire guard with bytes of a connection.  However they are cut, it must say the same; what it has
 * passed must be good as it is; and a plainer reader must find the same ends of requests.
 */
#include "http/guard/private.h"
#include "tests/unit/server/http/guard/guard_reference.h"
#include "tests/unit/server/http/guard/guard_trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As a server would have them, and so tight that small inputs reach them. */
static const struct guard_limits limits[] = {
	{.max_target_bytes = 2048,
		.max_line_bytes = 2048,
		.max_header_bytes = 8192,
		.max_header_count = 64,
		.max_chunk_ext_bytes = 256,
		.max_body_bytes = 16384},
	{.max_target_bytes = 8,
		.max_line_bytes = 28,
		.max_header_bytes = 50,
		.max_header_count = 4,
		.max_chunk_ext_bytes = 5,
		.max_body_bytes = 5},
	{.max_target_bytes = SIZE_MAX,
		.max_line_bytes = SIZE_MAX,
		.max_header_bytes = SIZE_MAX,
		.max_header_count = UINT32_MAX,
		.max_chunk_ext_bytes = SIZE_MAX,
		.max_body_bytes = UINT64_MAX},
};

/* Pieces of 1 to 16 bytes, by a generator that the input seeds. */
static void
feed_pieces(struct guard_trace *trace, const char *data, size_t size)
{
	uint32_t seed = 2166136261;

	for (size_t i = 0; i < size; i++)
		seed = (seed ^ (uint8_t)data[i]) * 16777619;
	for (size_t at = 0; at < size;) {
		seed = seed * 1664525 + 1013904223;
		size_t piece = (seed >> 28) + 1;
		if (piece > size - at)
			piece = size - at;
		guard_trace_feed(trace, data + at, piece);
		at += piece;
	}
}

static void
check_limits(const struct guard_trace *trace)
{
	const struct guard *guard = &trace->guard;

	if (trace->refused)
		return;
	assert(guard->body_bytes <= guard->limits->max_body_bytes);
	assert(guard->in_body || guard->body_bytes == 0);
	assert(guard->began || !guard->in_body);
	assert(guard->state < GUARD_STATE_COUNT && guard->state != GUARD_REFUSED);
	assert(guard->word_len <= sizeof(guard->word));
}

static void
check_ends(const struct guard_trace *trace, const char *data, size_t size)
{
	struct guard_reference reference = {.at = data, .end = data + size};

	for (unsigned i = 0; i < trace->end_count && i < GUARD_TRACE_ENDS; i++) {
		guard_reference_read(&reference);
		assert(reference.at == data + trace->ends[i]);
	}
	text_fini(&reference.told);
}

static void
check(const struct guard_limits *of, const char *data, size_t size)
{
	struct guard_trace whole, again;

	guard_trace_init(&whole, of);
	guard_trace_feed(&whole, data, size);
	assert(whole.refused ? whole.fed < size : whole.fed == size);
	check_limits(&whole);
	check_ends(&whole, data, size);

	guard_trace_check_pieces(&whole, data, size, 0, 1);
	guard_trace_init(&again, of);
	feed_pieces(&again, data, size);
	guard_trace_assert_equal(&whole, &again);
	guard_trace_fini(&again);
	guard_trace_check_passed(&whole);
	guard_trace_fini(&whole);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (size_t i = 0; size > 0 && i < sizeof(limits) / sizeof(limits[0]); i++)
		check(&limits[i], (const char *)data, size);
	return 0;
}
