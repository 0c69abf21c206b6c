/* JSON Schema.  schema_node.h describes its parts. */
#include "common/schema/schema.h"

#include "common/cleanup.h"
#include "common/id.h"
#include "common/json/json.h"
#include "common/list.h"
#include "common/schema/defaults.h"
#include "common/schema/engine/compiler.h"
#include "common/schema/engine/refs.h"
#include "common/schema/engine/run.h"
#include "common/schema/keywords/keywords.h"

#include <errno.h>
#include <stdlib.h>

/* unevaluatedItems and unevaluatedProperties (the rest) come last: they depend on what the others have
 * evaluated. */
static const struct schema_vocabulary *const vocabularies[] = {
	&schema_refs_vocabulary,
	&schema_notes_vocabulary,
	&schema_values_vocabulary,
	&schema_arrays_vocabulary,
	&schema_objects_vocabulary,
	&schema_logic_vocabulary,
	&schema_rest_vocabulary,
	NULL,
};

/* Whether value nests at most depth deep. */
static bool
is_within_depth(struct json_object *value, unsigned depth)
{
	if (!(schema_kind(value) & (SCHEMA_OBJECT | SCHEMA_ARRAY)))
		return true;
	if (depth == 0)
		return false;
	if (schema_kind(value) == SCHEMA_OBJECT) {
		json_object_object_foreach(value, name, member)
		{
			(void)name;
			if (!is_within_depth(member, depth - 1))
				return false;
		}
		return true;
	}
	for (size_t i = 0; i < json_object_array_length(value); i++)
		if (!is_within_depth(json_object_array_get_idx(value, i), depth - 1))
			return false;
	return true;
}

/* Each step needs what the ones before it have made, and that there was no mistake in it. */
static void
compile_document(struct schema_compiler *compiler)
{
	struct schema *schema = compiler->schema;

	schema_refs_add_document(compiler);
	schema->root = schema_compiler_add(compiler, schema->document);
	if (!schema->root)
		return;
	schema_refs_resolve(compiler);
	if (compiler->mistake_count == 0)
		schema_refs_check_chains(compiler);
	if (compiler->mistake_count == 0)
		schema_defaults_prepare(compiler);
}

int
schema_compile(struct json_object *document, const struct schema_options *options, struct schema **ret_schema,
	struct text *ret_mistake)
{
	struct schema_compiler compiler = {
		.vocabularies = vocabularies, .enter = schema_refs_enter, .mistakes = ret_mistake};

	if (!is_within_depth(document, JSON_DEPTH_MAX)) {
		schema_compiler_mistake(&compiler, "nested too deeply");
		return -EINVAL;
	}
	compiler.schema = xcalloc(1, sizeof *compiler.schema);
	compiler.schema->options = *options;
	random_bytes(compiler.schema->hash_key, sizeof compiler.schema->hash_key);
	if (document && json_object_deep_copy(document, &compiler.schema->document, NULL) < 0)
		abort();
	schema_compiler_init(&compiler);
	compile_document(&compiler);
	schema_compiler_fini(&compiler);
	if (compiler.mistake_count > 0) {
		schema_free(compiler.schema);
		return -EINVAL;
	}
	*ret_schema = compiler.schema;
	return 0;
}

static void
free_resource(struct schema_resource *resource)
{
	free(resource->uri);
	free(resource->anchors);
	free(resource);
}

void
schema_free(struct schema *schema)
{
	if (!schema)
		return;
	for (size_t i = 0; i < schema->node_count; i++)
		schema_node_free(schema->nodes[i]);
	for (size_t i = 0; i < schema->resource_count; i++)
		free_resource(schema->resources[i]);
	free(schema->nodes);
	free(schema->resources);
	json_object_put(schema->document);
	free(schema);
}

int
schema_validate(const struct schema *schema, struct json_object *instance, struct json_object **ret_errors)
{
	struct schema_spot spot = {.value = instance};
	struct schema_run run = {
		.schema = schema,
		.steps_left = schema->options.max_steps ? schema->options.max_steps : SCHEMA_STEPS,
		.quiet = !ret_errors,
	};

	if (ret_errors && !(run.errors = json_object_new_array()))
		abort();
	bool good = schema_run_apply(&run, NULL, schema->root, &spot, NULL);
	schema_matcher_fini(&run.matcher);
	if (good && !run.failed) {
		json_object_put(run.errors);
		return 0;
	}
	if (ret_errors)
		*ret_errors = run.errors;
	return -EINVAL;
}
