/*
 * A time is read as digits of six bits.  A timer waits on the level of the highest digit in which its time
 * differs from the wheel's, in the slot of that digit: so everything on a lower level is due before anything
 * on a higher one, and the next slot to look at is the first occupied one of the lowest occupied level,
 * however far away it is.  When the wheel reaches a slot of level 0 its timers are due; those of a higher one
 * fall onto the levels below.  A timer is thus moved at most once a level.  Where very many fall at once they
 * are moved over several passes; meanwhile the wheel turns on for the others, and whose time has then come is
 * fired late rather than holding up the loop.
 *
 * Stopping a timer knows nothing of the wheel: the bit of a slot that it leaves empty is cleared when next
 * seen.
 */
#include "common/loop/timer.h"

#include "common/clock.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#define DIGIT_BITS 6
#define SLOTS (1 << DIGIT_BITS)
#define LEVELS ((63 + DIGIT_BITS - 1) / DIGIT_BITS) /* for every int64_t that is not negative */

#define FIRED_PER_PASS 256
#define MOVED_PER_PASS 4096

struct timers {
	struct event *event; /* what wakes the wheel; NULL: it is driven by hand */
	int64_t armed_ms;    /* when event fires; INT64_MAX while it is not pending */
	int64_t now_ms;	     /* what timers_advance() was last told */
	int64_t wheel_ms;    /* how far the wheel has turned: everything in the slots is later */
	bool advancing;	     /* within timers_advance() */

	struct list due;       /* to be fired before the wheel turns on */
	struct list next_pass; /* due as well, but started since this pass began */
	struct list falling;   /* from higher slots that the wheel has reached, to be put on lower levels */

	uint64_t occupied[LEVELS]; /* a clear bit: the slot is empty; a set one: it may have timers */
	struct list slots[LEVELS][SLOTS];
};

/* A slot of the wheel. */
struct place {
	int level; /* LEVELS: no slot */
	int slot;
	int64_t start_ms; /* the earliest time that can be in it */
};

/* Puts a timer that is on no list where its time says; if that has come, on due. */
static void
put(struct timers *timers, struct timer *timer, struct list *due)
{
	int level, slot;

	if (timer->at_ms <= timers->wheel_ms) {
		list_add_tail(due, &timer->link);
		return;
	}
	level = (63 - __builtin_clzll((uint64_t)(timer->at_ms ^ timers->wheel_ms))) / DIGIT_BITS;
	slot = (timer->at_ms >> (level * DIGIT_BITS)) & (SLOTS - 1);
	timers->occupied[level] |= UINT64_C(1) << slot;
	list_add_tail(&timers->slots[level][slot], &timer->link);
}

/* The first slot that has timers. */
static struct place
next_place(const struct timers *timers)
{
	for (int level = 0; level < LEVELS; level++) {
		int shift = level * DIGIT_BITS;

		for (uint64_t left = timers->occupied[level]; left; left &= left - 1) {
			int slot = __builtin_ctzll(left);
			uint64_t above = (uint64_t)timers->wheel_ms >> shift & ~(uint64_t)(SLOTS - 1);

			if (!list_is_empty(&timers->slots[level][slot]))
				return (struct place){
					level, slot, (int64_t)((above | (unsigned)slot) << shift)};
		}
	}
	return (struct place){LEVELS, 0, INT64_MAX};
}

/* Clears the bits of the slots before place, which next_place() found empty. */
static void
forget_before(struct timers *timers, const struct place *place)
{
	for (int level = 0; level < place->level; level++)
		timers->occupied[level] = 0;
	if (place->level < LEVELS)
		timers->occupied[place->level] &= ~UINT64_C(0) << place->slot;
}

/* Puts what falls where it belongs, *moves timers at most. */
static void
move_falling(struct timers *timers, unsigned *moves)
{
	while (*moves > 0 && !list_is_empty(&timers->falling)) {
		struct timer *timer = container_of(timers->falling.next, struct timer, link);

		--*moves;
		list_remove(&timer->link);
		put(timers, timer, &timers->due);
	}
}

/* Turns the wheel until something is due or it has come to now_ms. */
static void
turn(struct timers *timers, unsigned *moves)
{
	while (move_falling(timers, moves), list_is_empty(&timers->due)) {
		struct place place = next_place(timers);
		struct list *slot;

		forget_before(timers, &place);
		if (place.level == LEVELS || place.start_ms > timers->now_ms) {
			timers->wheel_ms = timers->now_ms;
			return;
		}
		timers->wheel_ms = place.start_ms;
		slot = &timers->slots[place.level][place.slot];
		list_splice(place.level > 0 ? &timers->falling : &timers->due, slot);
	}
}

int64_t
timers_next_ms(const struct timers *timers, int64_t now_ms)
{
	struct place place;

	if (!list_is_empty(&timers->due) || !list_is_empty(&timers->next_pass) ||
		!list_is_empty(&timers->falling))
		return 0;
	place = next_place(timers);
	if (place.level == LEVELS)
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
	if (event_add(timers->event, &tv) < 0)
		abort(); /* out of memory */
	timers->armed_ms = at_ms;
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
	for (; budget > 0; budget--) {
		struct timer *timer;

		turn(timers, &moves);
		if (list_is_empty(&timers->due))
			break;
		timer = container_of(timers->due.next, struct timer, link);
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

	/* Where more is due the event is armed for at once: the loop looks at the descriptors in between. */
	timers->armed_ms = INT64_MAX;
	timers_advance(timers, clock_mono_ms(), FIRED_PER_PASS);
}

int
timers_new(struct event_base *base, struct timers **ret_timers)
{
	struct timers *timers = calloc(1, sizeof *timers);

	if (!timers)
		return -ENOMEM;
	timers->event = base ? evtimer_new(base, on_time, timers) : NULL;
	if (base && !timers->event) {
		free(timers);
		return -ENOMEM;
	}
	timers->armed_ms = INT64_MAX;
	timers->now_ms = clock_mono_ms();
	timers->wheel_ms = timers->now_ms;
	list_init(&timers->due);
	list_init(&timers->next_pass);
	list_init(&timers->falling);
	for (int i = 0; i < LEVELS * SLOTS; i++)
		list_init(&timers->slots[i / SLOTS][i % SLOTS]);
	*ret_timers = timers;
	return 0;
}

static void
empty(struct list *list)
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
	empty(&timers->due);
	empty(&timers->next_pass);
	empty(&timers->falling);
	for (int i = 0; i < LEVELS * SLOTS; i++)
		empty(&timers->slots[i / SLOTS][i % SLOTS]);
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

/* The time that is after_ms from now. */
static int64_t
time_after(const struct timers *timers, int64_t after_ms)
{
	int64_t now_ms = timers->now_ms;

	if (timers->event) {
		int64_t now_us = clock_mono_us();

		/* The rest of the millisecond that has begun does not count as one. */
		now_ms = (now_us + (after_ms > 0 ? 999 : 0)) / 1000;
	}
	if (after_ms <= 0)
		return now_ms;
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
