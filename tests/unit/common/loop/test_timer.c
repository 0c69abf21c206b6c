/* Tests of common/timer.c: the wheel, turned by hand. */
#include "tests/unit/common/loop/timer_probe.h"

#include <unistd.h>

static void
test_none(void **state)
{
	begin(START_MS);
	assert_int_equal(timers_next_ms(timers, now_ms), -1);
	assert_false(advance(0, ALL));
	assert_false(advance(INT64_C(1) << 45, ALL));
	assert_int_equal(timers_next_ms(timers, now_ms), -1);
	timers_free(NULL);
}

/* Fires at its time and not a tick before, for times around every digit of the wheel's own time. */
static void
test_exact(void **state)
{
	static const int64_t starts[] = {0, 1, 63, 64, 4095, 4096, 262143, START_MS, (INT64_C(1) << 36) - 1,
		INT64_C(1) << 36, (INT64_C(1) << 60) - 1};
	static const int64_t powers[] = {1, 64, 4096, 262144, 16777216, INT64_C(1) << 30, INT64_C(1) << 54};

	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
		for (size_t j = 0; j < sizeof powers / sizeof *powers; j++)
			for (int64_t after_ms = powers[j] - 1; after_ms <= powers[j] + 1; after_ms++) {
				struct probe probe;

				begin(starts[i]);
				probe_init(&probe, NOTHING);
				timer_start(timers, &probe.timer, after_ms);
				assert_true(timer_is_running(&probe.timer));
				assert_in_range(timers_next_ms(timers, now_ms), 0, after_ms);
				if (after_ms > 0)
					assert_false(advance(after_ms - 1, ALL));
				assert_int_equal(probe.fired, 0);
				assert_int_equal(timers_next_ms(timers, now_ms), after_ms > 0);
				assert_false(advance(after_ms > 0, ALL));
				assert_int_equal(probe.fired, 1);
				assert_int_equal(timers_next_ms(timers, now_ms), -1);
				teardown(NULL);
			}
}

/* Going from one timers_next_ms() to the next reaches a timer without passing it, and in few steps. */
static void
test_next(void **state)
{
	static const int64_t times[] = {
		1, 63, 64, 65, 1000, 30000, 86400000, INT64_C(31536000000), INT64_C(1) << 50};

	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		struct probe probe;
		unsigned steps = 0;

		begin(START_MS);
		probe_init(&probe, NOTHING);
		timer_start(timers, &probe.timer, times[i]);
		for (int64_t next_ms; (next_ms = timers_next_ms(timers, now_ms)) >= 0; steps++)
			assert_false(advance(next_ms, ALL));
		assert_int_equal(probe.fired, 1);
		assert_int_equal(now_ms, START_MS + times[i]);
		assert_in_range(steps, 1, 11);
		teardown(NULL);
	}
	/* The wheel turns without timers as well: a near one is not far away for it. */
	begin(START_MS);
	advance_all((INT64_C(1) << 40) - START_MS);
	struct probe probe;
	probe_init(&probe, NOTHING);
	timer_start(timers, &probe.timer, 5);
	assert_int_equal(timers_next_ms(timers, now_ms), 5);
	timer_stop(&probe.timer);
}

static void
test_stop(void **state)
{
	struct probe probe;

	begin(START_MS);
	probe_init(&probe, NOTHING);
	timer_stop(&probe.timer);
	for (int64_t after_ms = 0; after_ms < INT64_C(1) << 50; after_ms = after_ms * 3 + 1) {
		timer_start(timers, &probe.timer, after_ms);
		assert_true(timer_is_running(&probe.timer));
		timer_stop(&probe.timer);
		assert_false(timer_is_running(&probe.timer));
		assert_int_equal(timers_next_ms(timers, now_ms), -1);
	}
	assert_false(advance(INT64_C(1) << 55, ALL));
	assert_int_equal(fired, 0);
}

static void
test_move(void **state)
{
	struct probe probe;

	begin(START_MS);
	probe_init(&probe, NOTHING);
	timer_start(timers, &probe.timer, 10);
	timer_start(timers, &probe.timer, 100000);
	assert_false(advance(99999, ALL));
	assert_int_equal(fired, 0);
	timer_start(timers, &probe.timer, 50);
	timer_start(timers, &probe.timer, 5);
	assert_false(advance(4, ALL));
	assert_int_equal(fired, 0);
	assert_false(advance(1, ALL));
	assert_int_equal(fired, 1);
	assert_false(advance(1000000, ALL));
	assert_int_equal(fired, 1);
}

/* Times that have no room: the past counts as now, and what is beyond all time never comes. */
static void
test_extremes(void **state)
{
	struct probe past, now, never;

	begin(START_MS);
	probe_init(&past, NOTHING);
	probe_init(&now, NOTHING);
	probe_init(&never, NOTHING);
	timer_start(timers, &past.timer, INT64_MIN);
	timer_start(timers, &now.timer, 0);
	timer_start(timers, &never.timer, INT64_MAX);
	assert_int_equal(timers_next_ms(timers, now_ms), 0);
	assert_false(advance(0, ALL));
	assert_int_equal(past.fired + now.fired, 2);
	assert_false(advance(INT64_C(1) << 62, ALL));
	assert_int_equal(never.fired, 0);
	assert_true(timer_is_running(&never.timer));
	assert_true(timers_next_ms(timers, now_ms) > 0);
	timer_stop(&never.timer);
}

/* A clock that were to go back would fire nothing twice and lose nothing. */
static void
test_clock_back(void **state)
{
	struct probe probe;

	begin(START_MS);
	probe_init(&probe, RESTART);
	probe.again_ms = 10;
	timer_start(timers, &probe.timer, 10);
	assert_false(advance(10, ALL));
	assert_false(timers_advance(timers, now_ms - 5, ALL));
	assert_int_equal(fired, 1);
	assert_false(advance(9, ALL));
	assert_int_equal(fired, 1);
	assert_false(advance(1, ALL));
	assert_int_equal(fired, 2);
	timer_stop(&probe.timer);
}

static void
test_budget(void **state)
{
	enum { COUNT = 1000, BUDGET = 16 };
	struct probe *probes = xcalloc(COUNT, sizeof *probes);

	begin(START_MS);
	for (unsigned i = 0; i < COUNT; i++) {
		probe_init(&probes[i], NOTHING);
		timer_start(timers, &probes[i].timer, i / 7);
	}
	for (unsigned i = BUDGET; i < COUNT; i += BUDGET) {
		assert_true(advance(i == BUDGET ? 5000 : 0, BUDGET));
		assert_int_equal(fired, i);
		assert_int_equal(timers_next_ms(timers, now_ms), 0);
	}
	assert_false(advance(0, BUDGET));
	assert_int_equal(fired, COUNT);
	assert_false(advance(0, 0));
	free(probes);
}

/* A timer that starts itself for now is not fired again in the same pass, but in the next. */
static void
test_restart_at_once(void **state)
{
	struct probe probe;

	begin(START_MS);
	probe_init(&probe, RESTART);
	timer_start(timers, &probe.timer, 0);
	for (unsigned i = 1; i < 10; i++) {
		assert_true(advance(0, ALL));
		assert_int_equal(fired, i);
		assert_int_equal(timers_next_ms(timers, now_ms), 0);
	}
	timer_stop(&probe.timer);
	assert_false(advance(0, ALL));
	assert_int_equal(fired, 9);
}

/* What one timer does to itself or to another that is due in the same slot, the next, or far away. */
static void
test_reactions(void **state)
{
	static const struct {
		enum reaction reaction;
		unsigned fired_first, fired_then;
	} cases[] = {{RESTART, 2, 3}, {STOP_OTHER, 1, 1}, {START_OTHER, 1, 2}, {FREE_ITSELF, 2, 2},
		{FREE_OTHER, 1, 1}};
	static const int64_t others_ms[] = {5, 6, 70, 100000};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (size_t j = 0; j < sizeof others_ms / sizeof *others_ms; j++) {
			struct probe *one = xcalloc(1, sizeof *one), *other = xcalloc(1, sizeof *other);

			begin(START_MS);
			probe_init(one, cases[i].reaction);
			probe_init(other, NOTHING);
			one->again_ms = 200000;
			one->other = other;
			timer_start(timers, &one->timer, 5);
			timer_start(timers, &other->timer, others_ms[j]);
			advance_all(5);
			advance_all(99995);
			assert_int_equal(fired, cases[i].fired_first);
			advance_all(100005);
			assert_int_equal(fired, cases[i].fired_then);
			teardown(NULL);
			if (cases[i].reaction != FREE_ITSELF)
				free(one);
			if (cases[i].reaction != FREE_OTHER)
				free(other);
		}
}

#define BY_HAND(test) cmocka_unit_test_teardown(test, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BY_HAND(test_none),
		BY_HAND(test_exact),
		BY_HAND(test_next),
		BY_HAND(test_stop),
		BY_HAND(test_move),
		BY_HAND(test_extremes),
		BY_HAND(test_clock_back),
		BY_HAND(test_budget),
		BY_HAND(test_restart_at_once),
		BY_HAND(test_reactions),
	};

	alarm(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
