/* State that all requests and replies of one server share. */
#include "http/message/shared.h"

#include "common/clock.h"
#include "common/id.h"

#include <string.h>

void
http_shared_init(struct http_shared *shared)
{
	random_bytes(&shared->id_prefix, sizeof shared->id_prefix);
}

void
http_shared_fini(struct http_shared *shared)
{
	text_fini(&shared->piece);
}

static void
put_hex(char *at, unsigned value)
{
	for (int i = 7; i >= 0; i--, value >>= 4)
		at[i] = "0123456789abcdef"[value & 15];
}

void
http_shared_choose_id(struct http_shared *shared, const char *given, char ret_id[static HTTP_REQUEST_ID_SIZE])
{
	size_t len = given ? strlen(given) : 0;

	if (len > 0 && len < HTTP_REQUEST_ID_SIZE && text_is_token(given, len)) {
		memcpy(ret_id, given, len + 1);
		return;
	}
	put_hex(ret_id, shared->id_prefix);
	put_hex(ret_id + 8, shared->id_count++);
	ret_id[16] = '\0';
}

const char *
http_shared_date(struct http_shared *shared)
{
	int64_t now_ms = clock_wall_about_ms();

	if (now_ms / 1000 != shared->date_s) {
		shared->date_s = now_ms / 1000;
		clock_format_http(now_ms, shared->date);
	}
	return shared->date;
}

void
http_shared_count_reply(
	struct http_shared *shared, const struct http_request *request, int status, uint64_t body_bytes)
{
	if (shared->on_reply)
		shared->on_reply(shared->arg, request, status, body_bytes);
}
