/* Inserts, updates and removes rows of resources, their unique values and their counts. */
#include "store/sqlite/resources/write.h"

#include "store/sqlite/resources/judge.h"
#include "store/sqlite/resources/removal.h"

#include <stdlib.h>
#include <string.h>

static int
add_values(struct statements *statements, const struct store_change *change, char **values, int64_t sequence)
{
	char **names = change->collection->unique;

	for (size_t i = 0; values && names[i]; i++)
		if (values[i])
			TRY(statements_run(statements, ADD_VALUE, "tPtti", change->collection->name,
				judge_parent_of(change), names[i], values[i], sequence));
	return 0;
}

int
resource_write_values(
	struct statements *statements, const struct store_change *change, char **values, int64_t sequence)
{
	if (!change->collection->unique[0])
		return 0;
	TRY(statements_run(statements, REMOVE_VALUES, "i", sequence));
	return add_values(statements, change, values, sequence);
}

void
resource_counts_forget(struct resource_counts *counts)
{
	for (unsigned i = 0; i < counts->count; i++)
		free(counts->list[i].collection);
	counts->count = 0;
}

int
resource_counts_write(struct statements *statements, struct resource_counts *counts)
{
	for (unsigned i = 0; i < counts->count; i++) {
		const struct resource_count *one = &counts->list[i];
		TRY(statements_run(statements, COUNT, "Pti", one->has_parent ? &one->parent : NULL,
			one->collection, one->more));
	}
	resource_counts_forget(counts);
	return 0;
}

/* Finds or adds the entry for the list of the change.  A full table is written first. */
static int
find_count(struct statements *statements, struct resource_counts *counts, const struct store_change *change,
	struct resource_count **ret_count)
{
	const struct id *parent = judge_parent_of(change);

	for (unsigned i = 0; i < counts->count; i++) {
		struct resource_count *one = &counts->list[i];
		*ret_count = one;
		if (one->has_parent == (parent != NULL) && (!parent || id_equal(&one->parent, parent)) &&
			strcmp(one->collection, change->collection->name) == 0)
			return 0;
	}
	if (counts->count == RESOURCE_COUNTS_MAX)
		TRY(resource_counts_write(statements, counts));
	*ret_count = &counts->list[counts->count++];
	**ret_count = (struct resource_count){
		.collection = xstrdup(change->collection->name), .has_parent = parent != NULL};
	if (parent)
		(*ret_count)->parent = *parent;
	return 0;
}

static int
count(struct statements *statements, struct resource_counts *counts, const struct store_change *change,
	int64_t more)
{
	struct resource_count *one = NULL;

	TRY(find_count(statements, counts, change, &one));
	one->more += more;
	return 0;
}

int
resource_write_insert(struct statements *statements, struct resource_counts *counts,
	const struct store_change *change, struct resource *resource)
{
	const struct id *parent = judge_parent_of(change);

	resource->version = 1;
	resource->created_ms = change->now_ms;
	resource->document = change->document;
	TRY(statements_run(statements, INSERT, "tIPiiiiitt", change->collection->name, &resource->id, parent,
		(int64_t)resource->status, (int64_t)resource->action, (int64_t)1, resource->created_ms,
		(int64_t)0, NULL, resource->document));
	resource->sequence = database_last_row(statements->database);
	TRY(add_values(statements, change, change->unique, resource->sequence));
	return count(statements, counts, change, 1);
}

int
resource_write_row(struct statements *statements, const struct resource *resource)
{
	return statements_run(statements, UPDATE, "iiiiitt", resource->sequence, (int64_t)resource->status,
		(int64_t)resource->action, (int64_t)resource->version, resource->updated_ms,
		resource->status_message, resource->document);
}

int
resource_write_update(
	struct statements *statements, const struct store_change *change, struct resource *resource)
{
	resource->version++;
	resource->updated_ms = change->now_ms;
	resource->document = change->document;
	TRY(resource_write_row(statements, resource));
	return resource_write_values(statements, change, change->unique, resource->sequence);
}

int
resource_write_mark(struct statements *statements, const struct resource *resource)
{
	return statements_run(statements, MARK, "iiit", resource->sequence, (int64_t)resource->status,
		(int64_t)resource->action, resource->status_message);
}

int
resource_write_remove(struct statements *statements, struct resource_counts *counts,
	struct store_change *change, const struct resource *resource)
{
	bool others = false;

	/* Some counts may be of lists that are removed with it. */
	TRY(resource_counts_write(statements, counts));
	TRY(removal_make(statements, resource, &others));
	change->took_others |= others;
	return count(statements, counts, change, -1);
}
