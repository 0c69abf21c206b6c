/* Pages: apart and aligned, taken again once given back, and regions go when the last page of theirs is back.
 */
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

enum { COUNT = 500, PER_REGION = 32 };

struct taken {
	unsigned char *page; /* NULL: given back */
	struct region *region;
};

static void
fill(const struct taken *taken, int byte)
{
	memset(taken->page, byte, PAGE_BYTES);
}

static bool
is_filled(const struct taken *taken, int byte)
{
	return taken->page[0] == byte && taken->page[PAGE_BYTES / 2] == byte &&
	       taken->page[PAGE_BYTES - 1] == byte;
}

/* Takes and gives in a fixed disorder; nobody's bytes are ever changed by another's. */
static void
test_pages_are_apart(void **state)
{
	static struct taken all[COUNT];
	struct pages pages;
	uint32_t disorder = 1;

	(void)state;
	pages_init(&pages, NULL);
	for (int round = 0; round < 10 * COUNT; round++) {
		disorder = disorder * 1664525 + 1013904223;
		size_t at = (disorder >> 8) % COUNT;
		struct taken *taken = &all[at];
		if (taken->page) {
			assert_true(is_filled(taken, (int)(at % 255 + 1)));
			pages_give(taken->region, taken->page);
			taken->page = NULL;
			continue;
		}
		taken->page = pages_take(&pages, &taken->region);
		assert_int_equal((uintptr_t)taken->page % PAGE_BYTES, 0);
		fill(taken, (int)(at % 255 + 1));
	}
	for (size_t at = 0; at < COUNT; at++) {
		if (!all[at].page)
			continue;
		assert_true(is_filled(&all[at], (int)(at % 255 + 1)));
		pages_give(all[at].region, all[at].page);
	}
	pages_fini(&pages);
}

static void
test_regions_go(void **state)
{
	static struct taken all[COUNT];
	struct pages pages;

	(void)state;
	pages_init(&pages, NULL);
	for (int round = 0; round < 3; round++) {
		for (size_t at = 0; at < COUNT; at++)
			all[at].page = pages_take(&pages, &all[at].region);
		assert_int_equal(pages.region_count, (COUNT + PER_REGION - 1) / PER_REGION);
		for (size_t at = 0; at < COUNT; at++) {
			const struct taken *taken = &all[round == 1 ? at : COUNT - 1 - at];
			pages_give(taken->region, taken->page);
		}
		assert_int_equal(pages.region_count, 0);
	}
	pages_fini(&pages);
}

/* A hole is filled before more is mapped. */
static void
test_holes_are_filled(void **state)
{
	static struct taken all[2 * PER_REGION];
	struct pages pages;

	(void)state;
	pages_init(&pages, NULL);
	for (size_t at = 0; at < 2 * PER_REGION; at++)
		all[at].page = pages_take(&pages, &all[at].region);
	for (size_t at = 1; at < 2 * PER_REGION; at += 2)
		pages_give(all[at].region, all[at].page);
	for (size_t at = 1; at < 2 * PER_REGION; at += 2)
		all[at].page = pages_take(&pages, &all[at].region);
	assert_int_equal(pages.region_count, 2);
	for (size_t at = 0; at < 2 * PER_REGION; at++)
		pages_give(all[at].region, all[at].page);
	pages_fini(&pages);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages_are_apart),
		cmocka_unit_test(test_regions_go),
		cmocka_unit_test(test_holes_are_filled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
