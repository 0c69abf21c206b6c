/*
 * A validation under way: what it has spent, what it has found, and where it is.  Part of the schema, see
 * schema.h.
 *
 * A check is a call of a keyword's function with a frame: a node that judges a value at a spot.  Frames and
 * spots lie on the stack, linked outwards; frames are the dynamic scope too.  In quiet parts (below anyOf,
 * not and the like) violations are not told, only that there are some, and a node ends with the first of
 * them.
 */
#pragma once

#include "common/schema/engine/marks.h"
#include "common/schema/engine/node.h"
#include "common/schema/regex/regex.h"

struct schema_run {
	const struct schema *schema;
	struct json_object *errors; /* reported so far; NULL: not wanted */
	uint64_t steps_left;
	unsigned quiet; /* above 0: in a quiet part */
	bool failed;	/* whatever the keywords say: something was told, or could not be judged */
	bool stopped;	/* nothing more is judged */
	struct schema_matcher matcher;
};

/* Where a value lies in the instance. */
struct schema_spot {
	const struct schema_spot *outer; /* NULL: it is the instance */
	const char *name;		 /* of a member; NULL: an item */
	size_t index;			 /* of an item */
	struct json_object *value;
	bool is_name; /* the value is not the member but its name */
};

struct schema_frame {
	struct schema_run *run;
	const struct schema_frame *outer; /* whose keyword applied this one; NULL for the first */
	const struct schema_node *node;
	const struct schema_keyword *keyword; /* the one being checked */
	const struct schema_spot *spot;
	struct schema_marks *marks; /* of the spot's value; NULL: not wanted */
	unsigned depth;		    /* how many frames there are around this one */
};

/* Whether node accepts the value at spot.  outer is NULL for the first node; marks may be NULL. */
bool schema_run_apply(struct schema_run *run, const struct schema_frame *outer,
	const struct schema_node *node, const struct schema_spot *spot, struct schema_marks *marks);

/* The same for the frame's own value, and for a member or an item of it. */
bool schema_run_apply_here(const struct schema_frame *frame, const struct schema_node *node);
bool schema_run_apply_member(const struct schema_frame *frame, const struct schema_node *node,
	const char *name, struct json_object *value);
bool schema_run_apply_item(const struct schema_frame *frame, const struct schema_node *node, size_t index);

/* Whether node would accept: no violation is told, and what it evaluated counts only if it does. */
bool schema_run_try_here(const struct schema_frame *frame, const struct schema_node *node);
bool schema_run_try_item(const struct schema_frame *frame, const struct schema_node *node, size_t index);

/* Looks for a pattern in a string of frame's value.  When that is too complex, says so itself. */
bool schema_run_matches(
	const struct schema_frame *frame, const struct schema_regex *regex, const char *data, size_t len);

/* Tells a violation of keyword, unless in a quiet part; false always. */
__attribute__((format(printf, 3, 4))) bool schema_run_violate(
	const struct schema_frame *frame, const char *keyword, const char *format, ...);

/* The same: "must have at least 2 items", for instance. */
bool schema_run_violate_count(const struct schema_frame *frame, const char *keyword,
	const char *least_or_most, uint64_t count, const char *noun);

/* Takes steps from the budget.  False once it is used up: then all is over. */
bool schema_run_spend(struct schema_run *run, uint64_t steps);
