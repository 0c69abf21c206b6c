/* Tests of common/timer.c: many timers in one wheel, turned by hand. */
#include "tests/unit/common/loop/timer_probe.h"

#include <unistd.h>

/* A source of numbers that is the same in every run. */
static uint64_t seed;

static uint64_t
next_number(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return seed >> 20;
}

/* More timers in one high slot than are moved in a pass: none is early or lost, and others do not wait for
 * them. */
static void
test_many_fall(void **state)
{
	enum { COUNT = 20000 };
	struct probe *probes = xcalloc(COUNT, sizeof *probes), other;
	unsigned passes = 0;

	begin(0);
	for (unsigned i = 0; i < COUNT; i++) {
		probe_init(&probes[i], NOTHING);
		timer_start(timers, &probes[i].timer, 262144 + 5000 + i % 100);
	}
	assert_true(advance(262144, ALL));
	assert_int_equal(fired, 0);
	probe_init(&other, NOTHING);
	timer_start(timers, &other.timer, 1);
	while (advance(passes == 0, ALL)) {
		assert_int_equal(timers_next_ms(timers, now_ms), 0);
		assert_int_equal(fired, 1);
		passes++;
	}
	assert_int_equal(other.fired, 1);
	assert_in_range(passes, 2, 20);
	while (now_ms < 262144 + 5099)
		advance_all(1);
	assert_int_equal(fired, 1 + COUNT);
	free(probes);
}

/* Timers that fall while their time passes fire, if late. */
static void
test_late_fall(void **state)
{
	enum { COUNT = 20000 };
	struct probe *probes = xcalloc(COUNT, sizeof *probes);

	begin(0);
	for (unsigned i = 0; i < COUNT; i++) {
		probe_init(&probes[i], NOTHING);
		timer_start(timers, &probes[i].timer, 262144 + i / 1000);
	}
	while (advance(fired == 0 ? 262144 : 1, ALL))
		last_ms = 0; /* their order is not kept */
	assert_true(now_ms > 262144);
	advance_all(20);
	assert_int_equal(fired, COUNT);
	free(probes);
}

/* Freeing the wheel lets go of timers everywhere in it. */
static void
test_free_running(void **state)
{
	struct probe probes[40];

	begin(START_MS);
	for (int i = 0; i < 40; i++) {
		probe_init(&probes[i], NOTHING);
		timer_start(timers, &probes[i].timer, i == 0 ? 0 : INT64_C(1) << i);
	}
	timers_free(timers);
	timers = NULL;
	for (int i = 0; i < 40; i++) {
		assert_false(timer_is_running(&probes[i].timer));
		assert_int_equal(probes[i].fired, 0);
	}
}

static int64_t
random_after(void)
{
	static const unsigned bits[] = {1, 4, 7, 10, 13, 16, 20, 24, 30, 38};
	uint64_t number = next_number();

	return (int64_t)(number & ((UINT64_C(1) << bits[next_number() % 10]) - 1));
}

/* What has fired is what was due, and all of it. */
static void
check_model(struct probe *probes, size_t count, int64_t *ret_first_ms)
{
	*ret_first_ms = INT64_MAX;
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(timer_is_running(&probes[i].timer), probes[i].due_ms >= 0);
		if (probes[i].due_ms < 0)
			continue;
		assert_true(probes[i].due_ms > now_ms);
		if (probes[i].due_ms < *ret_first_ms)
			*ret_first_ms = probes[i].due_ms;
	}
}

/* Starts, moves, stops and advances at random, against a plain array. */
static void
test_against_array(void **state)
{
	enum { COUNT = 300, STEPS = 20000 };
	struct probe *probes = xcalloc(COUNT, sizeof *probes);
	int64_t first_ms, next_ms;

	begin(START_MS);
	for (size_t i = 0; i < COUNT; i++)
		probe_init(&probes[i], NOTHING);
	for (size_t step = 0; step < STEPS; step++) {
		for (size_t i = next_number() % 8; i > 0; i--) {
			struct probe *probe = &probes[next_number() % COUNT];

			if (next_number() % 4 == 0) {
				timer_stop(&probe->timer);
				probe->due_ms = -1;
			} else {
				int64_t after_ms = random_after();
				timer_start(timers, &probe->timer, after_ms);
				probe->due_ms = now_ms + after_ms;
			}
		}
		next_ms = timers_next_ms(timers, now_ms);
		last_ms = 0;
		advance_all(next_number() % 2 && next_ms >= 0 ? next_ms : random_after());
		check_model(probes, COUNT, &first_ms);
		next_ms = timers_next_ms(timers, now_ms);
		if (first_ms == INT64_MAX)
			assert_int_equal(next_ms, -1);
		else
			assert_in_range(next_ms, 1, first_ms - now_ms);
	}
	assert_true(fired > STEPS / 2);
	timers_free(timers);
	timers = NULL;
	free(probes);
}

#define BY_HAND(test) cmocka_unit_test_teardown(test, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BY_HAND(test_many_fall),
		BY_HAND(test_late_fall),
		BY_HAND(test_free_running),
		BY_HAND(test_against_array),
	};

	alarm(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
