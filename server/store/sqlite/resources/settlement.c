/* How a change is settled: the answer of the work is merged into the resource and into the changes that wait
 * behind. */
#include "store/sqlite/resources/settlement.h"

#include "store/sqlite/resources/judge.h"
#include "store/sqlite/resources/removal.h"
#include "store/sqlite/resources/write.h"

#include "common/cleanup.h"
#include "common/http/problem.h"
#include "common/json/json.h"
#include "common/json/merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
settlement_find(struct statements *statements, const struct store_change *change, uint64_t sequence,
	struct resource_row *ret_row)
{
	sqlite3_stmt *statement = statements->list[FIND_CHANGE];
	int rc = statements_ask(statements, FIND_CHANGE, "i", (int64_t)sequence);

	if (rc <= 0)
		return rc < 0 ? rc : -ENOENT;
	rc = resource_row_read(statement, ret_row);
	ret_row->current = ret_row->document;
	ret_row->document = resource_row_text(statement, RESOURCE_COLUMN_COUNT);
	ret_row->resource.document = ret_row->document;
	if (rc == 0 && !sqlite3_column_int(statement, RESOURCE_COLUMN_COUNT + 1))
		rc = -EIO;
	sqlite3_reset(statement);
	return rc < 0 ? rc : removal_look(statements, change->collection, &ret_row->resource.parent);
}

static struct json_object *
parse(const char *text)
{
	struct json_object *value = NULL;
	struct json_mistake mistake;

	return json_parse(text, strlen(text), &value, &mistake) == 0 ? value : NULL;
}

/* The answer of the work, without the members that the server sets; NULL if there is nothing to merge. */
static struct json_object *
read_answer(const struct store_change *change)
{
	if (!change->answer)
		return NULL;
	size_t len;
	CLEANUP_FREE char *text = blob_dup(change->answer, &len);
	struct json_object *answer = parse(text);
	if (!json_object_is_type(answer, json_type_object)) {
		json_object_put(answer);
		return NULL;
	}
	store_collection_strip(change->collection, answer);
	return answer;
}

/* Merges answer into document; the caller frees the result. */
static char *
merge_text(const char *document, struct json_object *answer)
{
	CLEANUP(cleanup_json) struct json_object *value = parse(document);
	CLEANUP(cleanup_json) struct json_object *merged = json_merge(value, answer);

	return xstrdup(json_object_to_json_string_ext(
		merged, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

/* The members of the answer that change the document that the work was given; NULL if there are none. */
static struct json_object *
read_difference(const struct store_change *change, struct json_object *given)
{
	struct json_object *answer = read_answer(change);

	if (!answer || json_merge_narrow(answer, given))
		return answer;
	json_object_put(answer);
	return NULL;
}

/* Reads the first change behind *at, and sets *at to its sequence.  1, 0 if there is none, -errno. */
static int
next_other(struct statements *statements, int64_t resource, int64_t *at, char **ret_document)
{
	sqlite3_stmt *statement = statements->list[FIND_OTHERS];
	int rc = statements_ask(statements, FIND_OTHERS, "ii", resource, *at);

	if (rc <= 0)
		return rc;
	*at = sqlite3_column_int64(statement, 0);
	bool whole = sqlite3_column_int(statement, 2);
	*ret_document = whole ? resource_row_text(statement, 1) : NULL;
	sqlite3_reset(statement);
	return whole ? 1 : -EIO;
}

/*
 * Walks along the changes behind the operation with that sequence, to the document with all changes, and
 * removes from answer the members that each of them has set: those whose value differs from the document
 * before that change.  If writes, merges what is left at each change into its document.
 */
static int
pass_on(struct statements *statements, const struct resource_row *row, uint64_t sequence,
	struct json_object *answer, bool writes)
{
	CLEANUP(cleanup_json) struct json_object *before = parse(row->document);
	int64_t at = (int64_t)sequence;

	for (;;) {
		CLEANUP_FREE char *document = NULL;
		int rc = next_other(statements, row->resource.sequence, &at, &document);
		if (rc < 0)
			return rc;
		struct json_object *after = parse(rc ? document : row->current);
		bool is_left = json_merge_yield(answer, before, after);
		json_object_put(before);
		before = after;
		if (rc == 0 || !is_left)
			return 0;
		if (!writes)
			continue;
		CLEANUP_FREE char *merged = merge_text(document, answer);
		TRY(statements_run(statements, UPDATE_CHANGE, "it", at, merged));
	}
}

/* Writes the unique values of document.  -EEXIST if another resource has one of them. */
static int
take_values(struct statements *statements, const struct store_change *change, const char *document,
	const struct resource_row *row)
{
	CLEANUP(cleanup_json) struct json_object *value = parse(document);
	struct store_change *merged = store_change_new(
		change->collection, change->action, &change->id, &change->parent, change->url);

	store_change_set_document(merged, value);
	int rc = judge_unique(statements, merged, merged->unique, row->resource.sequence);
	if (rc == 0)
		rc = resource_write_values(statements, merged, merged->unique, row->resource.sequence);
	store_change_free(merged);
	return rc;
}

/*
 * Merges the answer into the resource and into the changes that wait behind.  Only the members count that
 * differ from the document that the work was given, and changes that were accepted later keep the members
 * that they have set.  -EEXIST if another resource has the value of a unique member.
 */
static int
take_answer(struct statements *statements, const struct store_change *change, struct resource_row *row,
	uint64_t sequence)
{
	CLEANUP(cleanup_json) struct json_object *given = parse(row->document);
	CLEANUP(cleanup_json) struct json_object *answer = read_difference(change, given);

	if (!answer)
		return 0;
	TRY(pass_on(statements, row, sequence, answer, false));
	CLEANUP_FREE char *document = merge_text(row->current, answer);
	TRY(take_values(statements, change, document, row));
	/* The changes in between may take members that the last one does not. */
	CLEANUP(cleanup_json) struct json_object *whole = read_difference(change, given);
	TRY(pass_on(statements, row, sequence, whole, true));
	free(row->current);
	row->resource.document = row->current = document;
	document = NULL;
	return 0;
}

/* Makes the final response a problem: the work has succeeded, but its answer cannot be merged. */
static void
fail_end(struct store_change *change, enum problem problem, const char *why)
{
	struct text text = {0};
	char id[ID_TEXT_SIZE];
	struct problem_report report = {
		.problem = problem, .detail = why, .dialect = change->dialect, .request_id = id};

	id_format(&change->operation, id);

	problem_format(&report, &text);
	free(change->message);
	change->message = xstrdup(why);
	change->end_failed = true;
	change->status = problem_status(problem);
	fields_fini(&change->fields);
	fields_put(&change->fields, "Content-Type", PROBLEM_CONTENT_TYPE);
	blob_unref(change->body);
	change->body = blob_take_text(&text);
}

/* Updates the row of the resource once the change is no longer pending. */
static int
settle(struct statements *statements, struct resource_counts *counts, struct store_change *change,
	struct resource_row *row, uint64_t sequence)
{
	struct resource *resource = &row->resource;
	int rc = 0;

	if (!change->failed && change->action == STORE_DELETE)
		return resource_write_remove(statements, counts, change, resource);
	if (!change->failed)
		rc = take_answer(statements, change, row, sequence);
	if (rc == -EEXIST)
		fail_end(change, PROBLEM_CONFLICT,
			"The answer has a value that must be unique and belongs to another resource.");
	else if (rc < 0)
		return rc;
	bool failed = change->failed || change->end_failed;
	if (row->pending == STORE_NONE) {
		resource->status = failed ? STORE_ERROR : STORE_ACTIVE;
		resource->action = failed ? change->action : STORE_NONE;
	}
	resource->status_message = failed ? change->message : NULL;
	return resource_write_row(statements, resource);
}

/* Finds other changes of this resource that are still pending. */
static int
look_for_others(struct statements *statements, const struct store_change *change, struct resource_row *row)
{
	CLEANUP(resource_row_fini) struct resource_row now = {0};
	int rc = judge_find(statements, change, &now);

	if (rc == 0)
		row->pending = now.pending;
	return rc;
}

int
settlement_make(struct statements *statements, struct resource_counts *counts, struct store_change *change,
	uint64_t sequence)
{
	CLEANUP(resource_row_fini) struct resource_row row = {0};
	int rc = settlement_find(statements, change, sequence, &row);

	change->end_failed = false;
	if (rc == -ENOENT) {
		if (!change->failed)
			fail_end(change, PROBLEM_NOT_FOUND,
				"The resource was deleted together with its parent.");
		return 0;
	}
	TRY(rc);
	row.resource.document = row.current;
	TRY(statements_run(statements, REMOVE_CHANGE, "i", (int64_t)sequence));
	TRY(look_for_others(statements, change, &row));
	TRY(settle(statements, counts, change, &row, sequence));
	if (change->failed || change->end_failed)
		return 0;
	representation_of_change(change, &row.resource);
	store_change_make_response(change);
	return 0;
}
