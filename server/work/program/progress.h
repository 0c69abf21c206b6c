/* Progress as a program tells it: lines "PERCENT [text]", from 0 to 100. */
#pragma once

#include "work/program/lines.h"
#include "work/work.h"

#include <stddef.h>

/* A longer text is cut between two characters. */
#define PROGRESS_TEXT_MAX 200

struct progress {
	struct work_control *control; /* whose on_progress is told */
	struct lines lines;
	int percent; /* of the last good line; -1: none has come */
	char *text;  /* of the same; NULL: it had none */
	bool is_new; /* the two have not been told yet */
};

void progress_init(struct progress *progress, struct work_control *control);

/* Takes what the program wrote, and tells the last good line of it where that says something new.  What is no
 * such line is ignored, and so is a text that is not UTF-8. */
void progress_feed(struct progress *progress, const char *data, size_t len);

/* Takes a last line that was not ended. */
void progress_finish(struct progress *progress);

void progress_fini(struct progress *progress);
