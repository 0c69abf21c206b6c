/* SIGINT, and what the user wants by it. */
#include "deferctl/interrupt.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t interrupts;

static void
on_interrupt(int signal)
{
	interrupts++;
}

void
interrupt_catch(void)
{
	/* No SA_RESTART: a read of the answer to a question ends. */
	struct sigaction action = {.sa_handler = on_interrupt};

	sigaction(SIGINT, &action, NULL);
}

int
interrupt_count(void)
{
	return interrupts;
}

void
interrupt_forget(void)
{
	interrupts = 0;
}

void
interrupt_sleep(int64_t ms)
{
	/* A signal just before the sleep costs one step of it. */
	while (ms > 0 && interrupts == 0) {
		int64_t step = ms > 200 ? 200 : ms;
		struct timespec pause = {0, (long)step * 1000000};
		nanosleep(&pause, NULL);
		ms -= step;
	}
}

enum interrupt_answer
interrupt_ask(const char *question)
{
	char answer[80];

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return INTERRUPT_AGAIN;
	int before = interrupts;
	fprintf(stderr, "\n%s [y/N] ", question);
	ssize_t len = read(STDIN_FILENO, answer, sizeof answer);
	if (interrupts != before || len <= 0)
		return INTERRUPT_AGAIN;
	return answer[0] == 'y' || answer[0] == 'Y' ? INTERRUPT_YES : INTERRUPT_NO;
}
