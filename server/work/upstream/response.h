/*
 * The response of an upstream as it arrives: header lines, then pieces of the body, which go to a blob sink.
 * Interim responses (1xx) and trailers are dropped.
 */
#pragma once

#include "common/blob.h"
#include "common/http/fields.h"
#include "work/upstream/target.h"
#include "work/work.h"

#include <stdbool.h>

/* The longest header of a response in bytes. */
#define UPSTREAM_HEADER_MAX ((size_t)64 * 1024)

struct upstream_response {
	int status;	       /* of the last header; 0: none has come */
	bool decodes;	       /* a content coding is undone if it can be */
	bool is_head_done;     /* the final response's header is complete */
	size_t head_bytes;     /* of it so far */
	unsigned field_count;  /* likewise */
	struct fields fields;  /* of it */
	struct coding *coding; /* of the body, which is undone; NULL: none */
	struct blob_sink sink;
	int error; /* why it is refused: 0 (it is not), -EBADMSG, -EFBIG, -errno of the disk */
};

void upstream_response_init(
	struct upstream_response *response, int spool_fd, uint64_t max_bytes, bool decodes);
void upstream_response_fini(struct upstream_response *response);

/* Take a header line with its line end, and a piece of the body.  0 or the new value of error. */
__attribute__((warn_unused_result)) int upstream_response_take_line(
	struct upstream_response *response, const char *line, size_t len, bool is_head_request);
__attribute__((warn_unused_result)) int upstream_response_take_body(
	struct upstream_response *response, const char *data, size_t len);

/* Makes the result of a complete response: without hop-by-hop fields, and with Location, Content-Location and Link mapped to our URLs.
 * -EBADMSG if the header is incomplete, -errno of the disk; ret_result is then unchanged. */
__attribute__((warn_unused_result)) int upstream_response_finish(struct upstream_response *response,
	const struct upstream_target *target, const struct work_input *input, struct work_result *ret_result);
