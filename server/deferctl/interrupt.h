/* SIGINT, and what the user wants by it. */
#pragma once

#include <stdint.h>

/* Counts SIGINTs from now on instead of ending. */
void interrupt_catch(void);

/* How many have come since they were last forgotten. */
int interrupt_count(void);
void interrupt_forget(void);

/* Sleeps; ends early at a SIGINT. */
void interrupt_sleep(int64_t ms);

enum interrupt_answer {
	INTERRUPT_NO,
	INTERRUPT_YES,
	INTERRUPT_AGAIN, /* another SIGINT, the end of input, or there is no terminal to ask on */
};

enum interrupt_answer interrupt_ask(const char *question);
