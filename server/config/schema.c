/* Check of a route's JSON Schema: compiles it and reports its mistakes. */
#include "common/schema/schema.h"
#include "common/cleanup.h"
#include "config/private.h"

#include <string.h>

/* Reports one mistake of the compiler, a line "POINTER: MESSAGE". */
static void
report(struct settings *settings, char *line)
{
	char *what = strstr(line, ": ");

	if (!what) {
		mistakes_add(&settings->mistakes, "%s", line);
		return;
	}
	*what = '\0';
	if (line[0])
		mistakes_add(&settings->mistakes, "at %s: %s", line, what + 2);
	else
		mistakes_add(&settings->mistakes, "%s", what + 2);
}

void
config_check_schema(struct settings *settings, const struct config_route *route, bool is_of_route)
{
	struct schema_options options = {.assert_formats = route->assert_formats};
	CLEANUP(text_fini) struct text text = {0};
	struct schema *schema;

	if (!route->schema)
		return;
	if (schema_compile(route->schema, &options, &schema, &text) == 0) {
		schema_free(schema);
		return;
	}
	size_t mark = mistakes_enter(&settings->mistakes, is_of_route ? "schema" : "collection");
	if (!is_of_route)
		mistakes_enter(&settings->mistakes, "schema");
	char *rest = text.data;
	for (char *line; (line = strsep(&rest, "\n"));)
		if (line[0])
			report(settings, line);
	mistakes_leave(&settings->mistakes, mark);
}
