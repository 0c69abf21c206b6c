/* The nodes of a compiled schema. */
#include "common/schema/engine/node.h"

#include "common/schema/regex/regex.h"

#include <stdlib.h>
#include <string.h>

unsigned
schema_kind(struct json_object *value)
{
	static const unsigned kinds[] = {
		[json_type_null] = SCHEMA_NULL,
		[json_type_boolean] = SCHEMA_BOOLEAN,
		[json_type_double] = SCHEMA_NUMBER,
		[json_type_int] = SCHEMA_NUMBER,
		[json_type_object] = SCHEMA_OBJECT,
		[json_type_array] = SCHEMA_ARRAY,
		[json_type_string] = SCHEMA_STRING,
	};

	return kinds[json_object_get_type(value)];
}

const struct schema_keyword *
schema_node_find(const struct schema_node *node, const char *name)
{
	for (size_t i = 0; i < node->keyword_count; i++)
		if (strcmp(node->keywords[i].type->name, name) == 0)
			return &node->keywords[i];
	return NULL;
}

static int
compare_name(const void *name, const void *part)
{
	return strcmp(name, ((const struct schema_part *)part)->name);
}

const struct schema_part *
schema_keyword_find_part(const struct schema_keyword *keyword, const char *name)
{
	if (!keyword || keyword->part_count == 0)
		return NULL;
	return bsearch(name, keyword->parts, keyword->part_count, sizeof *keyword->parts, compare_name);
}

static void
free_keyword(struct schema_keyword *keyword)
{
	for (size_t i = 0; i < keyword->part_count; i++)
		schema_regex_free(keyword->parts[i].regex);
	free(keyword->parts);
	free(keyword->hint);
}

void
schema_node_free(struct schema_node *node)
{
	for (size_t i = 0; i < node->keyword_count; i++)
		free_keyword(&node->keywords[i]);
	free(node->keywords);
	free(node->pointer);
	free(node);
}
