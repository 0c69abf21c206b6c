/* Writers for heads, values and labels of Prometheus' text format. */
#include "watch/sample.h"

void
sample_add_head(struct text *text, const char *name, const char *type, const char *help)
{
	text_addf(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void
sample_add_value(struct text *text, const char *name, const char *type, const char *help, double value)
{
	sample_add_head(text, name, type, help);
	text_addf(text, "%s %.15g\n", name, value);
}

void
sample_add_label(struct text *text, const char *name, const char *value)
{
	text_addf(text, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '\n')
			text_add_string(text, "\\n");
		else if (*value == '"' || *value == '\\')
			text_addf(text, "\\%c", *value);
		else
			text_add_char(text, *value);
	}
	text_add_char(text, '"');
}
