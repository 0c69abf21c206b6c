/* What the parts of the document share: see openapi_parts.h. */
#include "openapi/parts.h"
#include "common/text.h"
#include "config/config.h"
#include "config/pattern.h"

#include <assert.h>
#include <ctype.h>
#include <json-c/json.h>

struct json_object *
openapi_parse(const char *text)
{
	struct json_object *value = json_tokener_parse(text);

	assert(value);
	return value;
}

void
openapi_put(struct json_object *object, const char *name, struct json_object *value)
{
	int error = json_object_object_add(object, name, value);

	assert(error == 0);
}

void
openapi_put_string(struct json_object *object, const char *name, const char *value)
{
	openapi_put(object, name, json_object_new_string(value));
}

void
openapi_append(struct json_object *array, struct json_object *value)
{
	int error = json_object_array_add(array, value);

	assert(error == 0);
}

struct json_object *
openapi_member(struct json_object *object, const char *name)
{
	struct json_object *member;

	if (!json_object_object_get_ex(object, name, &member)) {
		member = json_object_new_object();
		openapi_put(object, name, member);
	}
	return member;
}

struct json_object *
openapi_ref(const char *kind, const char *name)
{
	struct json_object *ref = json_object_new_object();
	struct text text = {0};

	text_addf(&text, "#/components/%s/%s", kind, name);
	openapi_put_string(ref, "$ref", text.data);
	text_fini(&text);
	return ref;
}

char *
openapi_path(const struct config_route *route, const char *suffix)
{
	struct pattern_segment segment = {0};
	struct text text = {0};

	text_add_string(&text, route->base_path);
	while (pattern_next(route->path, &segment)) {
		bool is_name = segment.kind != PATTERN_LITERAL;
		text_add_string(&text, is_name ? "/{" : "/");
		text_add(&text, segment.text, segment.len);
		text_add_string(&text, is_name ? "}" : "");
	}
	text_add_string(&text, suffix);
	return text_take(&text);
}

/* Adds a path so that two paths never become one name: "v1.zones.-id-" would not do, since "-" may stand in a
 * path. */
static void
add_component_name(struct text *name, const char *path)
{
	for (const unsigned char *c = (const unsigned char *)path; *c; c++) {
		if (*c == '/')
			text_add_char(name, '.');
		else if (isalnum(*c))
			text_add_char(name, (char)*c);
		else
			text_addf(name, "_%02X", *c);
	}
}

char *
openapi_schema_name(const struct config_route *route)
{
	struct text text = {0};

	if (route->work == CONFIG_COLLECTION) {
		text_addf(&text, "%s.members", route->collection.name);
	} else {
		add_component_name(&text, route->base_path);
		add_component_name(&text, route->path);
		text_addf(&text, ".%s", route->methods[0]);
	}
	return text_take(&text);
}
