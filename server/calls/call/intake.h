/*
 * Intake: what the body of a call must be before the call is taken: JSON where that is wanted, in its
 * envelope, valid by the route's schema.  What it was is then a document without the server's members, with
 * its defaults filled in.
 */
#pragma once

#include "common/http/problem.h"

#include <stdbool.h>
#include <stddef.h>

struct blob;
struct json_object;
struct schema;
struct store_collection;

/* The caller's; lent to another thread between steps.  All zero but for what is set. */
struct intake {
	const struct schema *schema; /* NULL: any JSON will do */
	const struct store_collection
		*collection; /* whose resource it is; NULL: none, the value is only judged */
	struct blob *body;   /* a reference; NULL is an empty one */
	bool fills_defaults;
	bool merges;		   /* it is a merge patch for document */
	char *document;		   /* with merges: what it is merged into; taken */
	struct json_object *value; /* once parsed: without envelope; once judged: the document */

	/* the verdict: NONE, or what is wrong */
	enum problem problem;
	char *detail;		    /* NULL: none */
	struct json_object *errors; /* of an invalid one, each violation; NULL: none */
};

/* Reads the body.  Any thread. */
void intake_parse(struct intake *intake);

/* Judges what was read, unless it was not.  Any thread. */
void intake_judge(struct intake *intake);

/* Whether the verdict is only that schema's steps were too few. */
bool intake_is_undecided(const struct intake *intake);

/* Takes the verdict and the document back, so that the body can be read and judged again. */
void intake_reset(struct intake *intake);

void intake_fini(struct intake *intake);
