/* What can be configured but is not built yet; this file goes when all of it is. */
#include "common/json.h"
#include "config_parts.h"

static void
tell(struct settings *settings, size_t mark, const char *what)
{
	mistakes_add(&settings->mistakes, "%s is not built yet", what);
	mistakes_leave(&settings->mistakes, mark);
}

void
config_check_supported(struct settings *settings, struct json_object *root, const struct config *config)
{
	static const char *const names[] = {
		[CONFIG_UPSTREAM] = "upstream",
		[CONFIG_COLLECTION] = "collection",
	};

	for (size_t i = 0; i < config->route_count; i++) {
		enum config_work work = config->routes[i].work;
		if (work != CONFIG_PROGRAM)
			tell(settings, config_enter_route(settings, i, names[work]), "this kind of work");
	}
}
