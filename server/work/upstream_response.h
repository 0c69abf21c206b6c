/*
 * The answer of an upstream as it comes: header lines, then pieces of the body, which go to a sink.  Interim
 * responses (1xx) and trailers are passed over.
 */
#pragma once

#include "common/blob.h"
#include "common/fields.h"
#include "work/upstream_target.h"
#include "work/work.h"

#include <stdbool.h>

/* The longest header of a response in bytes. */
#define UPSTREAM_HEADER_MAX ((size_t)64 * 1024)

struct upstream_response {
	int status;	      /* of the header that came last; 0: none has */
	bool is_head_done;    /* the final response's header has come whole */
	size_t head_bytes;    /* of it so far */
	struct fields fields; /* of it */
	struct blob_sink sink;
	int error; /* why no more is taken: 0, -EBADMSG, -EFBIG, -errno of the disk */
};

void upstream_response_init(struct upstream_response *response, int spool_fd, uint64_t max_bytes);
void upstream_response_fini(struct upstream_response *response);

/* Take a header line with its line end, and a piece of the body: 0 or what error then is. */
__attribute__((warn_unused_result)) int upstream_response_take_line(
	struct upstream_response *response, const char *line, size_t len, bool is_head_request);
__attribute__((warn_unused_result)) int upstream_response_take_body(
	struct upstream_response *response, const char *data, size_t len);

/* Makes the result of an answer that has come whole: without what belonged to its connection, and with its
 * Locations mapped back.  -EBADMSG if it cannot be one, -errno of the disk; ret_result is then as it was. */
__attribute__((warn_unused_result)) int upstream_response_finish(struct upstream_response *response,
	const struct upstream_target *target, const struct work_input *input, struct work_result *ret_result);
