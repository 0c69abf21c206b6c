/* A request whose transport is a fake. */
#include "tests/unit/server/http/message/fake_request.h"

#include "common/list.h"
#include "http/message/transport.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

static struct fake_request *
fake_of(const struct http_request *request)
{
	return container_of(request, struct fake_request, request);
}

static const char *
get_field(const struct http_request *request, const char *name)
{
	for (const char *const *field = fake_of(request)->fields; field && *field; field += 2)
		if (strcasecmp(field[0], name) == 0)
			return field[1];
	return NULL;
}

static void
each_field(const struct http_request *request, http_each_fn fn, void *arg)
{
	for (const char *const *field = fake_of(request)->fields; field && *field; field += 2)
		fn(field[0], field[1], arg);
}

static void
admitted(struct http_request *request)
{
	fake_of(request)->is_admitted = true;
}

static const char *
persistence(struct http_request *request)
{
	return fake_of(request)->persistence;
}

static void
write_piece(struct http_request *request, const struct text *piece)
{
	assert_false(fake_of(request)->has_ended);
	text_add(&fake_of(request)->written, piece->data, piece->len);
}

static int
write_blob(struct http_request *request, struct blob *body)
{
	fake_of(request)->blob = blob_ref(body);
	return fake_of(request)->write_blob_rc;
}

static void
cut_short(struct http_request *request)
{
	assert_non_null(request->peer);
	fake_of(request)->is_cut_short = true;
}

static void
end(struct http_request *request)
{
	struct fake_request *fake = fake_of(request);

	assert_false(fake->has_ended);
	fake->has_ended = true;
	if (fake->written.len > 0)
		fake->body = strstr(fake->written.data, "\r\n\r\n") + 4;
	http_request_fini(request);
}

static const struct http_transport fake_transport = {
	.field = get_field,
	.each_field = each_field,
	.admitted = admitted,
	.persistence = persistence,
	.write = write_piece,
	.write_blob = write_blob,
	.cut_short = cut_short,
	.end = end,
};

void
fake_request_init(struct fake_request *fake, struct http_shared *shared, enum http_method method,
	const char *const *fields)
{
	*fake = (struct fake_request){.peer = {.address = "192.0.2.1"}, .fields = fields};
	fake->request = (struct http_request){
		.method = method, .transport = &fake_transport, .peer = &fake->peer, .shared = shared};
}

void
fake_request_fini(struct fake_request *fake)
{
	text_fini(&fake->written);
	blob_unref(fake->blob);
	if (!fake->has_ended)
		http_request_fini(&fake->request);
}

void
fake_request_leave(struct fake_request *fake)
{
	http_request_leave(&fake->request);
}

int
fake_request_status(const struct fake_request *fake)
{
	assert_true(fake->has_ended);
	assert_memory_equal(fake->written.data, "HTTP/1.1 ", 9);
	return atoi(fake->written.data + 9);
}

bool
fake_request_has_line(const struct fake_request *fake, const char *line)
{
	struct text wanted = {0};

	text_addf(&wanted, "\r\n%s\r\n", line);
	bool has = strstr(fake->written.data, wanted.data) != NULL;
	text_fini(&wanted);
	return has;
}
