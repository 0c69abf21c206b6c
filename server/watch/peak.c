/* A maximum over the last minutes, kept as the maxima of two windows. */
#include "watch/peak.h"

static void
move_on(struct peak *peak, int64_t now_ms)
{
	int64_t window = now_ms / PEAK_WINDOW_MS;

	if (window == peak->window)
		return;
	peak->before = window == peak->window + 1 ? peak->now : 0;
	peak->now = 0;
	peak->window = window;
}

void
peak_add(struct peak *peak, int64_t now_ms, int64_t value)
{
	move_on(peak, now_ms);
	if (value > peak->now)
		peak->now = value;
}

int64_t
peak_get(struct peak *peak, int64_t now_ms)
{
	move_on(peak, now_ms);
	return peak->now > peak->before ? peak->now : peak->before;
}
