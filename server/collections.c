/* Conversion of a route's collection and schema settings for the store and the styles. */
#include "collections.h"

#include "common/cleanup.h"
#include "common/json/json.h"
#include "common/schema/schema.h"
#include "common/string_list.h"
#include "config/config.h"
#include "config/pattern.h"
#include "store/resources.h"

#include <stdlib.h>
#include <string.h>

/* Steps of validation on the loop: about a millisecond. */
#define QUICK_STEPS 100000

/* Returns the name of the path's last parameter, which is the id of the parent. */
static char *
last_name(const char *pattern)
{
	char *last = NULL;

	for (struct pattern_segment segment = {0}; pattern_next(pattern, &segment);) {
		if (segment.kind != PATTERN_NAME)
			continue;
		free(last);
		last = xstrndup(segment.text, segment.len);
	}
	return last;
}

static const struct config_route *
find_collection(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->route_count; i++)
		if (config->routes[i].collection.name && strcmp(config->routes[i].collection.name, name) == 0)
			return &config->routes[i];
	return NULL;
}

/* The collections above the parent's.  The configuration check has refused circles. */
static char **
names_above(const struct config *config, const char *parent)
{
	char **names = xcalloc(config->route_count + 1, sizeof *names);

	for (size_t count = 0; parent && count < config->route_count; count++) {
		const struct config_route *route = find_collection(config, parent);
		parent = route ? route->collection.parent : NULL;
		names[count] = xstrdup(parent);
	}
	return names;
}

struct store_collection *
route_collection_new(const struct config *config, const struct config_route *route)
{
	struct store_collection *collection = xcalloc(1, sizeof *collection);

	collection->references = 1;
	collection->name = xstrdup(route->collection.name);
	collection->parent = xstrdup(route->collection.parent);
	collection->parent_member = route->collection.parent ? last_name(route->path) : NULL;
	collection->above = names_above(config, route->collection.parent);
	collection->unique = string_list_dup(route->collection.unique);
	collection->index = string_list_dup(route->collection.index);
	collection->envelope = string_list_dup(route->collection.envelope);
	collection->delete_status = route->collection.delete_status;
	return collection;
}

static int
compile(const struct config_route *config, uint64_t max_steps, struct schema **ret_schema)
{
	struct schema_options options = {.assert_formats = config->assert_formats, .max_steps = max_steps};
	CLEANUP(text_fini) struct text mistakes = {0};

	return schema_compile(config->schema, &options, ret_schema, &mistakes);
}

int
route_schemas_new(const struct config_route *config, struct schema **ret_schema, struct schema **ret_quick)
{
	struct schema *schema = NULL, *quick = NULL;
	int rc = 0;

	if (config->schema) {
		rc = compile(config, 0, &schema);
		if (rc == 0)
			rc = compile(config, QUICK_STEPS, &quick);
	}
	if (rc < 0) {
		schema_free(schema);
		return rc;
	}
	*ret_schema = schema;
	*ret_quick = quick;
	return 0;
}

char **
route_members_new(const struct config_route *config)
{
	struct json_object *properties =
		config->schema ? json_find(config->schema, "properties", NULL) : NULL;
	size_t count = 0;

	if (!json_object_is_type(properties, json_type_object))
		return NULL;
	char **members = xcalloc((size_t)json_object_object_length(properties) + 1, sizeof *members);
	json_object_object_foreach(properties, name, value)
	{
		(void)value;
		members[count++] = xstrdup(name);
	}
	return members;
}
