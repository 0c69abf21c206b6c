/* W3C Trace Context: the traceparent field, taken when it is valid, else made. */
#pragma once

#include <stdbool.h>

/* "00-<32 digits>-<16 digits>-<2 digits>" and its NUL. */
#define TRACEPARENT_SIZE 56

/* Whether value is a traceparent that must be honoured: of version 00, or of a later one that begins like
 * it. */
bool trace_is_valid(const char *value);

/* Makes a new, sampled trace.  Any thread. */
void trace_make(char ret_value[static TRACEPARENT_SIZE]);
