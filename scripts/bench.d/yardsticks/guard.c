/* How long the wire guard takes for a request, with notes for the fast lane: prints nanoseconds, the least of
 * several rounds.
 * usage: guard REQUEST */
#include "http/guard/guard.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static double
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

int
main(int argc, char **argv)
{
	static const struct guard_limits limits = {.max_target_bytes = 8000,
		.max_line_bytes = 8190,
		.max_header_bytes = 16384,
		.max_header_count = 100,
		.max_chunk_ext_bytes = 256,
		.max_body_bytes = 8 << 20};
	enum { ROUNDS = 20, REQUESTS = 100000 };
	struct guard guard;
	struct guard_note note;
	double least = 1e18;

	guard_init(&guard, &limits);
	for (int round = 0; argc == 2 && round < ROUNDS; round++) {
		double began = now_ns();
		for (int i = 0; i < REQUESTS; i++) {
			size_t used;
			guard.note = &note;
			if (guard_feed(&guard, argv[1], strlen(argv[1]), &used) != GUARD_COMPLETE)
				return 1;
		}
		double took = (now_ns() - began) / REQUESTS;
		least = took < least ? took : least;
	}
	printf("%.0f\n", least);
	return argc != 2;
}
