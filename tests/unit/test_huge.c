/* Memory in huge pages, made ready by a thread: what was asked for comes, once, zeroed; and who grows into
 * it. */
#include "common/huge.h"
#include "loop.h"

#include "common/hash.h"
#include "common/pages.h"
#include "common/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>
#include <event2/event.h>

static struct event_base *base;
static struct mailbox *mailbox;
static struct pool *pool;

static int
setup(void **state)
{
	(void)state;
	base = loop_new();
	assert_int_equal(mailbox_new(base, &mailbox), 0);
	assert_int_equal(pool_new("aside", mailbox, 1, &pool), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	mailbox_free(mailbox);
	event_base_free(base);
	return 0;
}

/* As the end of the server has it. */
static void
end(struct huge_spare *spare)
{
	spare->pool = NULL;
	pool_free(pool);
	mailbox_drain(mailbox);
}

static void
wait_until_made(const struct huge_spare *spare)
{
	while (spare->making)
		event_base_loop(base, EVLOOP_ONCE);
}

static void
check_zero_and_use(unsigned char *memory, size_t bytes)
{
	assert_non_null(memory);
	assert_int_equal((uintptr_t)memory % HUGE_BYTES, 0);
	for (size_t at = 0; at < bytes; at += 512)
		assert_int_equal(memory[at], 0);
	assert_int_equal(memory[bytes - 1], 0);
	memset(memory, 1, bytes);
	munmap(memory, bytes);
}

static void
test_map(void **state)
{
	(void)state;
	check_zero_and_use(huge_map(2 * HUGE_BYTES), 2 * HUGE_BYTES);
	check_zero_and_use(huge_map_small(HUGE_BYTES), HUGE_BYTES);
}

static void
test_made_ready(void **state)
{
	struct huge_spare spare;

	(void)state;
	huge_spare_init(&spare, pool);
	assert_null(huge_spare_take(&spare, HUGE_BYTES));
	for (size_t bytes = HUGE_BYTES; bytes <= 3 * HUGE_BYTES; bytes += HUGE_BYTES) {
		assert_true(huge_spare_ask(&spare, bytes));
		assert_null(huge_spare_take(&spare, bytes));
		assert_true(huge_spare_ask(&spare, bytes));
		wait_until_made(&spare);
		assert_true(huge_spare_ask(&spare, bytes));
		assert_false(spare.making);
		assert_null(huge_spare_take(&spare, bytes + HUGE_BYTES));
		check_zero_and_use(huge_spare_take(&spare, bytes), bytes);
		assert_null(huge_spare_take(&spare, bytes));
	}
	end(&spare);
	huge_spare_fini(&spare);
}

/* Asked for something else while the first is being made, and once that is ready. */
static void
test_asked_again(void **state)
{
	struct huge_spare spare;

	(void)state;
	huge_spare_init(&spare, pool);
	assert_true(huge_spare_ask(&spare, HUGE_BYTES));
	assert_true(huge_spare_ask(&spare, 2 * HUGE_BYTES));
	wait_until_made(&spare);
	assert_null(huge_spare_take(&spare, HUGE_BYTES));
	assert_true(huge_spare_ask(&spare, 3 * HUGE_BYTES));
	assert_null(huge_spare_take(&spare, 2 * HUGE_BYTES));
	wait_until_made(&spare);
	check_zero_and_use(huge_spare_take(&spare, 3 * HUGE_BYTES), 3 * HUGE_BYTES);
	end(&spare);
	huge_spare_fini(&spare);
}

static void
test_dropped(void **state)
{
	struct huge_spare spare;

	(void)state;
	huge_spare_init(&spare, pool);
	assert_true(huge_spare_ask(&spare, HUGE_BYTES));
	huge_spare_drop(&spare);
	wait_until_made(&spare);
	assert_null(huge_spare_take(&spare, HUGE_BYTES));
	assert_true(huge_spare_ask(&spare, HUGE_BYTES));
	wait_until_made(&spare);
	huge_spare_drop(&spare);
	assert_null(huge_spare_take(&spare, HUGE_BYTES));
	assert_true(huge_spare_ask(&spare, 2 * HUGE_BYTES));
	end(&spare);
	assert_false(spare.making);
	huge_spare_fini(&spare);
}

static void
test_without_threads(void **state)
{
	struct huge_spare spare;

	(void)state;
	huge_spare_init(&spare, NULL);
	assert_false(huge_spare_ask(&spare, HUGE_BYTES));
	assert_null(huge_spare_take(&spare, HUGE_BYTES));
	end(&spare);
	huge_spare_fini(&spare);
}

static void
check_found(const struct hash *hash, const struct hash_node *nodes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_ptr_equal(hash_find(hash, i), &nodes[i]);
	assert_null(hash_find(hash, count));
}

/* A table does not grow before its array is ready, or there are twice as many nodes as buckets, and loses
 * nobody. */
static void
test_table_grows_once_ready(void **state)
{
	enum { LARGE = HUGE_BYTES / sizeof(struct hash_node *), COUNT = 4 * LARGE + 10 };
	struct hash_node *nodes = xcalloc(COUNT, sizeof *nodes);
	struct huge_spare spare;
	struct hash hash;
	size_t count = 0;

	(void)state;
	huge_spare_init(&spare, pool);
	hash_init(&hash);
	hash.next = &spare;
	for (; count < LARGE; count++)
		hash_add(&hash, &nodes[count], count);
	assert_int_equal(hash.mask + 1, LARGE / 2);
	wait_until_made(&spare);
	for (; count < 2 * LARGE; count++)
		hash_add(&hash, &nodes[count], count);
	assert_int_equal(hash.mask + 1, LARGE);
	for (; count < COUNT; count++)
		hash_add(&hash, &nodes[count], count);
	assert_int_equal(hash.mask + 1, 4 * LARGE);
	check_found(&hash, nodes, count);
	end(&spare);
	hash_fini(&hash);
	huge_spare_fini(&spare);
	free(nodes);
}

/* The region after those that are small has been made ready; when there are few again, none is. */
static void
test_regions_are_made_ready(void **state)
{
	enum { PER_REGION = HUGE_BYTES / PAGE_BYTES, COUNT = 8 * PER_REGION };
	static void *taken[COUNT + 1];
	static struct region *regions[COUNT + 1];
	struct pages pages;

	(void)state;
	pages_init(&pages, pool);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(pages.next.wanted, i > COUNT - PER_REGION ? HUGE_BYTES : 0);
		taken[i] = pages_take(&pages, &regions[i]);
	}
	wait_until_made(&pages.next);
	void *ready = pages.next.ready;
	assert_non_null(ready);
	taken[COUNT] = pages_take(&pages, &regions[COUNT]);
	assert_ptr_equal(taken[COUNT], ready);
	for (int i = 0; i <= COUNT; i++)
		pages_give(regions[i], taken[i]);
	assert_int_equal(pages.next.wanted, 0);
	end(&pages.next);
	pages_fini(&pages);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_made_ready, setup, teardown),
		cmocka_unit_test_setup_teardown(test_asked_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_threads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_table_grows_once_ready, setup, teardown),
		cmocka_unit_test_setup_teardown(test_regions_are_made_ready, setup, teardown),
		cmocka_unit_test(test_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
