/* Writes representations.  The document is inserted as the text that is stored. */
#include "store/shared/representation.h"

#include "common/clock.h"

#include <stdlib.h>
#include <string.h>

static void
add_date(struct text *text, const char *name, int64_t wall_ms)
{
	char date[CLOCK_ISO8601_SIZE];

	text_add_string(text, name);
	if (wall_ms == 0) {
		text_add_string(text, "null");
		return;
	}
	clock_format_iso8601(wall_ms, date);
	text_add_char(text, '"');
	text_add(text, date, sizeof date - 1);
	text_add_char(text, '"');
}

static void
add_id(struct text *text, const struct id *id)
{
	char digits[ID_TEXT_SIZE];

	id_format(id, digits);
	text_add_char(text, '"');
	text_add(text, digits, sizeof digits - 1);
	text_add_char(text, '"');
}

static void
add_parent(struct text *text, const char *member, const struct id *parent)
{
	if (!member)
		return;
	text_add_char(text, ',');
	text_add_json(text, member);
	text_add_char(text, ':');
	add_id(text, parent);
}

/* Each of thousands of creates a second needs this: no printf here. */
void
representation_add_inside(struct text *text, const struct store_collection *collection,
	const struct resource *resource, const char *url)
{
	text_reserve(text, 512 + strlen(resource->document));
	text_add_string(text, "{\"id\":");
	add_id(text, &resource->id);
	add_parent(text, collection->parent_member, &resource->parent);
	text_add_string(text, ",\"status\":\"");
	text_add_string(text, store_status_name(resource->status));
	text_add_string(text, "\",\"action\":\"");
	text_add_string(text, store_action_name(resource->action));
	text_add_string(text, "\",\"version\":");
	text_add_uint(text, resource->version);
	add_date(text, ",\"created_at\":", resource->created_ms);
	add_date(text, ",\"updated_at\":", resource->updated_ms);
	text_add_string(text, ",\"status_message\":");
	text_add_json(text, resource->status_message);
	text_add_string(text, ",\"links\":{\"self\":");
	text_add_json(text, url);
	text_add_char(text, '}');
	if (strcmp(resource->document, "{}") != 0)
		text_add_char(text, ',');
	text_add_string(text, resource->document + 1);
}

void
representation_add(struct text *text, const struct store_collection *collection,
	const struct resource *resource, const char *url)
{
	size_t depth = 0;

	for (; collection->envelope[depth]; depth++) {
		text_add_char(text, '{');
		text_add_json(text, collection->envelope[depth]);
		text_add_char(text, ':');
	}
	representation_add_inside(text, collection, resource, url);
	while (depth-- > 0)
		text_add_char(text, '}');
}

void
representation_of_change(struct store_change *change, const struct resource *resource)
{
	struct text text = {0};

	representation_add(&text, change->collection, resource, change->url);
	text_add_char(&text, '\n');
	free(change->representation);
	change->representation = text_take(&text);
	change->version = resource->version;
}

char *
store_pending_represent(
	const struct store_pending *pending, const struct store_collection *collection, const char *url)
{
	struct text text = {0};
	struct resource resource = {
		.id = pending->id,
		.parent = pending->parent,
		.status = STORE_PENDING,
		.action = pending->action,
		.version = pending->version,
		.created_ms = pending->created_ms,
		.updated_ms = pending->updated_ms,
		.document = pending->document,
	};

	representation_add(&text, collection, &resource, url);
	text_add_char(&text, '\n');
	return text_take(&text);
}
