/* How many connections each address has: a table of those that have any.  Loop thread only. */
#pragma once

#include "common/hash.h"

struct address_count;

struct address_counts {
	struct hash table;
};

void address_counts_init(struct address_counts *counts);
void address_counts_fini(struct address_counts *counts); /* every connection has been taken back */

/* One more connection from address, unless it has max of them: then NULL.  The caller takes it back. */
struct address_count *address_count_add(struct address_counts *counts, const char *address, unsigned max);
void address_count_remove(struct address_counts *counts, struct address_count *count); /* NULL is allowed */
