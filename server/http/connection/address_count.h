/* The number of open connections of each address.  Loop thread only. */
#pragma once

#include "common/hash.h"

struct address_count;

struct address_counts {
	struct hash table;
};

void address_counts_init(struct address_counts *counts);
void address_counts_fini(struct address_counts *counts); /* every connection has been removed */

/* Counts one more connection from address; NULL if it has max of them already.  The caller removes it. */
struct address_count *address_count_add(struct address_counts *counts, const char *address, unsigned max);
void address_count_remove(struct address_counts *counts, struct address_count *count); /* NULL is allowed */
