/* The list of programs that run. */
#include "work/process/running.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LEADER 1000

/* A run whose leader is known, and what processes are to it. */
static const struct {
	const char *what;
	struct proc proc; /* its start_time is counted from the run's since */
	int mark;	  /* 0: none, 1: the run's, 2: another's */
	bool is_leader;
	bool is_of_run;
} cases[] = {
	{"leader", {.pid = LEADER}, 1, true, true},
	{"leader of another mark", {.pid = LEADER}, 2, true, true},
	{"marked", {.pid = 7, .pgid = 7, .sid = 7}, 1, false, true},
	{"marked otherwise", {.pid = 7, .pgid = 7, .sid = 7}, 2, false, false},
	{"unmarked", {.pid = 7, .pgid = 7, .sid = 7}, 0, false, true},
	{"of its group", {.pid = 7, .pgid = LEADER, .sid = 7}, 2, false, true},
	{"of its session", {.pid = 7, .pgid = 7, .sid = LEADER}, 2, false, true},
	{"older and unmarked", {.pid = 7, .pgid = 7, .sid = 7, .start_time = (uint64_t)-1}, 0, false, false},
	{"older and marked", {.pid = 7, .pgid = 7, .sid = 7, .start_time = (uint64_t)-1}, 1, false, false},
	{"older, of a group before", {.pid = 7, .pgid = LEADER, .sid = LEADER, .start_time = (uint64_t)-1}, 0,
		false, false},
};

static void
test_known_leader(void **state)
{
	struct id ids[2];
	struct running run;

	id_generate(&ids[0]);
	id_generate(&ids[1]);
	running_add(&run, &ids[0]);
	running_set_leader(&run, LEADER);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct proc proc = cases[i].proc;
		const struct id *mark = cases[i].mark ? &ids[cases[i].mark - 1] : NULL;

		proc.start_time += run.since;
		if (running_has_leader(&proc) != cases[i].is_leader ||
			running_may_have(&proc, mark) != cases[i].is_of_run)
			fail_msg("%s", cases[i].what);
	}
	running_remove(&run);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_false(running_has_leader(&cases[i].proc));
		assert_false(running_may_have(&cases[i].proc, &ids[0]));
	}
}

/* While a leader is being spawned, any young child may be it, whatever its environment still says. */
static void
test_leader_being_spawned(void **state)
{
	struct id id, other;
	struct running run;

	id_generate(&id);
	id_generate(&other);
	running_add(&run, &id);
	struct proc young = {.pid = 7, .start_time = run.since};
	struct proc old = {.pid = 7, .start_time = run.since - 1};
	assert_true(running_has_leader(&young));
	assert_true(running_may_have(&young, &other));
	assert_true(running_may_have(&young, NULL));
	assert_false(running_has_leader(&old));
	assert_false(running_may_have(&old, NULL));
	assert_false(running_may_have(&old, &id));
	running_remove(&run);
}

static void
test_several(void **state)
{
	struct running runs[3];
	struct id id;

	for (int i = 0; i < 3; i++) {
		id_generate(&id);
		running_add(&runs[i], &id);
		running_set_leader(&runs[i], LEADER + i);
	}
	for (int i = 0; i < 3; i++) {
		struct proc proc = {.pid = LEADER + i, .start_time = runs[i].since};
		assert_true(running_has_leader(&proc));
		running_remove(&runs[i]);
		assert_false(running_has_leader(&proc));
	}
}

static void
test_ended_is_taken_once(void **state)
{
	struct running run;
	struct id id;

	id_generate(&id);
	(void)running_take_ended();
	assert_false(running_take_ended());
	running_add(&run, &id);
	assert_false(running_take_ended());
	running_remove(&run);
	assert_true(running_take_ended());
	assert_false(running_take_ended());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_leader),
		cmocka_unit_test(test_leader_being_spawned),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_ended_is_taken_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
