/* Slabs: what is taken is apart and zero, what is given back is taken again, and empty pages go. */
#include "common/slab.h"

#include "common/pages.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

enum { COUNT = 5000, SIZE = 200 };

static bool
is_filled(const unsigned char *object, unsigned char byte)
{
	for (size_t i = 0; i < SIZE; i++)
		if (object[i] != byte)
			return false;
	return true;
}

/* Takes and gives in a fixed disorder; nobody's bytes are ever changed by another's. */
static void
test_objects_are_apart(void **state)
{
	static unsigned char *objects[COUNT];
	struct pages pages;
	struct slab slab;
	uint32_t disorder = 1;

	(void)state;
	pages_init(&pages, NULL);
	slab_init(&slab, &pages, SIZE);
	for (int round = 0; round < 20 * COUNT; round++) {
		disorder = disorder * 1664525 + 1013904223;
		size_t at = (disorder >> 8) % COUNT;
		if (objects[at]) {
			assert_true(is_filled(objects[at], (unsigned char)(at | 1)));
			slab_give(objects[at]);
			objects[at] = NULL;
			continue;
		}
		objects[at] = slab_take(&slab);
		assert_true(is_filled(objects[at], 0));
		assert_int_equal((uintptr_t)objects[at] % 8, 0);
		memset(objects[at], (int)(at | 1) & 0xff, SIZE);
	}
	for (size_t at = 0; at < COUNT; at++)
		if (objects[at])
			slab_give(objects[at]);
	slab_fini(&slab);
	pages_fini(&pages);
}

static void
test_empty_pages_go(void **state)
{
	static void *objects[COUNT];
	struct pages pages;
	struct slab slab;

	(void)state;
	pages_init(&pages, NULL);
	slab_init(&slab, &pages, SIZE);
	for (int round = 0; round < 3; round++) {
		for (size_t at = 0; at < COUNT; at++)
			objects[at] = slab_take(&slab);
		size_t count = slab.page_count;
		assert_true(
			count == 0 || (count >= COUNT * SIZE / 65536 && count <= COUNT * SIZE / 65000 + 1));
		for (size_t at = 0; at < COUNT; at++)
			slab_give(objects[round == 1 ? at : COUNT - 1 - at]);
		/* one stays for those that come next */
		assert_int_equal(slab.page_count, count > 0);
		void *mapped = slab_take(&slab);
		assert_int_equal(slab.page_count, count > 0);
		assert_true(is_filled(mapped, 0));
		slab_give(mapped);
	}
	slab_fini(&slab);
	pages_fini(&pages);
	assert_int_equal(slab.page_count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_objects_are_apart),
		cmocka_unit_test(test_empty_pages_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
