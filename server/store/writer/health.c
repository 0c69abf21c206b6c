/* Changes of health and their reports to the loop. */
#include "store/writer/health.h"

#include "common/list.h"
#include "common/text.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A change of health on its way to the loop. */
struct report {
	struct mail mail;
	void (*on_health)(void *arg, bool healthy, const char *why);
	void *arg;
	bool healthy;
	char *why;
};

static void
on_report(struct mail *mail)
{
	struct report *report = container_of(mail, struct report, mail);

	report->on_health(report->arg, report->healthy, report->why);
	free(report->why);
	free(report);
}

/* Takes ownership of why. */
static void
change(struct health *health, enum health_state state, char *why)
{
	bool good = state == HEALTH_GOOD;

	health->state = state;
	atomic_store(&health->good, good);
	if (!health->on_health) {
		free(why);
		return;
	}
	struct report *report = xcalloc(1, sizeof *report);
	report->mail.deliver = on_report;
	report->on_health = health->on_health;
	report->arg = health->arg;
	report->healthy = good;
	report->why = why;
	mailbox_post(health->mailbox, &report->mail);
}

static void
start_pause(struct health *health)
{
	clock_gettime(CLOCK_MONOTONIC, &health->again);
	uint64_t ns = (uint64_t)health->again.tv_nsec + (uint64_t)health->pause_ms * 1000000;
	health->again.tv_sec += (time_t)(ns / 1000000000);
	health->again.tv_nsec = (long)(ns % 1000000000);
}

void
health_start(struct health *health)
{
	health->state = HEALTH_GOOD;
	atomic_store(&health->good, true);
}

void
health_fail(struct health *health, int error, const char *what, const char *why_broken)
{
	start_pause(health);
	if (health->state == HEALTH_BROKEN)
		return;
	health->refusal = why_broken ? -EIO : health_refusal_of(error);
	if (why_broken)
		change(health, HEALTH_BROKEN,
			xasprintf("%s: %s; the state of the disk is unknown: nothing is accepted or stored "
				  "until deferd is started again",
				what, why_broken));
	else if (health->state == HEALTH_GOOD)
		change(health, HEALTH_REFUSING, xasprintf("%s: %s", what, strerror(-error)));
}

void
health_recover(struct health *health)
{
	assert(health->state == HEALTH_REFUSING);
	change(health, HEALTH_GOOD, xstrdup(""));
}

bool
health_is_pause_over(const struct health *health)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > health->again.tv_sec ||
	       (now.tv_sec == health->again.tv_sec && now.tv_nsec >= health->again.tv_nsec);
}

int
health_refusal_of(int error)
{
	return error == -ENOSPC || error == -EDQUOT || error == -EFBIG ? -ENOSPC : -EIO;
}
