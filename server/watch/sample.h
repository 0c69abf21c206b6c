/* Pieces of Prometheus' text format 0.0.4. */
#pragma once

#include "common/text.h"

/* What stands before the samples of a family; type is "counter", "gauge" or "histogram". */
void sample_add_head(struct text *text, const char *name, const char *type, const char *help);

/* A family of one sample without labels. */
void sample_add_value(struct text *text, const char *name, const char *type, const char *help, double value);

/* Adds name="value", with what the format wants escaped. */
void sample_add_label(struct text *text, const char *name, const char *value);
