/* Writers for Prometheus' text format 0.0.4.  Any thread. */
#pragma once

#include "common/text.h"

/* Adds the two lines before the samples of a family; type is "counter", "gauge" or "histogram". */
void sample_add_head(struct text *text, const char *name, const char *type, const char *help);

/* Adds a family of one sample without labels. */
void sample_add_value(struct text *text, const char *name, const char *type, const char *help, double value);

/* Adds name="value", escaped as the format requires. */
void sample_add_label(struct text *text, const char *name, const char *value);
