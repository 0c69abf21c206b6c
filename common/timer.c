/*
 * A time is read as digits of six bits.  A timer waits on the level of the highest digit in which its time differs
 * from the wheel's, in the slot of that digit: so everything on a lower level is due before anything on a higher one,
 * and the next slot to look at is the first occupied one of the lowest occupied level, however far away it is.  When
 * the wheel reaches a slot of level 0 its timers are due; a higher one is emptied onto the levels below.  A timer is
 * thus moved at most once a level.
 *
 * Stopping a timer knows nothing of the wheel: the bit of a slot that it leaves empty is cleared when next seen.
 */
#include "common/timer.h"

#include "common/clock.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#define DIGIT_BITS 6
#define SLOTS (1 << DIGIT_BITS)
#define LEVELS ((63 + DIGIT_BITS - 1) / DIGIT_BITS) /* every int64_t that is not negative */

#define FIRED_PER_PASS 256
#define MOVED_PER_PASS 4096

struct level {
	uint64_t occupied; /* a set bit: the slot may have timers; a clear one: it has none */
	struct list slots[SLOTS];
};

struct timers {
	struct event_base *base; /* NULL: driven by hand */
	struct event *event;	 /* NULL without a base */
	int64_t armed_ms;	 /* when event fires; INT64_MAX while it is not pending */
	bool advancing;		 /* within timers_advance() */
	int64_t now_ms;		 /* what timers_advance() was last told */
	int64_t wheel_ms;	 /* how far the wheel has turned: everything in it is later */
	struct list due;	 /* to be fired, before the wheel turns on */
	struct list next_pass;	 /* due, but started since the pass began */
	struct list
		falling; /* of the slot last reached, to be put on lower levels before the wheel turns on */
	struct level levels[LEVELS];
};

/* A slot of the wheel. */
struct place {
	int level;
	int slot;
	int64_t start_ms; /* the earliest time that can be in it */
};

static int
digit_of(int64_t ms, int level)
{
	return (ms >> (level * DIGIT_BITS)) & (SLOTS - 1);
}

/* Puts a timer that is on no list into the wheel; due_now takes it if its time has come. */
static void
put(struct timers *timers, struct timer *timer, struct list *due_now)
{
	struct level *level;
	int number, slot;

	if (timer->at_ms <= timers->wheel_ms) {
		list_add_tail(due_now, &timer->link);
		return;
	}
	number = (63 - __builtin_clzll((uint64_t)(timer->at_ms ^ timers->wheel_ms))) / DIGIT_BITS;
	slot = digit_of(timer->at_ms, number);
	level = &timers->levels[number];
	level->occupied |= UINT64_C(1) << slot;
	list_add_tail(&level->slots[slot], &timer->link);
}

/* Finds the next slot that has timers; false if none has. */
static bool
next_place(const struct timers *timers, struct place *ret_place)
{
	for (int i = 0; i < LEVELS; i++) {
		uint64_t left = timers->levels[i].occupied;

		for (; left; left &= left - 1) {
			int slot = __builtin_ctzll(left);
			int shift = i * DIGIT_BITS;
			int64_t above = shift + DIGIT_BITS > 62
						? 0
						: timers->wheel_ms >> (shift + DIGIT_BITS)
									      << (shift + DIGIT_BITS);

			if (list_is_empty(&timers->levels[i].slots[slot]))
				continue;
			*ret_place = (struct place){i, slot, above | (int64_t)slot << shift};
			return true;
		}
	}
	return false;
}

/* Clears the bits of the empty slots before place. */
static void
forget_empty(struct timers *timers, const struct place *place)
{
	for (int i = 0; i < place->level; i++)
		timers->levels[i].occupied = 0;
	timers->levels[place->level].occupied &= ~UINT64_C(0) << place->slot;
}

/* Turns the wheel on until something is due, or to now_ms.  Moves at most *moves timers; false if it needs more. */
static bool
turn(struct timers *timers, int64_t now_ms, unsigned *moves)
{
	struct place place;

	for (;;) {
		while (!list_is_empty(&timers->falling)) {
			struct timer *timer = container_of(timers->falling.next, struct timer, link);

			if (!*moves)
				return false;
			--*moves;
			list_remove(&timer->link);
			put(timers, timer, &timers->due);
		}
		if (!list_is_empty(&timers->due))
			return true;
		if (!next_place(timers, &place)) {
			place = (struct place){LEVELS - 1, SLOTS - 1, INT64_MAX};
		}
		forget_empty(timers, &place);
		if (place.start_ms > now_ms) {
			if (timers->wheel_ms < now_ms)
				timers->wheel_ms = now_ms;
			return true;
		}
		timers->wheel_ms = place.start_ms;
		timers->levels[place.level].occupied &= ~(UINT64_C(1) << place.slot);
		list_splice(place.level ? &timers->falling : &timers->due,
			&timers->levels[place.level].slots[place.slot]);
	}
}

int64_t
timers_next_ms(const struct timers *timers, int64_t now_ms)
{
	struct place place;

	if (!list_is_empty(&timers->due) || !list_is_empty(&timers->next_pass) ||
		!list_is_empty(&timers->falling))
		return 0;
	if (!next_place(timers, &place))
		return -1;
	return place.start_ms > now_ms ? place.start_ms - now_ms : 0;
}

/* Makes the event fire no later than at_ms. */
static void
arm(struct timers *timers, int64_t at_ms)
{
	int64_t after_ms;
	struct timeval tv;

	if (!timers->event || at_ms >= timers->armed_ms)
		return;
	after_ms = at_ms - clock_mono_ms();
	if (after_ms < 0)
		after_ms = 0;
	tv = (struct timeval){.tv_sec = after_ms / 1000, .tv_usec = after_ms % 1000 * 1000};
	timers->armed_ms = at_ms;
	if (event_add(timers->event, &tv))
		abort(); /* out of memory */
}

bool
timers_advance(struct timers *timers, int64_t now_ms, unsigned budget)
{
	unsigned moves = MOVED_PER_PASS;
	int64_t next_ms;

	assert(!timers->advancing);
	timers->advancing = true;
	if (timers->now_ms < now_ms)
		timers->now_ms = now_ms;
	list_splice(&timers->due, &timers->next_pass);
	while (turn(timers, timers->now_ms, &moves) && !list_is_empty(&timers->due) && budget) {
		struct timer *timer = container_of(timers->due.next, struct timer, link);

		budget--;
		list_remove(&timer->link);
		timer->fn(timer);
	}
	timers->advancing = false;
	next_ms = timers_next_ms(timers, timers->now_ms);
	if (next_ms >= 0)
		arm(timers, timers->now_ms + next_ms);
	return next_ms == 0;
}

static void
on_time(evutil_socket_t fd, short what, void *arg)
{
	struct timers *timers = arg;

	/* Where more is due the event is armed for no time at all: the loop looks at the descriptors in between. */
	timers->armed_ms = INT64_MAX;
	timers_advance(timers, clock_mono_ms(), FIRED_PER_PASS);
}

int
timers_new(struct event_base *base, struct timers **ret_timers)
{
	struct timers *timers = calloc(1, sizeof(*timers));

	if (!timers)
		return -ENOMEM;
	timers->base = base;
	timers->armed_ms = INT64_MAX;
	timers->now_ms = clock_mono_ms();
	timers->wheel_ms = timers->now_ms;
	list_init(&timers->due);
	list_init(&timers->next_pass);
	list_init(&timers->falling);
	for (int i = 0; i < LEVELS; i++)
		for (int slot = 0; slot < SLOTS; slot++)
			list_init(&timers->levels[i].slots[slot]);
	if (base) {
		timers->event = evtimer_new(base, on_time, timers);
		if (!timers->event) {
			free(timers);
			return -ENOMEM;
		}
	}
	*ret_timers = timers;
	return 0;
}

static void
forget_all(struct list *list)
{
	while (!list_is_empty(list))
		list_remove(list->next);
}

void
timers_free(struct timers *timers)
{
	if (!timers)
		return;
	assert(!timers->advancing);
	forget_all(&timers->due);
	forget_all(&timers->next_pass);
	forget_all(&timers->falling);
	for (int i = 0; i < LEVELS; i++)
		for (int slot = 0; slot < SLOTS; slot++)
			forget_all(&timers->levels[i].slots[slot]);
	if (timers->event)
		event_free(timers->event);
	free(timers);
}

void
timer_init(struct timer *timer, timer_fn fn)
{
	list_init(&timer->link);
	timer->at_ms = 0;
	timer->fn = fn;
}

/* When a timer of after_ms is to fire.  A part of a millisecond has passed already: it must not count. */
static int64_t
time_after(const struct timers *timers, int64_t after_ms)
{
	int64_t now_ms = timers->base ? clock_mono_us() / 1000 : timers->now_ms;

	if (after_ms <= 0)
		return now_ms;
	if (timers->base)
		now_ms = (clock_mono_us() + 999) / 1000;
	return after_ms > INT64_MAX - now_ms ? INT64_MAX : now_ms + after_ms;
}

void
timer_start(struct timers *timers, struct timer *timer, int64_t after_ms)
{
	list_remove(&timer->link);
	timer->at_ms = time_after(timers, after_ms);
	put(timers, timer, &timers->next_pass);
	if (!timers->advancing)
		arm(timers, timer->at_ms);
}

void
timer_stop(struct timer *timer)
{
	list_remove(&timer->link);
}

bool
timer_is_running(const struct timer *timer)
{
	return !list_is_empty(&timer->link);
}
