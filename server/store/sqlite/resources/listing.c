/*
 * Lists: pages are found by key, never by offset, so that a page costs the same wherever it is.
 *
 * The sort key of a row is the value of a member in SQLite's order; an empty blob (the greatest value there
 * is) if the member is missing or null; and the order of creation among equals.  A page after a marker is two
 * walks over an index, first the rest of the marker's equals, then the greater values: SQLite would not use
 * the index for both in one query.  Filters compare text: the value of a string, the JSON of other values.
 */
#include "store/sqlite/resources/listing.h"

#include "store/sqlite/resources/row.h"

#include "common/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DATE(column) \
	"CASE " column " WHEN 0 THEN 'null' ELSE strftime('%Y-%m-%dT%H:%M:%S', " column \
	" / 1000, 'unixepoch') || printf('.%03dZ', " column " % 1000) END"
#define UUID(column) \
	"lower(substr(hex(" column "), 1, 8) || '-' || substr(hex(" column \
	"), 9, 4) || '-' || substr(hex(" column "), 13, 4) || '-' || substr(hex(" column \
	"), 17, 4) || '-' || substr(hex(" column "), 21))"
#define STATUS "CASE status WHEN 0 THEN 'ACTIVE' WHEN 1 THEN 'PENDING' ELSE 'ERROR' END"
#define ACTION "CASE action WHEN 0 THEN 'NONE' WHEN 1 THEN 'CREATE' WHEN 2 THEN 'UPDATE' ELSE 'DELETE' END"

/* The members that are columns: the expressions for their order and for their text. */
static const struct own {
	const char *name;
	const char *sort;
	const char *text;
} own[] = {
	{"id", "id", UUID("id")},
	{"status", STATUS, STATUS},
	{"action", ACTION, ACTION},
	{"version", "version", "CAST(version AS TEXT)"},
	{"created_at", "created_ms", DATE("created_ms")},
	{"updated_at", "updated_ms", DATE("updated_ms")},
	{"status_message", "coalesce(status_message, x'')", "coalesce(status_message, 'null')"},
};

static const struct own own_parent = {NULL, "parent", UUID("parent")};

static const struct own *
find_own(const struct store_collection *collection, const char *name)
{
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (strcmp(own[i].name, name) == 0)
			return &own[i];
	if (collection->parent_member && strcmp(collection->parent_member, name) == 0)
		return &own_parent;
	return NULL;
}

/* Adds SQL formatted by sqlite3_mprintf, which has %Q. */
static void
add_sql(struct text *sql, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	char *piece = sqlite3_vmprintf(format, args);
	va_end(args);
	if (!piece)
		abort();
	text_add_string(sql, piece);
	sqlite3_free(piece);
}

/* The JSON path of a member as an SQL literal; NULL if SQLite has no such path. */
static char *
path_of(const char *member)
{
	struct text sql = {0};

	if (strpbrk(member, "\"\\"))
		return NULL;
	CLEANUP_FREE char *path = xasprintf("$.\"%s\"", member);
	add_sql(&sql, "%Q", path);
	return text_take(&sql);
}

char *
listing_sort_value(const char *member)
{
	CLEANUP_FREE char *path = path_of(member);

	return path ? xasprintf("coalesce(json_extract(document, %s), x'')", path) : NULL;
}

void
listing_index_name(struct text *name, const char *collection, const char *member)
{
	text_addf(name, "resource_by_member %s %s", collection, member);
}

static bool
has_index(const struct store_collection *collection, const char *member)
{
	for (char **name = collection->index; *name; name++)
		if (strcmp(*name, member) == 0)
			return true;
	return false;
}

/* The expression that list is sorted by; NULL: order of creation.  *ret_unknown: no expression is
 * possible. */
static char *
sort_value(const struct store_list *list, bool *ret_unknown)
{
	const struct own *column = list->sort_key ? find_own(list->collection, list->sort_key) : NULL;

	*ret_unknown = false;
	if (!list->sort_key)
		return NULL;
	char *value = column ? xstrdup(column->sort) : listing_sort_value(list->sort_key);
	*ret_unknown = !value;
	return value;
}

/* Adds a comparison with a value that may have wildcards. */
static void
add_match(struct text *sql, const char *value)
{
	CLEANUP(text_fini) struct text pattern = {0};

	if (!strchr(value, '*')) {
		add_sql(sql, " = %Q", value);
		return;
	}
	for (const char *at = value; *at; at++) {
		if (*at == '?' || *at == '[')
			text_addf(&pattern, "[%c]", *at);
		else
			text_add_char(&pattern, *at);
	}
	add_sql(sql, " GLOB %Q", pattern.data);
}

/* Adds a condition that an index can serve: a superset of the rows whose text is value. */
static void
add_candidates(struct text *sql, const char *member, const char *value)
{
	CLEANUP_FREE char *expression = listing_sort_value(member);

	add_sql(sql, " AND %s IN (%Q, CAST(%Q AS NUMERIC)", expression, value, value);
	if (strcmp(value, "true") == 0)
		text_add_string(sql, ", 1");
	if (strcmp(value, "null") == 0)
		text_add_string(sql, ", x''");
	text_add_char(sql, ')');
}

static void
add_filter(struct text *sql, const struct store_list *list, const struct store_filter *filter)
{
	const struct own *column = find_own(list->collection, filter->member);
	CLEANUP_FREE char *path = path_of(filter->member);

	if (column) {
		text_addf(sql, " AND %s", column->text);
	} else if (path) {
		if (has_index(list->collection, filter->member) && !strchr(filter->value, '*'))
			add_candidates(sql, filter->member, filter->value);
		text_addf(sql,
			" AND CASE json_type(document, %s) WHEN 'text' THEN json_extract(document, %s)"
			" ELSE document -> %s END",
			path, path, path);
	} else {
		text_add_string(sql, " AND 0");
		return;
	}
	add_match(sql, filter->value);
}

/* The member whose index serves list, because of a filter or the sort key; NULL: none. */
static const char *
index_member(const struct store_list *list)
{
	if (list->sort_key)
		return has_index(list->collection, list->sort_key) ? list->sort_key : NULL;
	for (size_t i = 0; i < list->filter_count; i++)
		if (has_index(list->collection, list->filters[i].member) &&
			!strchr(list->filters[i].value, '*') && !strpbrk(list->filters[i].member, "\"\\"))
			return list->filters[i].member;
	return NULL;
}

/* Adds FROM and WHERE: the collection, the parent (?1) and the filters. */
static void
add_from(struct text *sql, const struct store_list *list)
{
	const char *member = index_member(list);
	CLEANUP(text_fini) struct text name = {0};

	text_add_string(sql, " FROM resource r");
	if (member) {
		listing_index_name(&name, list->collection->name, member);
		add_sql(sql, " INDEXED BY \"%w\"", name.data);
	} else {
		text_add_string(sql, " INDEXED BY resource_by_parent");
	}
	add_sql(sql, " WHERE parent = ?1 AND collection = %Q", list->collection->name);
	for (size_t i = 0; i < list->filter_count; i++)
		add_filter(sql, list, &list->filters[i]);
}

/* The state of one list while it runs. */
struct listing {
	sqlite3 *handle;
	struct store_list *list;
	char *sort;	       /* NULL: order of creation */
	sqlite3_value *marker; /* the marker's sort value */
	int64_t marker_sequence;
	unsigned count; /* number of items so far */
};

static int
prepare(struct listing *listing, const char *sql, sqlite3_stmt **ret_statement)
{
	const struct store_list *list = listing->list;

	if (sqlite3_prepare_v2(listing->handle, sql, -1, ret_statement, NULL) != SQLITE_OK)
		return -EIO;
	if (list->collection->parent)
		sqlite3_bind_blob(*ret_statement, 1, &list->parent, sizeof list->parent, SQLITE_STATIC);
	else
		sqlite3_bind_zeroblob(*ret_statement, 1, 0);
	return 0;
}

static void
finalize(sqlite3_stmt **statement)
{
	sqlite3_finalize(*statement);
}

/* Reads the number that a statement returns: 1 and the number, 0 without a row, -EIO. */
static int
ask(struct listing *listing, const char *sql, int64_t *ret_value)
{
	CLEANUP(finalize) sqlite3_stmt *statement = NULL;
	int rc = prepare(listing, sql, &statement);

	if (rc < 0)
		return rc;
	int step = sqlite3_step(statement);
	if (step == SQLITE_ROW)
		*ret_value = sqlite3_column_int64(statement, 0);
	return step == SQLITE_ROW ? 1 : step == SQLITE_DONE ? 0 : -EIO;
}

static int
look_for_parent(struct listing *listing)
{
	CLEANUP(text_fini) struct text sql = {0};
	const char *parent = listing->list->collection->parent;
	int64_t one;

	if (!parent)
		return 0;
	add_sql(&sql, "SELECT 1 FROM resource WHERE collection = %Q AND id = ?1", parent);
	int rc = ask(listing, sql.data, &one);
	return rc == 0 ? -ENOENT : rc < 0 ? rc : 0;
}

static int
count_all(struct listing *listing)
{
	CLEANUP(text_fini) struct text sql = {0};
	struct store_list *list = listing->list;
	int64_t total = 0;

	if (list->filter_count == 0) {
		add_sql(&sql, "SELECT count FROM resource_count WHERE parent = ?1 AND collection = %Q",
			list->collection->name);
	} else {
		text_add_string(&sql, "SELECT count(*)");
		add_from(&sql, list);
	}
	int rc = ask(listing, sql.data, &total);
	list->total = (uint64_t)total;
	return rc < 0 ? rc : 0;
}

/* If no schema lists the members, some resource must have the sort key. */
static int
look_for_sort_key(struct listing *listing)
{
	CLEANUP(text_fini) struct text sql = {0};
	const struct store_list *list = listing->list;
	int64_t one;

	if (!list->sort_key || list->sort_key_is_known || find_own(list->collection, list->sort_key))
		return 0;
	CLEANUP_FREE char *path = path_of(list->sort_key);
	add_sql(&sql,
		"SELECT 1 FROM (SELECT json_type(document, %s) AS type FROM resource WHERE parent = ?1"
		" AND collection = %Q) WHERE type IS NOT NULL LIMIT 1",
		path, list->collection->name);
	int rc = ask(listing, sql.data, &one);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	text_clear(&sql);
	add_sql(&sql, "SELECT 1 FROM resource WHERE parent = ?1 AND collection = %Q LIMIT 1",
		list->collection->name);
	rc = ask(listing, sql.data, &one);
	return rc > 0 ? -EINVAL : rc;
}

static int
find_marker(struct listing *listing)
{
	CLEANUP(finalize) sqlite3_stmt *statement = NULL;
	CLEANUP(text_fini) struct text sql = {0};
	const struct store_list *list = listing->list;

	if (!list->has_marker)
		return 0;
	add_sql(&sql, "SELECT sequence, %s FROM resource WHERE collection = %Q AND id = ?2 AND parent = ?1",
		listing->sort ? listing->sort : "NULL", list->collection->name);
	int rc = prepare(listing, sql.data, &statement);
	if (rc < 0)
		return rc;
	sqlite3_bind_blob(statement, 2, &list->marker, sizeof list->marker, SQLITE_STATIC);
	int step = sqlite3_step(statement);
	if (step != SQLITE_ROW)
		return step == SQLITE_DONE ? -ESRCH : -EIO;
	listing->marker_sequence = sqlite3_column_int64(statement, 0);
	listing->marker = sqlite3_value_dup(sqlite3_column_value(statement, 1));
	return 0;
}

static int
add_item(struct listing *listing, sqlite3_stmt *statement)
{
	struct store_list *list = listing->list;
	struct resource resource = {0};
	char id[ID_TEXT_SIZE];
	int rc = resource_row_look(statement, &resource);

	if (rc < 0)
		return rc;
	id_format(&resource.id, id);
	CLEANUP_FREE char *url = xasprintf("%s/%s", list->url, id);
	if (listing->count++ > 0)
		text_add_char(&list->items, ',');
	representation_add(&list->items, list->collection, &resource, url);
	list->last = resource.id;
	return 0;
}

/* Adds the rows of a query, up to the limit, and notes whether there are more. */
static int
add_items(struct listing *listing, const char *where, const char *order)
{
	CLEANUP(finalize) sqlite3_stmt *statement = NULL;
	CLEANUP(text_fini) struct text sql = {0};
	struct store_list *list = listing->list;
	int step;

	text_add_string(&sql, "SELECT " RESOURCE_COLUMNS);
	add_from(&sql, list);
	text_addf(&sql, "%s ORDER BY %s LIMIT %u", where, order, list->limit - listing->count + 1);
	int rc = prepare(listing, sql.data, &statement);
	if (rc < 0)
		return rc;
	if (listing->marker) {
		sqlite3_bind_value(statement, 2, listing->marker);
		sqlite3_bind_int64(statement, 3, listing->marker_sequence);
	}
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		if (listing->count == list->limit) {
			list->has_more = true;
			return 0;
		}
		rc = add_item(listing, statement);
		if (rc < 0)
			return rc;
	}
	return step == SQLITE_DONE ? 0 : -EIO;
}

static int
add_page(struct listing *listing)
{
	const char *sort = listing->sort, *direction = listing->list->descending ? " DESC" : "";
	char behind = listing->list->descending ? '<' : '>';
	CLEANUP_FREE char *by_sequence = xasprintf("sequence%s", direction);
	CLEANUP_FREE char *order = sort ? xasprintf("%s%s, %s", sort, direction, by_sequence) : NULL;

	if (!listing->marker)
		return add_items(listing, "", order ? order : by_sequence);
	CLEANUP_FREE char *equals = sort ? xasprintf(" AND %s = ?2 AND sequence %c ?3", sort, behind)
					 : xasprintf(" AND sequence %c ?3", behind);
	int rc = add_items(listing, equals, by_sequence);
	if (rc < 0 || !sort || listing->list->has_more)
		return rc;
	CLEANUP_FREE char *others = xasprintf(" AND %s %c ?2", sort, behind);
	return add_items(listing, others, order);
}

void
listing_run(sqlite3 *handle, struct store_list *list)
{
	static int (*const steps[])(struct listing * listing) = {
		look_for_parent, look_for_sort_key, find_marker, count_all, add_page};
	struct listing listing = {.handle = handle, .list = list};
	bool unknown;
	int rc = 0;

	listing.sort = sort_value(list, &unknown);
	if (unknown)
		rc = -EINVAL;
	for (size_t i = 0; rc == 0 && i < sizeof steps / sizeof *steps; i++)
		rc = steps[i](&listing);
	list->error = rc;
	sqlite3_value_free(listing.marker);
	free(listing.sort);
}
