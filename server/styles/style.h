/*
 * Styles: the ways in which a call is asked for, answered and polled asynchronously (contract, 5).  This
 * layer is the only place where "how it was asked" meets "what is being done".  A style is one `struct style`
 * (common/style.h) in one file, and one row of the table in style_table.c.
 */
#pragma once

#include "common/http/fields.h"
#include "common/http/problem.h"
#include "common/loop/timer.h"
#include "http/request.h"
#include "http/router.h"
#include "operations/operations.h"
#include "style/style.h"

#include <stdbool.h>
#include <stdint.h>

struct mailbox;
struct store;

/* All styles in the order in which a request is checked for them; ended by NULL. */
extern const struct style *const style_table[];

/*
 * The style of table that serves a request: the first one that the request asks for, else route_style unless
 * the method is safe, else the first fallback.  NULL: the call is synchronous.  *ret_also is the next style
 * that the request asks for too, NULL if there is none.
 */
const struct style *style_choose(const struct style *const *table, const struct style_request *request,
	const struct style *route_style, const struct style **ret_also);

/* The style of that name, NULL if there is none.  style_find_name gives its name as a constant for op->style,
 * or NULL. */
const struct style *style_find(const char *name);
const char *style_find_name(const char *name);

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

/* -errno. */
__attribute__((warn_unused_result)) int styles_new(
	const struct styles_config *config, struct styles **ret_styles);

/* Once no request has a call any more.  NULL is allowed. */
void styles_free(struct styles *styles);

/* Enters the monitors of all styles, below base_path ("" and those of the routes).  As router_add. */
__attribute__((warn_unused_result)) int styles_enter_monitors(
	struct styles *styles, struct router *router, const char *base_path);
