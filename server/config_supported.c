/* What can be configured but is not built yet; this file goes when all of it is. */
#include "common/json.h"
#include "config_parts.h"

static void
tell(struct settings *settings, size_t mark, const char *what)
{
	mistakes_add(&settings->mistakes, "%s is not built yet", what);
	mistakes_leave(&settings->mistakes, mark);
}

static void
check_listen(struct settings *settings, struct json_object *root, const struct config *config)
{
	struct json_object *value;

	for (size_t i = 0; i <= config->listen_count; i++) {
		size_t mark = config_enter_listen(settings, root, config, i, &value);
		if (json_find(value, "tls", NULL)) {
			mistakes_enter(&settings->mistakes, "tls");
			tell(settings, mark, "TLS");
		}
		mistakes_leave(&settings->mistakes, mark);
	}
}

void
config_check_supported(struct settings *settings, struct json_object *root, const struct config *config)
{
	check_listen(settings, root, config);
	if (json_find(root, "auth", NULL))
		tell(settings, mistakes_enter(&settings->mistakes, "auth"), "authentication");
}
