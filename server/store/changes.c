/*
 * The rows of the resources: how a change is judged and made.  A change is judged whole before anything is
 * written, so that a refused one leaves its transaction as it was and the others of the group go on.
 */
#include "store/changes.h"

#include "store/listing.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "common/json_merge.h"
#include "common/problem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Columns of a resource, in the order in which read_resource reads them. */
#define COLUMNS \
	"r.sequence, r.id, r.parent, r.status, r.action, r.version, r.created_ms, r.updated_ms," \
	" r.status_message"

/* The resource of a sequence, and all that belongs to it. */
#define DOOMED \
	"WITH RECURSIVE doomed(sequence, id) AS (SELECT sequence, id FROM resource WHERE sequence = ?1" \
	" UNION ALL SELECT r.sequence, r.id FROM resource r JOIN doomed ON r.parent = doomed.id) "

enum {
	FIND,
	FIND_PARENT,
	INSERT,
	UPDATE,
	MARK,
	HAS_VALUE,
	ADD_VALUE,
	REMOVE_VALUES,
	COUNT_UP,
	COUNT_DOWN,
	REMOVE_DOOMED_VALUES,
	REMOVE_DOOMED_CHANGES,
	REMOVE_DOOMED_COUNTS,
	REMOVE_DOOMED,
	ADD_CHANGE,
	FIND_CHANGE,
	REMOVE_CHANGE,
	FIND_OTHERS,
	UPDATE_CHANGE,
	FIND_PENDING,
	STATEMENT_COUNT,
};

static const char *const sql[STATEMENT_COUNT] = {
	[FIND] = "SELECT " COLUMNS ", r.document,"
		 " (SELECT max(action) FROM resource_change c WHERE c.resource = r.sequence)"
		 " FROM resource r WHERE r.collection = ?1 AND r.id = ?2 AND r.parent = ?3",
	[FIND_PARENT] = "SELECT (SELECT max(action) FROM resource_change c WHERE c.resource = r.sequence)"
			" FROM resource r WHERE r.collection = ?1 AND r.id = ?2",
	[INSERT] = "INSERT INTO resource VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[UPDATE] = "UPDATE resource SET status = ?2, action = ?3, version = ?4, updated_ms = ?5,"
		   " status_message = ?6, document = ?7 WHERE sequence = ?1",
	[MARK] = "UPDATE resource SET status = ?2, action = ?3, status_message = ?4 WHERE sequence = ?1",
	[HAS_VALUE] = "SELECT resource FROM resource_value WHERE collection = ?1 AND parent = ?2"
		      " AND member = ?3 AND value = ?4 AND resource <> ?5",
	[ADD_VALUE] = "INSERT INTO resource_value VALUES (?1, ?2, ?3, ?4, ?5)",
	[REMOVE_VALUES] = "DELETE FROM resource_value WHERE resource = ?1",
	[COUNT_UP] = "INSERT INTO resource_count VALUES (?1, ?2, 1)"
		     " ON CONFLICT DO UPDATE SET count = count + 1",
	[COUNT_DOWN] = "UPDATE resource_count SET count = count - 1 WHERE parent = ?1 AND collection = ?2",
	[REMOVE_DOOMED_VALUES] = (DOOMED "DELETE FROM resource_value WHERE resource IN"
					 " (SELECT sequence FROM doomed)"),
	[REMOVE_DOOMED_CHANGES] = (DOOMED "DELETE FROM resource_change WHERE resource IN"
					  " (SELECT sequence FROM doomed)"),
	[REMOVE_DOOMED_COUNTS] =
		(DOOMED "DELETE FROM resource_count WHERE parent IN (SELECT id FROM doomed)"),
	[REMOVE_DOOMED] = (DOOMED "DELETE FROM resource WHERE sequence IN (SELECT sequence FROM doomed)"),
	[ADD_CHANGE] = "INSERT INTO resource_change VALUES (?1, ?2, ?3, ?4)",
	[FIND_CHANGE] = "SELECT " COLUMNS ", c.document, r.document FROM resource_change c"
			" JOIN resource r ON r.sequence = c.resource WHERE c.operation = ?1",
	[REMOVE_CHANGE] = "DELETE FROM resource_change WHERE operation = ?1",
	[FIND_OTHERS] = "SELECT operation, document FROM resource_change WHERE resource = ?1"
			" AND operation > ?2 ORDER BY operation LIMIT 1",
	[UPDATE_CHANGE] = "UPDATE resource_change SET document = ?2 WHERE operation = ?1",
	[FIND_PENDING] = "SELECT c.action, r.collection, r.id, r.parent FROM resource_change c"
			 " JOIN resource r ON r.sequence = c.resource WHERE c.operation = ?1",
};

struct changes {
	struct database *database;
	sqlite3_stmt *statements[STATEMENT_COUNT];
};

/* A row as it was found, with its own copies of what points. */
struct found {
	struct resource resource;
	char *document;
	char *current; /* the document with all changes; NULL: it is document */
	char *message;
	int pending; /* the greatest enum store_action among its pending changes; STORE_NONE: there are none */
};

static void
fini_found(struct found *found)
{
	free(found->document);
	free(found->current);
	free(found->message);
}

/* Binds the parameters of a statement: i an int64_t, t a text, I a struct id, P one that may be none (NULL). */
static int
bind(struct changes *changes, int which, const char *format, va_list args)
{
	sqlite3_stmt *statement = changes->statements[which];
	int rc = SQLITE_OK;

	for (int i = 1; format[i - 1] && rc == SQLITE_OK; i++) {
		const void *bytes;
		switch (format[i - 1]) {
		case 'i':
			rc = sqlite3_bind_int64(statement, i, va_arg(args, int64_t));
			break;
		case 't':
			rc = sqlite3_bind_text(statement, i, va_arg(args, const char *), -1, SQLITE_STATIC);
			break;
		default:
			bytes = va_arg(args, const void *);
			rc = sqlite3_bind_blob(statement, i, bytes ? bytes : "",
				bytes ? sizeof(struct id) : 0, SQLITE_STATIC);
		}
	}
	return database_error(changes->database, rc);
}

static int
run(struct changes *changes, int which, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int rc = bind(changes, which, format, args);
	va_end(args);
	return rc < 0 ? rc : database_run(changes->database, changes->statements[which]);
}

/* The first row: 1 if there is one, then the caller resets; 0 if there is none; -errno. */
static int
ask(struct changes *changes, int which, const char *format, ...)
{
	sqlite3_stmt *statement = changes->statements[which];
	va_list args;

	va_start(args, format);
	int rc = bind(changes, which, format, args);
	va_end(args);
	if (rc < 0)
		return rc;
	int step = sqlite3_step(statement);
	if (step == SQLITE_ROW)
		return 1;
	sqlite3_reset(statement);
	return database_error(changes->database, step);
}

static char *
copy_text(sqlite3_stmt *statement, int column)
{
	return xstrdup((const char *)sqlite3_column_text(statement, column));
}

static void
copy_id(sqlite3_stmt *statement, int column, struct id *ret_id)
{
	if (sqlite3_column_bytes(statement, column) == sizeof *ret_id)
		memcpy(ret_id, sqlite3_column_blob(statement, column), sizeof *ret_id);
}

/* Reads COLUMNS and the document behind them. */
static void
read_resource(sqlite3_stmt *statement, struct found *ret_found)
{
	struct resource *resource = &ret_found->resource;

	resource->sequence = sqlite3_column_int64(statement, 0);
	copy_id(statement, 1, &resource->id);
	copy_id(statement, 2, &resource->parent);
	resource->status = (enum store_status)sqlite3_column_int(statement, 3);
	resource->action = (enum store_action)sqlite3_column_int(statement, 4);
	resource->version = (uint64_t)sqlite3_column_int64(statement, 5);
	resource->created_ms = sqlite3_column_int64(statement, 6);
	resource->updated_ms = sqlite3_column_int64(statement, 7);
	resource->status_message = ret_found->message = copy_text(statement, 8);
	resource->document = ret_found->document = copy_text(statement, 9);
}

int
changes_open(struct database *database, struct changes **ret_changes)
{
	struct changes *changes = xcalloc(1, sizeof *changes);

	changes->database = database;
	for (int i = 0; i < STATEMENT_COUNT; i++) {
		int rc = database_prepare(database, sql[i], &changes->statements[i]);
		if (rc < 0) {
			changes_close(changes);
			return rc;
		}
	}
	*ret_changes = changes;
	return 0;
}

void
changes_close(struct changes *changes)
{
	if (!changes)
		return;
	for (int i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(changes->statements[i]);
	free(changes);
}

bool
changes_is_refusal(int error)
{
	static const int refusals[] = {-ENOENT, -ESTALE, -EEXIST, -EBUSY, -EALREADY, -EAGAIN};

	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
		if (error == refusals[i])
			return true;
	return false;
}

/* The failures of the database that would look like refusals are none. */
static int
hide(int error)
{
	return changes_is_refusal(error) ? -EIO : error;
}

/* A step of a judgement or a write: goes on unless it failed. */
#define TRY(expression) \
	do { \
		int try_rc = (expression); \
		if (try_rc < 0) \
			return hide(try_rc); \
	} while (0)

static const struct id *
parent_of(const struct store_change *change)
{
	return change->collection->parent ? &change->parent : NULL;
}

static int
find(struct changes *changes, const struct store_change *change, struct found *ret_found)
{
	sqlite3_stmt *statement = changes->statements[FIND];
	int rc = ask(changes, FIND, "tIP", change->collection->name, &change->id, parent_of(change));

	if (rc <= 0)
		return rc < 0 ? hide(rc) : -ENOENT;
	read_resource(statement, ret_found);
	ret_found->pending = sqlite3_column_int(statement, 10);
	sqlite3_reset(statement);
	return 0;
}

static int
judge_parent(struct changes *changes, const struct store_change *change)
{
	const char *parent = change->collection->parent;

	if (!parent)
		return 0;
	int rc = ask(changes, FIND_PARENT, "tI", parent, &change->parent);
	if (rc <= 0)
		return rc < 0 ? hide(rc) : -ENOENT;
	int pending = sqlite3_column_int(changes->statements[FIND_PARENT], 0);
	sqlite3_reset(changes->statements[FIND_PARENT]);
	return pending == STORE_DELETE && change->action == STORE_CREATE ? -EBUSY : 0;
}

static bool
is_expected(const struct store_change *change, uint64_t version)
{
	for (unsigned i = 0; i < change->expected_count; i++)
		if (change->expected[i] == version)
			return true;
	return change->expected_count == 0;
}

/* Whether nobody else has one of the values; sequence is its own. */
static int
judge_unique(struct changes *changes, const struct store_change *change, char **values, int64_t sequence)
{
	char **names = change->collection->unique;

	for (size_t i = 0; values && names[i]; i++) {
		if (!values[i])
			continue;
		int rc = ask(changes, HAS_VALUE, "tPtti", change->collection->name, parent_of(change),
			names[i], values[i], sequence);
		if (rc < 0)
			return hide(rc);
		sqlite3_reset(changes->statements[HAS_VALUE]);
		if (rc == 1)
			return -EEXIST;
	}
	return 0;
}

/* Whether the change can be made; ret_found is the resource, where it is to be there. */
static int
judge(struct changes *changes, const struct store_change *change, bool at_once, struct found *ret_found)
{
	int rc = judge_parent(changes, change);

	if (rc == 0 && change->action != STORE_CREATE)
		rc = find(changes, change, ret_found);
	if (rc == 0 && change->action != STORE_CREATE && !is_expected(change, ret_found->resource.version))
		rc = -ESTALE;
	if (rc == 0 && ret_found->pending == STORE_DELETE)
		rc = change->action == STORE_DELETE ? -EALREADY : -EBUSY;
	if (rc == 0 && ret_found->pending != STORE_NONE && at_once)
		rc = -EAGAIN;
	if (rc == 0)
		rc = judge_unique(changes, change, change->unique, ret_found->resource.sequence);
	return rc;
}

static int
add_values(struct changes *changes, const struct store_change *change, char **values, int64_t sequence)
{
	char **names = change->collection->unique;

	for (size_t i = 0; values && names[i]; i++)
		if (values[i])
			TRY(run(changes, ADD_VALUE, "tPtti", change->collection->name, parent_of(change),
				names[i], values[i], sequence));
	return 0;
}

static int
replace_values(struct changes *changes, const struct store_change *change, char **values, int64_t sequence)
{
	if (!change->collection->unique[0])
		return 0;
	TRY(run(changes, REMOVE_VALUES, "i", sequence));
	return add_values(changes, change, values, sequence);
}

static int
insert(struct changes *changes, const struct store_change *change, struct resource *resource)
{
	resource->version = 1;
	resource->created_ms = change->now_ms;
	resource->document = change->document;
	TRY(run(changes, INSERT, "tIPiiiiitt", change->collection->name, &resource->id, parent_of(change),
		(int64_t)resource->status, (int64_t)resource->action, (int64_t)1, resource->created_ms,
		(int64_t)0, NULL, resource->document));
	resource->sequence = database_last_row(changes->database);
	TRY(add_values(changes, change, change->unique, resource->sequence));
	return run(changes, COUNT_UP, "Pt", parent_of(change), change->collection->name);
}

static int
store_row(struct changes *changes, const struct resource *resource)
{
	return run(changes, UPDATE, "iiiiitt", resource->sequence, (int64_t)resource->status,
		(int64_t)resource->action, (int64_t)resource->version, resource->updated_ms,
		resource->status_message, resource->document);
}

static int
update(struct changes *changes, const struct store_change *change, struct resource *resource)
{
	resource->version++;
	resource->updated_ms = change->now_ms;
	resource->document = change->document;
	TRY(store_row(changes, resource));
	return replace_values(changes, change, change->unique, resource->sequence);
}

static int
mark(struct changes *changes, const struct resource *resource)
{
	return run(changes, MARK, "iiit", resource->sequence, (int64_t)resource->status,
		(int64_t)resource->action, resource->status_message);
}

/* Removes the resource with all that belongs to it. */
static int
remove_all(struct changes *changes, struct store_change *change, const struct resource *resource)
{
	for (int i = REMOVE_DOOMED_VALUES; i <= REMOVE_DOOMED; i++)
		TRY(run(changes, i, "i", resource->sequence));
	change->took_others = database_changes(changes->database) > 1;
	return run(changes, COUNT_DOWN, "Pt", parent_of(change), change->collection->name);
}

static void
represent(struct store_change *change, const struct resource *resource)
{
	struct text text = {0};

	representation_add(&text, change->collection, resource, change->url);
	free(change->representation);
	change->representation = text_take(&text);
	change->version = resource->version;
}

/* Writes what the change says, with the status and action that resource has. */
static int
write_change(struct changes *changes, struct store_change *change, bool at_once, struct resource *resource)
{
	resource->status_message = NULL;
	if (change->action == STORE_CREATE)
		return insert(changes, change, resource);
	if (change->action == STORE_UPDATE)
		return update(changes, change, resource);
	return at_once ? remove_all(changes, change, resource) : mark(changes, resource);
}

static int
make(struct changes *changes, struct store_change *change, bool at_once, struct resource *resource)
{
	resource->id = change->id;
	resource->parent = change->parent;
	resource->status = at_once ? STORE_ACTIVE : STORE_PENDING;
	resource->action = at_once ? STORE_NONE : change->action;
	TRY(write_change(changes, change, at_once, resource));
	represent(change, resource);
	return 0;
}

int
changes_apply(struct changes *changes, struct store_change *change)
{
	CLEANUP(fini_found) struct found found = {0};
	int rc = judge(changes, change, true, &found);

	return rc < 0 ? rc : make(changes, change, true, &found.resource);
}

int
changes_accept(struct changes *changes, struct store_change *change, uint64_t sequence)
{
	CLEANUP(fini_found) struct found found = {0};
	int rc = judge(changes, change, false, &found);

	if (rc < 0)
		return rc;
	TRY(make(changes, change, false, &found.resource));
	TRY(run(changes, ADD_CHANGE, "iiit", (int64_t)sequence, found.resource.sequence,
		(int64_t)change->action, found.resource.document));
	return 0;
}

/* The resource whose change the operation carries out, with the document as that change left it.  -ENOENT if it is
 * gone. */
static int
find_own(struct changes *changes, uint64_t sequence, struct found *ret_found)
{
	sqlite3_stmt *statement = changes->statements[FIND_CHANGE];
	int rc = ask(changes, FIND_CHANGE, "i", (int64_t)sequence);

	if (rc <= 0)
		return rc < 0 ? hide(rc) : -ENOENT;
	read_resource(statement, ret_found);
	ret_found->current = copy_text(statement, 10);
	sqlite3_reset(statement);
	return 0;
}

int
changes_begin(struct changes *changes, struct store_change *change, uint64_t sequence)
{
	CLEANUP(fini_found) struct found found = {0};
	struct text text = {0};
	int rc = find_own(changes, sequence, &found);

	free(change->on_change);
	change->on_change = NULL;
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	found.resource.action = change->action;
	text_addf(&text, "{\"action\":\"%s\",\"resource\":", store_action_name(change->action));
	representation_add_inside(&text, change->collection, &found.resource, change->url);
	text_add_char(&text, '}');
	change->on_change = text_take(&text);
	return 0;
}

static struct json_object *
parse(const char *text)
{
	struct json_object *value = NULL;
	struct json_mistake mistake;

	return json_parse(text, strlen(text), &value, &mistake) == 0 ? value : NULL;
}

static char *
read_blob(const struct blob *blob)
{
	size_t len = (size_t)blob_len(blob), done = 0;
	char *data = xcalloc(len + 1, 1);

	while (done < len) {
		ssize_t n = blob_read(blob, done, data + done, len - done);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return data;
}

/* What the work has answered, without members of the server; NULL if there is nothing to merge in. */
static struct json_object *
read_answer(const struct store_change *change)
{
	if (!change->answer)
		return NULL;
	CLEANUP_FREE char *text = read_blob(change->answer);
	struct json_object *answer = parse(text);
	if (!json_object_is_type(answer, json_type_object)) {
		json_object_put(answer);
		return NULL;
	}
	store_collection_strip(change->collection, answer);
	return answer;
}

/* document with answer merged in, for the caller to free; NULL if document cannot be read. */
static char *
merge_text(const char *document, struct json_object *answer)
{
	CLEANUP(cleanup_json) struct json_object *value = parse(document);
	CLEANUP(cleanup_json) struct json_object *merged = json_merge(value, answer);

	return xstrdup(json_object_to_json_string_ext(
		merged, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

/* Those that wait behind the operation of that sequence see its answer, too. */
static int
merge_into_others(struct changes *changes, int64_t resource, uint64_t sequence, struct json_object *answer)
{
	sqlite3_stmt *statement = changes->statements[FIND_OTHERS];
	int64_t at = (int64_t)sequence;

	for (;;) {
		int rc = ask(changes, FIND_OTHERS, "ii", resource, at);
		if (rc <= 0)
			return rc < 0 ? hide(rc) : 0;
		at = sqlite3_column_int64(statement, 0);
		CLEANUP_FREE char *merged =
			merge_text((const char *)sqlite3_column_text(statement, 1), answer);
		sqlite3_reset(statement);
		TRY(run(changes, UPDATE_CHANGE, "it", at, merged));
	}
}

/* Merges the answer into the resource.  -EEXIST if another has a value of it that must be unique. */
static int
take_answer(struct changes *changes, struct store_change *change, struct found *found, uint64_t sequence)
{
	CLEANUP(cleanup_json) struct json_object *answer = read_answer(change);

	if (!answer)
		return 0;
	CLEANUP_FREE char *document = merge_text(found->resource.document, answer);
	CLEANUP(cleanup_json) struct json_object *value = parse(document);
	struct store_change *merged = store_change_new(
		change->collection, change->action, &change->id, &change->parent, change->url);
	store_change_set_document(merged, value);
	int rc = judge_unique(changes, merged, merged->unique, found->resource.sequence);
	if (rc == 0)
		rc = replace_values(changes, merged, merged->unique, found->resource.sequence);
	store_change_free(merged);
	if (rc < 0)
		return rc;
	free(found->document);
	found->resource.document = found->document = document;
	document = NULL;
	return merge_into_others(changes, found->resource.sequence, sequence, answer);
}

/* The operation has succeeded, but its change has not. */
static void
fail_end(struct store_change *change, enum problem problem, const char *why)
{
	struct text text = {0};
	struct problem_report report = {.problem = problem, .detail = why};

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

/* Settles the row of the resource once its change is no longer pending. */
static int
settle(struct changes *changes, struct store_change *change, struct found *found, uint64_t sequence)
{
	struct resource *resource = &found->resource;
	int rc = 0;

	if (!change->failed && change->action == STORE_DELETE)
		return remove_all(changes, change, resource);
	if (!change->failed)
		rc = take_answer(changes, change, found, sequence);
	if (rc == -EEXIST)
		fail_end(change, PROBLEM_CONFLICT,
			"The answer has a value that must be unique and belongs to another resource.");
	else if (rc < 0)
		return rc;
	bool failed = change->failed || change->end_failed;
	if (found->pending == STORE_NONE) {
		resource->status = failed ? STORE_ERROR : STORE_ACTIVE;
		resource->action = failed ? change->action : STORE_NONE;
	}
	resource->status_message = failed ? change->message : NULL;
	return store_row(changes, resource);
}

/* What pending changes there are beside those that have ended. */
static int
look_for_others(struct changes *changes, const struct store_change *change, struct found *found)
{
	CLEANUP(fini_found) struct found now = {0};
	int rc = find(changes, change, &now);

	if (rc == 0)
		found->pending = now.pending;
	return rc;
}

int
changes_end(struct changes *changes, struct store_change *change, uint64_t sequence)
{
	CLEANUP(fini_found) struct found found = {0};
	int rc = find_own(changes, sequence, &found);

	change->end_failed = false;
	if (rc == -ENOENT) {
		if (!change->failed)
			fail_end(change, PROBLEM_NOT_FOUND,
				"The resource was deleted together with its parent.");
		return 0;
	}
	TRY(rc);
	found.resource.document = found.current;
	TRY(run(changes, REMOVE_CHANGE, "i", (int64_t)sequence));
	TRY(look_for_others(changes, change, &found));
	TRY(settle(changes, change, &found, sequence));
	if (change->failed || change->end_failed)
		return 0;
	represent(change, &found.resource);
	store_change_make_response(change);
	return 0;
}

static int
add_index(struct changes *changes, const struct store_collection *collection, const char *member)
{
	struct text name = {0};
	CLEANUP_FREE char *value = listing_sort_value(member);

	if (!value)
		return 0;
	listing_index_name(&name, collection->name, member);
	char *statement = sqlite3_mprintf(
		"CREATE INDEX IF NOT EXISTS \"%w\" ON resource (parent, %s) WHERE collection = %Q", name.data,
		value, collection->name);
	text_fini(&name);
	int rc = database_execute(changes->database, statement);
	sqlite3_free(statement);
	return hide(rc);
}

int
changes_add_indexes(struct changes *changes, const struct store_collection *collection)
{
	for (char **member = collection->index; *member; member++)
		TRY(add_index(changes, collection, *member));
	return 0;
}

int
changes_find(struct changes *changes, uint64_t sequence, struct store_pending *ret_pending)
{
	sqlite3_stmt *statement = changes->statements[FIND_PENDING];
	int rc = ask(changes, FIND_PENDING, "i", (int64_t)sequence);

	if (rc <= 0)
		return rc < 0 ? hide(rc) : -ENOENT;
	ret_pending->action = (enum store_action)sqlite3_column_int(statement, 0);
	ret_pending->collection = copy_text(statement, 1);
	copy_id(statement, 2, &ret_pending->id);
	copy_id(statement, 3, &ret_pending->parent);
	sqlite3_reset(statement);
	return 0;
}
