/* The keywords that assert nothing. */
#include "common/schema/keywords/keywords.h"

#include "common/schema/engine/compiler.h"

/* Each member says whether a vocabulary is required; that matters for meta-schemas only. */
static bool
compile_vocabulary(struct schema_compiler *compiler, struct schema_node *node, struct schema_keyword *keyword)
{
	bool good = schema_kind(keyword->value) == SCHEMA_OBJECT;

	if (good) {
		json_object_object_foreach(keyword->value, name, value)
		{
			good &= *name && schema_kind(value) == SCHEMA_BOOLEAN;
		}
	}
	return good || schema_compiler_mistake(compiler, "must be an object of booleans");
}

/* Annotations (Validation, 8 and 9; Core, 8.1.2 and 8.3): of no consequence but for `default`. */
static const struct schema_keyword_type types[] = {
	{"$vocabulary", SCHEMA_ANY, false, compile_vocabulary, NULL},
	{"$comment", SCHEMA_ANY, false, schema_compiler_string, NULL},
	{"title", SCHEMA_ANY, false, schema_compiler_string, NULL},
	{"description", SCHEMA_ANY, false, schema_compiler_string, NULL},
	{"default", SCHEMA_ANY, false, schema_compiler_any, NULL},
	{"deprecated", SCHEMA_ANY, false, schema_compiler_flag, NULL},
	{"readOnly", SCHEMA_ANY, false, schema_compiler_flag, NULL},
	{"writeOnly", SCHEMA_ANY, false, schema_compiler_flag, NULL},
	{"examples", SCHEMA_ANY, false, schema_compiler_values, NULL},
	{"contentEncoding", SCHEMA_ANY, false, schema_compiler_string, NULL},
	{"contentMediaType", SCHEMA_ANY, false, schema_compiler_string, NULL},
	{"contentSchema", SCHEMA_ANY, false, schema_compiler_one, NULL},
};

const struct schema_vocabulary schema_notes_vocabulary = {types, sizeof types / sizeof *types};
