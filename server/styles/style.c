/* The styles of one server: their monitors, and the threads that judge large bodies. */
#include "styles/style.h"

#include "common/loop/mailbox.h"
#include "common/loop/pool.h"
#include "common/text.h"
#include "styles/private.h"

#include <stdlib.h>

/* Makes one target for each monitor of each style. */
static void
make_monitors(struct styles *styles, const struct style *const *table)
{
	size_t count = 0;

	while (table[count])
		count++;
	styles->monitors = xcalloc(count * STYLE_MONITORS_MAX, sizeof *styles->monitors);
	for (; *table; table++)
		for (const struct style_monitor *monitor = (*table)->monitors; monitor->path; monitor++)
			monitor_target_init(
				&styles->monitors[styles->monitor_count++], styles, NULL, *table, monitor);
}

int
styles_new(const struct styles_config *config, struct styles **ret_styles)
{
	struct styles *styles = xcalloc(1, sizeof *styles);
	int rc = pool_new("judge", config->mailbox, JUDGES, &styles->pool);

	if (rc < 0) {
		free(styles);
		return rc;
	}

	styles->config = *config;
	make_monitors(styles, config->table);
	*ret_styles = styles;
	return 0;
}

void
styles_free(struct styles *styles)
{
	if (!styles)
		return;
	pool_free(styles->pool);
	mailbox_drain(styles->config.mailbox);
	free(styles->monitors);
	free(styles);
}

int
styles_enter_monitors(struct styles *styles, struct router *router, const char *base_path)
{
	return monitor_targets_enter(styles->monitors, styles->monitor_count, router, base_path);
}
