/* Where a result goes: a file or standard output, piece by piece. */
#pragma once

#include "common/text.h"

#include <stddef.h>
#include <stdint.h>

struct output {
	const char *path; /* NULL: standard output */
	int fd;		  /* -1: not yet open */
	uint64_t bytes;	  /* written to it */
	char last;	  /* of these, on a terminal */
};

void output_init(struct output *output, const char *path);

/* Writes all of data; -errno.  On a terminal, control characters (C0, C1) become question marks. */
__attribute__((warn_unused_result)) int output_write(struct output *output, const char *data, size_t len);

/* Writes a whole text and a line end. */
__attribute__((warn_unused_result)) int output_line(struct output *output, const struct text *text);

/* Makes the file empty before another attempt; -EEXIST if bytes are out that cannot be taken back. */
__attribute__((warn_unused_result)) int output_restart(struct output *output);

/* Creates the file of a result without bytes, and closes it; -errno. */
__attribute__((warn_unused_result)) int output_finish(struct output *output);
