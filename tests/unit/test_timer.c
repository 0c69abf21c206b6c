/* Tests of common/timer.c: the wheel, turned by hand. */
#include "common/timer.h"

#include "common/clock.h"
#include "common/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ALL 1000000 /* a budget that is never reached */
#define START_MS 1000003

/* What a probe does when it fires, besides counting. */
enum reaction { NOTHING, RESTART, STOP_OTHER, START_OTHER, FREE_ITSELF, FREE_OTHER };

struct probe {
	struct timer timer;
	enum reaction reaction;
	int64_t again_ms;    /* for RESTART and START_OTHER */
	struct probe *other; /* for the reactions that have one */
	unsigned fired;
	int64_t due_ms; /* when the test thinks that it is due; -1: not running */
};

static struct timers *timers;
static int64_t now_ms;	/* what the timers were last told */
static unsigned fired;	/* by all probes */
static int64_t last_ms; /* the time of the one that fired last */

/* A source of numbers that is the same in every run. */
static uint64_t seed;

static uint64_t
next_number(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return seed >> 20;
}

static void
on_fire(struct timer *timer)
{
	struct probe *probe = container_of(timer, struct probe, timer);

	assert_false(timer_is_running(timer));
	assert_true(timer->at_ms <= now_ms);
	assert_true(timer->at_ms >= last_ms);
	last_ms = timer->at_ms;
	fired++;
	probe->fired++;
	probe->due_ms = -1;
	switch (probe->reaction) {
	case NOTHING:
		break;
	case RESTART:
		timer_start(timers, timer, probe->again_ms);
		break;
	case STOP_OTHER:
		timer_stop(&probe->other->timer);
		break;
	case START_OTHER:
		timer_start(timers, &probe->other->timer, probe->again_ms);
		break;
	case FREE_OTHER:
		timer_stop(&probe->other->timer);
		free(probe->other);
		break;
	case FREE_ITSELF:
		free(probe);
		break;
	}
}

static void
probe_init(struct probe *probe, enum reaction reaction)
{
	memset(probe, 0, sizeof *probe);
	timer_init(&probe->timer, on_fire);
	probe->reaction = reaction;
	probe->due_ms = -1;
}

/* The wheel begins to turn at start_ms. */
static void
begin(int64_t start_ms)
{
	clock_hold(start_ms, 0);
	assert_int_equal(timers_new(NULL, &timers), 0);
	now_ms = start_ms;
	last_ms = 0;
	fired = 0;
}

static int
teardown(void **state)
{
	timers_free(timers);
	timers = NULL;
	clock_release();
	return 0;
}

static bool
advance(int64_t ms, unsigned budget)
{
	now_ms += ms;
	return timers_advance(timers, now_ms, budget);
}

/* Advances until nothing more is due. */
static void
advance_all(int64_t ms)
{
	while (advance(ms, ALL))
		ms = 0;
}

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

/* More timers in one high slot than are moved in a pass: none is early or lost, and others do not wait for them. */
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
		BY_HAND(test_many_fall),
		BY_HAND(test_late_fall),
		BY_HAND(test_free_running),
		BY_HAND(test_against_array),
	};

	alarm(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
