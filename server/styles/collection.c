/* The addresses of collections and their items in requests. */
#include "styles/collection.h"

#include "common/cleanup.h"

#include <stdlib.h>
#include <string.h>

bool
collection_read_ids(const struct http_request *request, const struct store_collection *collection,
	bool is_item, struct id *ret_id, struct id *ret_parent, const char **ret_wrong)
{
	const struct {
		const char *name;
		struct id *id;
	} params[] = {
		{collection->parent_member, ret_parent},
		{is_item ? "id" : NULL, ret_id},
	};

	for (size_t i = 0; i < sizeof params / sizeof *params; i++) {
		if (!params[i].name)
			continue;
		CLEANUP_FREE char *value = http_request_param(request, params[i].name);
		if (value && id_parse(value, strlen(value), params[i].id) == 0)
			continue;
		*ret_wrong = params[i].name;
		return false;
	}
	return true;
}

char *
collection_url(const struct http_request *request)
{
	CLEANUP_FREE char *base = http_request_base(request);

	return xasprintf("%s%.*s", base, (int)request->path_len, request->path);
}
