/* The site that the server is to browsers: the table of the setting cors, and the names in hosts. */
#include "http/message/site.h"
#include "common/text.h"
#include "config/private.h"
#include "config/values.h"

#include <stdlib.h>
#include <string.h>

/* "*", or a scheme and a host. */
static char *
convert_origin(struct settings *settings, const char *origin)
{
	if (strcmp(origin, "*") == 0)
		return xstrdup(origin);
	char *url = config_convert_url(settings, origin);
	if (url && strchr(strstr(url, "://") + 3, '/')) {
		mistakes_add_string(&settings->mistakes, origin, "is not an origin: it has a path");
		free(url);
		return NULL;
	}
	return url;
}

char *
config_convert_host(struct settings *settings, const char *host)
{
	size_t len = strlen(host);
	bool is_address = len > 2 && host[0] == '[' && host[len - 1] == ']';

	if (len == 0 ||
		(!is_address &&
			strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") !=
				len)) {
		mistakes_add_string(&settings->mistakes, host, "is not the name of a host, without a port");
		return NULL;
	}
	return xstrdup(host);
}

#define CORS(kind, member) SETTING_PLACE(kind, struct http_cors, member)

static const struct setting rows[] = {
	{.name = "origins",
		CORS(SETTING_NAMES, origins),
		.is_required = true,
		.min = 1,
		.max = 1000,
		.convert = convert_origin,
		.type = "list of origins, or \"*\"",
		.meaning = "The pages that may call, by scheme, host and port; \"*\" for every page."},
	{.name = "credentials",
		CORS(SETTING_BOOLEAN, credentials),
		.fallback = "false",
		.meaning = "Whether they may send cookies and log-ins that the browser has."},
	{.name = "max_age",
		CORS(SETTING_TIME, max_age_ms),
		.fallback = "\"10m\"",
		.min = 0,
		.max = CONFIG_DAY_MS,
		.meaning = "How long a browser may remember that a page may call."},
	{.name = NULL},
};

const struct setting_table config_cors_table = {rows, NULL};
