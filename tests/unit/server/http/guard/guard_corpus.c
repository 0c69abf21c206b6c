/* The corpus of the wire guard's fuzzer: its limits, and its seeds one by one. */
#include "tests/unit/server/http/guard/guard_corpus.h"

#include "tests/fuzz/seeds.h"

#include <string.h>

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#define GUARD_CORPUS "tests/fuzz/corpus/guard.seeds"

const struct guard_limits guard_corpus_limits = {
	.max_target_bytes = 2048,
	.max_line_bytes = 2048,
	.max_header_bytes = 8192,
	.max_header_count = 64,
	.max_chunk_ext_bytes = 256,
	.max_body_bytes = 16384,
};

struct call {
	void (*fn)(void *arg, const char *name, const char *wire, size_t len);
	void *arg;
};

static void
call_with_bytes(void *arg, const char *name, const char *wire, size_t len)
{
	const struct call *call = arg;

	if (len > 0)
		call->fn(call->arg, name, wire, len);
}

void
guard_corpus_each(void (*fn)(void *arg, const char *name, const char *wire, size_t len), void *arg)
{
	struct call call = {fn, arg};
	int count = seeds_each(GUARD_CORPUS, call_with_bytes, &call);

	if (count <= 0)
		fail_msg("cannot read %s: %s", GUARD_CORPUS, count ? strerror(-count) : "it is empty");
}
