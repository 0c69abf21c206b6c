/* Connections by address. */
#include "http/connection/address_count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void
test_max(void **state)
{
	struct address_counts counts;

	address_counts_init(&counts);
	assert_null(address_count_add(&counts, "192.0.2.1", 0));
	struct address_count *one = address_count_add(&counts, "192.0.2.1", 2);
	assert_non_null(one);
	assert_ptr_equal(address_count_add(&counts, "192.0.2.1", 2), one);
	assert_null(address_count_add(&counts, "192.0.2.1", 2));
	struct address_count *other = address_count_add(&counts, "192.0.2.10", 2);
	assert_non_null(other);
	assert_ptr_not_equal(one, other);
	address_count_remove(&counts, one);
	assert_ptr_equal(address_count_add(&counts, "192.0.2.1", 2), one);
	assert_null(address_count_add(&counts, "192.0.2.1", 2));
	address_count_remove(&counts, one);
	address_count_remove(&counts, one);
	address_count_remove(&counts, other);
	address_count_remove(&counts, NULL);
	assert_int_equal(counts.table.count, 0);
	address_counts_fini(&counts);
}

static void
test_many(void **state)
{
	enum { MANY = 5000 };
	static struct address_count *held[MANY];
	struct address_counts counts;
	char address[32];

	address_counts_init(&counts);
	for (int i = 0; i < MANY; i++) {
		snprintf(address, sizeof address, "10.0.%d.%d", i / 256, i % 256);
		held[i] = address_count_add(&counts, address, 1);
		assert_non_null(held[i]);
		assert_null(address_count_add(&counts, address, 1));
	}
	assert_int_equal(counts.table.count, MANY);
	for (int i = 0; i < MANY; i++)
		address_count_remove(&counts, held[i]);
	address_counts_fini(&counts);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_max),
		cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
