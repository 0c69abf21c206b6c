/* Fuzzes the head of a CGI response: whatever comes, it is found alike in one piece and in many, and what it
 * yields is sound. */
#include "common/text.h"
#include "work/program/cgi.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_field(const struct field *field)
{
	static const char *const never[] = {"Status", "Connection", "Content-Length", "Date", "Keep-Alive",
		"Server", "Transfer-Encoding", "Upgrade"};

	assert(text_is_token(field->name, field->name_len));
	assert(!memchr(field->value, '\n', field->value_len) &&
		!memchr(field->value, '\0', field->value_len));
	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		assert(!text_equal_nocase(field->name, field->name_len, never[i]));
}

static void
check_response(int status, const struct fields *fields)
{
	struct fields again;

	assert(status >= 200 && status <= 599);
	if (fields->len == 0)
		return;
	fields_for_each(field, fields)
		check_field(&field);
	int rc = fields_from_wire(&again, fields->wire, fields->len);
	assert(rc == 0);
	fields_fini(&again);
}

/* The first byte says how long the pieces are; what follows it is the response. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	const char *response = (const char *)data + 1;
	size_t len = size - 1, step = (size_t)data[0] + 1, found = 0;
	size_t whole = cgi_head_len(response, len, 0);

	for (size_t seen = 0; seen < len && found == 0; seen += step)
		found = cgi_head_len(response, seen + step < len ? seen + step : len, seen);
	assert(found == whole);

	struct fields fields = {0};
	int status = 0;
	if (cgi_parse_head(response, whole ? whole : len, &status, &fields) == 0) {
		assert(whole > 0);
		check_response(status, &fields);
	} else {
		assert(status == 0 && !fields.wire);
	}
	fields_fini(&fields);
	return 0;
}
