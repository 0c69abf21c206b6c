/* The access log: one line per request and one per end of an operation. */
#include "watch/access_log.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/text.h"

#include <stdlib.h>
#include <string.h>

/* Adds the path with every id in it cut to its first characters, since an id is a secret. */
static void
add_path(struct text *line, const char *path, size_t len)
{
	while (len > 0) {
		struct id id;
		if (len >= ID_TEXT_SIZE - 1 && id_parse(path, ID_TEXT_SIZE - 1, &id) == 0) {
			text_addf(line, "%s...", LOG_ID(&id));
			path += ID_TEXT_SIZE - 1;
			len -= ID_TEXT_SIZE - 1;
			continue;
		}
		text_add_char(line, *path++);
		len--;
	}
}

static enum log_level
level_of(const struct http_request *request, int status)
{
	bool reads = request->method == HTTP_GET || request->method == HTTP_HEAD;

	return reads && status < 400 ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
}

void
access_log_reply(const struct http_request *request, int status, uint64_t body_bytes)
{
	enum log_level level = level_of(request, status);
	CLEANUP(text_fini) struct text path = {0};
	char principal[128];

	if (level > log_get_level())
		return;
	add_path(&path, request->path, request->path_len);
	if (request->is_refused) {
		log_write(level, "request refused", "method=%s path=%s status=%d client=%s request_id=%s",
			request->method ? http_method_name(request->method) : "-", path.len ? path.data : "-",
			status, http_request_remote_address(request), request->id);
		return;
	}
	log_write(level, "request",
		"method=%s path=%s status=%d bytes=%llu ms=%.3f client=%s user=%s request_id=%s",
		http_method_name(request->method), path.data, status, (unsigned long long)body_bytes,
		(double)(clock_mono_us() - request->began_us) / 1000, http_request_remote_address(request),
		log_quote(request->principal ? request->principal : "-", principal, sizeof principal),
		request->id);
}

void
access_log_end(const struct op *op)
{
	char route[256];

	if (LOG_LEVEL_INFO > log_get_level())
		return;
	log_info("operation ended", "id=%s route=%s style=%s state=%s status=%d wait_ms=%lld run_ms=%lld",
		LOG_ID(&op->id), log_quote(op_route_key(op), route, sizeof route),
		op->style[0] ? op->style : "sync", op_state_name((enum op_state)op->state), op->status,
		(long long)((op->started_ms ? op->started_ms : op->ended_ms) - op->accepted_ms),
		(long long)(op->started_ms ? op->ended_ms - op->started_ms : 0));
}
