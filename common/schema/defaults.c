/*
 * Filling in defaults.
 *
 * Several schemas may speak of the same value: the one at hand, those that it comes to through $ref and
 * allOf, and for a member all that their `properties` say of it.  They are kept as a set, ordered by how many
 * $ref and allOf are on the way, so that the nearest default is found first and one that contradicts it is
 * seen.
 */
#include "common/schema/defaults.h"

#include "common/cleanup.h"
#include "common/json/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How many values the defaults of one object may come to, looked at when the schema is compiled. */
#define TRIAL_MAX 10000

struct fill {
	size_t left; /* how many values may still be filled in */
	bool failed; /* it was not enough, or too deep */
};

struct member {
	const struct schema_node *node;
	unsigned distance; /* $ref and allOf on the way to it */
};

struct node_set {
	struct member *members; /* by distance */
	size_t count;
	size_t size;
};

static void
free_set(struct node_set *set)
{
	free(set->members);
}

static void
add_to_set(struct node_set *set, const struct schema_node *node, unsigned distance)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->members[i].node == node)
			return;
	if (set->count == set->size) {
		set->size = set->size ? set->size * 2 : 8;
		set->members = reallocarray(set->members, set->size, sizeof *set->members);
		if (!set->members)
			abort();
	}
	set->members[set->count++] = (struct member){node, distance};
}

/* Adds what the nodes of the set refer to, and so on. */
static void
close_set(struct node_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		struct member member = set->members[i];
		const struct schema_keyword *const ways[] = {member.node->ref, member.node->all_of};
		for (size_t j = 0; j < 2; j++)
			for (size_t k = 0; ways[j] && k < ways[j]->part_count; k++)
				add_to_set(set, ways[j]->parts[k].node, member.distance + 1);
	}
}

/* The default that a node has or comes to; NULL if there is none, or two that are equally near and differ. */
static const struct schema_keyword *
find_default(const struct schema_node *node)
{
	CLEANUP(free_set) struct node_set set = {0};
	const struct schema_keyword *found = NULL;
	unsigned distance = 0;

	add_to_set(&set, node, 0);
	close_set(&set);
	for (size_t i = 0; i < set.count; i++) {
		const struct schema_keyword *keyword = schema_node_find(set.members[i].node, "default");
		if (found && set.members[i].distance > distance)
			break;
		if (!keyword)
			continue;
		if (found && !json_object_equal(found->value, keyword->value))
			return NULL;
		found = keyword;
		distance = set.members[i].distance;
	}
	return found;
}

static size_t
count_values(struct json_object *value)
{
	size_t count = 1;

	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, name, member)
		{
			count += strlen(name) / 64 + count_values(member);
		}
	} else if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			count += count_values(json_object_array_get_idx(value, i));
	} else if (json_object_is_type(value, json_type_string)) {
		count += (size_t)json_object_get_string_len(value) / 64;
	}
	return count;
}

/* How many arrays and objects stand one within the other. */
static unsigned
measure_depth(struct json_object *value)
{
	unsigned deepest = 0, depth;

	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, name, member)
		{
			(void)name;
			depth = measure_depth(member);
			deepest = depth > deepest ? depth : deepest;
		}
	} else if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++) {
			depth = measure_depth(json_object_array_get_idx(value, i));
			deepest = depth > deepest ? depth : deepest;
		}
	} else {
		return 0;
	}
	return deepest + 1;
}

static void
add_member(struct fill *fill, struct json_object *object, const char *name, struct json_object *value,
	unsigned depth)
{
	struct json_object *copy = NULL;
	size_t count = count_values(value);

	if (count > fill->left || depth + measure_depth(value) > JSON_DEPTH_MAX) {
		fill->failed = true;
		return;
	}
	fill->left -= count;
	if ((value && json_object_deep_copy(value, &copy, NULL) < 0) ||
		json_object_object_add(object, name, copy) < 0)
		abort();
}

/* The default that the i-th node of the set has for the member of that name; NULL if it has none. */
static const struct schema_keyword *
default_of(const struct node_set *set, size_t i, const char *name)
{
	const struct schema_part *part = schema_keyword_find_part(set->members[i].node->properties, name);

	return part ? part->node->default_value : NULL;
}

/* Whether keyword, which the i-th node of the set has for a member that is missing, is the one to fill in. */
static bool
is_nearest(const struct node_set *set, size_t i, const char *name, const struct schema_keyword *keyword)
{
	for (size_t j = 0; j < set->count && set->members[j].distance <= set->members[i].distance; j++) {
		const struct schema_keyword *other = j == i ? NULL : default_of(set, j, name);
		if (other && (set->members[j].distance < set->members[i].distance ||
				     !json_object_equal(keyword->value, other->value)))
			return false;
	}
	return true;
}

static void
fill_members(struct fill *fill, const struct node_set *set, struct json_object *object, unsigned depth)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct schema_keyword *properties = set->members[i].node->properties;
		for (size_t j = 0; properties && j < properties->part_count && !fill->failed; j++) {
			const char *name = properties->parts[j].name;
			const struct schema_keyword *keyword = properties->parts[j].node->default_value;
			if (keyword && !json_object_object_get_ex(object, name, NULL) &&
				is_nearest(set, i, name, keyword))
				add_member(fill, object, name, keyword->value, depth);
		}
	}
}

static void fill_value(struct fill *fill, struct node_set *set, struct json_object *value, unsigned depth);

static bool
has_parts(struct json_object *value)
{
	return json_object_is_type(value, json_type_object) || json_object_is_type(value, json_type_array);
}

static void
fill_member(struct fill *fill, const struct node_set *set, const char *name, struct json_object *value,
	unsigned depth)
{
	CLEANUP(free_set) struct node_set below = {0};

	for (size_t i = 0; i < set->count && has_parts(value); i++) {
		const struct schema_part *part =
			schema_keyword_find_part(set->members[i].node->properties, name);
		if (part && part->node->has_defaults)
			add_to_set(&below, part->node, 0);
	}
	fill_value(fill, &below, value, depth);
}

static void
fill_item(struct fill *fill, const struct node_set *set, size_t index, struct json_object *value,
	unsigned depth)
{
	CLEANUP(free_set) struct node_set below = {0};

	for (size_t i = 0; i < set->count && has_parts(value); i++) {
		const struct schema_keyword *prefix = set->members[i].node->prefix_items;
		const struct schema_keyword *items = set->members[i].node->items;
		const struct schema_node *node = NULL;
		if (prefix && index < prefix->part_count)
			node = prefix->parts[index].node;
		else if (items)
			node = items->parts[0].node;
		if (node && node->has_defaults)
			add_to_set(&below, node, 0);
	}
	fill_value(fill, &below, value, depth);
}

/* Fills in what value and its parts lack; depth counts the arrays and objects from the instance to value. */
static void
fill_value(struct fill *fill, struct node_set *set, struct json_object *value, unsigned depth)
{
	bool is_object = json_object_is_type(value, json_type_object);

	if (set->count == 0 || !has_parts(value))
		return;
	if (depth > JSON_DEPTH_MAX) {
		fill->failed = true;
		return;
	}
	close_set(set);
	if (!is_object) {
		for (size_t i = 0; i < json_object_array_length(value) && !fill->failed; i++)
			fill_item(fill, set, i, json_object_array_get_idx(value, i), depth + 1);
		return;
	}
	fill_members(fill, set, value, depth);
	json_object_object_foreach(value, name, member)
	{
		if (fill->failed)
			return;
		fill_member(fill, set, name, member, depth + 1);
	}
}

static bool
fill_from(const struct schema_node *node, struct json_object *value, size_t max)
{
	CLEANUP(free_set) struct node_set set = {0};
	struct fill fill = {.left = max};

	if (!node->has_defaults)
		return true;
	add_to_set(&set, node, 0);
	fill_value(&fill, &set, value, 1);
	return !fill.failed;
}

int
schema_fill_defaults(const struct schema *schema, struct json_object *instance)
{
	return fill_from(schema->root, instance, SCHEMA_FILLED_MAX) ? 0 : -E2BIG;
}

static bool
any_part_has_defaults(const struct schema_keyword *keyword)
{
	for (size_t i = 0; keyword && i < keyword->part_count; i++)
		if (keyword->parts[i].node->has_defaults)
			return true;
	return false;
}

static bool
has_defaults(const struct schema_node *node)
{
	for (size_t i = 0; node->properties && i < node->properties->part_count; i++)
		if (node->properties->parts[i].node->default_value)
			return true;
	return any_part_has_defaults(node->properties) || any_part_has_defaults(node->prefix_items) ||
	       any_part_has_defaults(node->items) || any_part_has_defaults(node->ref) ||
	       any_part_has_defaults(node->all_of);
}

static void
find_keywords(struct schema *schema)
{
	for (size_t i = 0; i < schema->node_count; i++) {
		struct schema_node *node = schema->nodes[i];
		node->properties = schema_node_find(node, "properties");
		node->prefix_items = schema_node_find(node, "prefixItems");
		node->items = schema_node_find(node, "items");
		node->ref = schema_node_find(node, "$ref");
		node->all_of = schema_node_find(node, "allOf");
	}
	for (size_t i = 0; i < schema->node_count; i++)
		schema->nodes[i]->default_value = find_default(schema->nodes[i]);
}

void
schema_defaults_prepare(struct schema_compiler *compiler)
{
	struct schema *schema = compiler->schema;
	bool changed = true;

	find_keywords(schema);
	while (changed) {
		changed = false;
		/* Backwards, since what a node consists of comes behind it, mostly. */
		for (size_t i = schema->node_count; i-- > 0;) {
			struct schema_node *node = schema->nodes[i];
			bool had = node->has_defaults;
			node->has_defaults = had || has_defaults(node);
			changed |= node->has_defaults != had;
		}
	}
	for (size_t i = 0; i < schema->node_count && compiler->mistake_count == 0; i++) {
		struct json_object *trial = json_object_new_object();
		if (!trial)
			abort();
		text_clear(&compiler->pointer);
		text_add_string(&compiler->pointer, schema->nodes[i]->pointer);
		if (!fill_from(schema->nodes[i], trial, TRIAL_MAX))
			schema_compiler_mistake(compiler, "its defaults fill each other in without end");
		json_object_put(trial);
	}
}
