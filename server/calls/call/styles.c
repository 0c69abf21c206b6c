/* What all routes of a server share: made and freed. */
#include "calls/call/styles.h"

#include "common/loop/mailbox.h"
#include "common/loop/pool.h"
#include "common/memory.h"

#include <stdlib.h>

/* Threads that judge large bodies. */
#define JUDGES 2

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
	hash_init(&styles->readings);
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
	hash_fini(&styles->readings);
	free(styles->monitors);
	free(styles);
}
