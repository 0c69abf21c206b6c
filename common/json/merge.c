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
