/* Memory in huge pages: see huge.h. */
#include "common/huge.h"

#include "common/list.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

/* More is asked for, and what lies before and behind the aligned part of it is given back. */
void *
huge_map_small(size_t bytes)
{
	assert(bytes > 0 && bytes % HUGE_BYTES == 0);
	char *memory =
		mmap(NULL, bytes + HUGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		abort();
	size_t before = HUGE_BYTES - (uintptr_t)memory % HUGE_BYTES;
	munmap(memory, before);
	if (before < HUGE_BYTES)
		munmap(memory + before + bytes, HUGE_BYTES - before);
	return memory + before;
}

void *
huge_map(size_t bytes)
{
	char *memory = huge_map_small(bytes);

	/* A kernel without them says so, and has pages of the other size. */
	(void)madvise(memory, bytes, MADV_HUGEPAGE);
	return memory;
}

/* A piece at a time, so that who maps or unmaps meanwhile waits for no more than one.  Pool thread. */
static void
do_make(struct pool_job *job)
{
	struct huge_spare *spare = container_of(job, struct huge_spare, job);

	spare->memory = huge_map(spare->bytes);
	/* A kernel that cannot leaves it untouched, to be cleared when it is used. */
	for (size_t at = 0; at < spare->bytes; at += HUGE_BYTES)
		(void)madvise(spare->memory + at, HUGE_BYTES, MADV_POPULATE_WRITE);
}

static void
make(struct huge_spare *spare)
{
	spare->making = true;
	spare->bytes = spare->wanted;
	pool_submit(spare->pool, &spare->job);
}

static void
on_made(struct pool_job *job)
{
	struct huge_spare *spare = container_of(job, struct huge_spare, job);

	spare->making = false;
	if (spare->wanted == spare->bytes)
		spare->ready = spare->memory;
	else
		munmap(spare->memory, spare->bytes);
	if (spare->wanted > 0 && !spare->ready && spare->pool)
		make(spare);
}

void
huge_spare_init(struct huge_spare *spare, struct pool *pool)
{
	*spare = (struct huge_spare){.pool = pool, .job = {.run = do_make, .done = on_made}};
}

void
huge_spare_fini(struct huge_spare *spare)
{
	huge_spare_drop(spare);
	assert(!spare->making);
}

bool
huge_spare_ask(struct huge_spare *spare, size_t bytes)
{
	if (spare->wanted != bytes)
		huge_spare_drop(spare);
	if (spare->ready || !spare->pool)
		return spare->ready;
	spare->wanted = bytes;
	if (!spare->making)
		make(spare);
	return true;
}

void *
huge_spare_take(struct huge_spare *spare, size_t bytes)
{
	char *memory = spare->ready;

	if (!memory || spare->wanted != bytes)
		return NULL;
	spare->ready = NULL;
	spare->wanted = 0;
	return memory;
}

void
huge_spare_drop(struct huge_spare *spare)
{
	if (spare->ready)
		munmap(spare->ready, spare->wanted);
	spare->ready = NULL;
	spare->wanted = 0;
}
