/* Memory for libcurl: what is handed out is nobody else's, whole, and aligned, whoever gives it back. */
#include "common/text.h"
#include "work/transfer_memory.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

/* Around every bound between sizes that are kept together, and beyond the largest that is kept. */
enum { SIZE_COUNT = 3000, LARGE_BYTES = 40000, PIECES = 64, ROUNDS = 20000 };

static size_t
size_of(size_t i)
{
	return i < 2200 ? i : 2200 + (i - 2200) * (LARGE_BYTES - 2200) / (SIZE_COUNT - 2200);
}

static bool
holds(const unsigned char *memory, unsigned char what, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (memory[i] != what)
			return false;
	return true;
}

static void
test_sizes(void **state)
{
	unsigned char **pieces = xcalloc(SIZE_COUNT, sizeof *pieces);

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < SIZE_COUNT; i++) {
			pieces[i] = transfer_memory_take(size_of(i));
			assert_non_null(pieces[i]);
			assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
			memset(pieces[i], (int)(i % 251), size_of(i));
		}
		for (size_t i = 0; i < SIZE_COUNT; i++)
			assert_true(holds(pieces[i], (unsigned char)(i % 251), size_of(i)));
		for (size_t i = 0; i < SIZE_COUNT; i++)
			transfer_memory_give(pieces[round == 1 ? SIZE_COUNT - 1 - i : i]);
	}
	free(pieces);
	transfer_memory_give(NULL);
	transfer_memory_forget();
	transfer_memory_forget();
}

static void
test_zeroed(void **state)
{
	(void)state;
	for (size_t size = 1; size < 5000; size += 7) {
		unsigned char *dirty = transfer_memory_take(size);
		memset(dirty, 0xff, size);
		transfer_memory_give(dirty);
		unsigned char *zeroed = transfer_memory_take_zeroed(1, size);
		assert_true(holds(zeroed, 0, size));
		transfer_memory_give(zeroed);
	}
	transfer_memory_forget();
}

/* More than there can be is refused, and nothing is lost by that. */
static void
test_too_much(void **state)
{
	volatile size_t most = SIZE_MAX;

	(void)state;
	assert_null(transfer_memory_take(most));
	assert_null(transfer_memory_take(most - 8));
	assert_null(transfer_memory_take_zeroed(most / 4, 8));
	char *kept = transfer_memory_dup("kept");
	assert_null(transfer_memory_resize(kept, most - 8));
	assert_string_equal(kept, "kept");
	transfer_memory_give(kept);
	transfer_memory_forget();
}

static void
test_resize(void **state)
{
	char *text = transfer_memory_resize(NULL, 1);
	size_t len = 0;

	(void)state;
	for (size_t size = 1; size < LARGE_BYTES; size += size / 3 + 1) {
		text = transfer_memory_resize(text, size);
		assert_true(holds((unsigned char *)text, 'x', len));
		memset(text, 'x', size);
		len = size;
	}
	for (size_t size = len; size > 1; size = size * 2 / 3) {
		text = transfer_memory_resize(text, size);
		assert_true(holds((unsigned char *)text, 'x', size));
	}
	transfer_memory_give(text);
	transfer_memory_forget();
}

/* Pieces on their way between threads. */
struct exchange {
	pthread_mutex_t lock;
	unsigned char *pieces[PIECES];
};

static void *
take_and_give(void *arg)
{
	struct exchange *exchange = arg;
	unsigned random = (unsigned)(uintptr_t)&random;

	for (unsigned i = 0; i < ROUNDS; i++) {
		random = random * 1103515245 + 12345;
		size_t size = 8 + (random >> 8) % 3000;
		unsigned char *piece = transfer_memory_take(size);
		memset(piece, (int)(size % 251), size);
		memcpy(piece, &size, sizeof size);
		pthread_mutex_lock(&exchange->lock);
		unsigned char *other = exchange->pieces[i % PIECES];
		exchange->pieces[i % PIECES] = piece;
		pthread_mutex_unlock(&exchange->lock);
		if (!other)
			continue;
		memcpy(&size, other, sizeof size);
		assert_true(holds(other + sizeof size, (unsigned char)(size % 251), size - sizeof size));
		transfer_memory_give(other);
	}
	return NULL;
}

static void
test_threads(void **state)
{
	struct exchange exchange = {.lock = PTHREAD_MUTEX_INITIALIZER};
	pthread_t threads[3];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &exchange), 0);
	for (size_t i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < PIECES; i++)
		transfer_memory_give(exchange.pieces[i]);
	transfer_memory_forget();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_zeroed),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_resize),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
