/* What all routes of a server share: its configuration, its monitors, and the threads that judge large bodies. */
#pragma once

#include "common/hash.h"
#include "style/style.h"

#include <stddef.h>
#include <stdint.h>

struct mailbox;
struct monitor_target;
struct operations;
struct pool;
struct store;
struct timers;

struct styles_config {
	const struct style *const *table; /* of the styles that are served; outlives them */
	struct operations *operations;
	struct store *store; /* for collections */
	struct mailbox *mailbox;
	struct timers *timers;
	int spool_fd;		    /* for large bodies, -1: memory */
	int64_t wait_max_ms;	    /* the longest that Prefer: wait holds an answer */
	int64_t validation_wait_ms; /* how long a 202 waits for the body to be judged */
};

struct styles {
	struct styles_config config;
	struct monitor_target *monitors; /* monitor_count of them */
	size_t monitor_count;
	struct pool *pool;    /* looks at large bodies and results */
	struct hash readings; /* results on their way into an envelope, see monitor/envelope.c */
};

/* -errno. */
__attribute__((warn_unused_result)) int styles_new(
	const struct styles_config *config, struct styles **ret_styles);

/* Once no request has a call any more.  NULL is allowed. */
void styles_free(struct styles *styles);
