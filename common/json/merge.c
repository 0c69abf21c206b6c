/* JSON Merge Patch.  As deep as patch is, which json_parse bounds. */
#include "common/json/merge.h"

#include <json-c/json.h>

struct json_object *
json_merge(struct json_object *target, struct json_object *patch)
{
	if (!json_object_is_type(patch, json_type_object))
		return json_object_get(patch);
	struct json_object *merged = json_object_is_type(target, json_type_object) ? json_object_get(target)
										   : json_object_new_object();
	json_object_object_foreach(patch, name, value)
	{
		struct json_object *before = NULL;
		if (!value) {
			json_object_object_del(merged, name);
			continue;
		}
		json_object_object_get_ex(merged, name, &before);
		json_object_object_add(merged, name, json_merge(before, value));
	}
	return merged;
}

static bool
are_objects(struct json_object *one, struct json_object *other)
{
	return json_object_is_type(one, json_type_object) && json_object_is_type(other, json_type_object);
}

/* Whether the member called name is there; its value, which may be NULL. */
static bool
find(struct json_object *object, const char *name, struct json_object **ret_value)
{
	*ret_value = NULL;
	return json_object_object_get_ex(object, name, ret_value);
}

bool
json_merge_narrow(struct json_object *patch, struct json_object *target)
{
	json_object_object_foreach(patch, name, value)
	{
		struct json_object *now;
		find(target, name, &now);
		bool changes = are_objects(value, now) ? json_merge_narrow(value, now)
						       : !json_object_equal(value, now);
		if (!changes)
			json_object_object_del(patch, name);
	}
	return json_object_object_length(patch) > 0;
}

bool
json_merge_yield(struct json_object *patch, struct json_object *before, struct json_object *after)
{
	json_object_object_foreach(patch, name, value)
	{
		struct json_object *old, *now;
		bool is_same =
			find(before, name, &old) == find(after, name, &now) && json_object_equal(old, now);
		bool stays =
			is_same || (are_objects(old, now) && json_object_is_type(value, json_type_object) &&
					   json_merge_yield(value, old, now));
		if (!stays)
			json_object_object_del(patch, name);
	}
	return json_object_object_length(patch) > 0;
}
