/* The corpus of the wire guard's fuzzer, for tests that send it to servers. */
#pragma once

#include "http/guard/guard.h"

#include <stddef.h>

/* As a server would have them. */
extern const struct guard_limits guard_corpus_limits;

/* Calls fn with the name and the bytes (lent) of each seed that is not empty, in the order of their names.
 * The test fails if there is no seed, or the corpus cannot be read. */
void guard_corpus_each(void (*fn)(void *arg, const char *name, const char *wire, size_t len), void *arg);
