/* The table of operations by id, and walks through it. */
#include "operations/private.h"

/* The next older operation that clients may know, after op (NULL: the newest). */
static struct op *
older(struct operations *operations, const struct op *op)
{
	struct list *node = op ? op->link.next : operations->all.next;

	for (; node != &operations->all; node = node->next) {
		struct op *next = container_of(node, struct op, link);
		if (next->state != OP_ACCEPTING)
			return next;
	}
	return NULL;
}

void
op_table_add(struct operations *operations, struct op *op)
{
	hash_add(&operations->table, &op->by_id, hash_bytes(&operations->table, &op->id, sizeof op->id));
	list_add_head(&operations->all, &op->link);
}

void
op_table_remove(struct operations *operations, struct op *op)
{
	list_for_each(node, &operations->cursors) {
		struct op_cursor *cursor = container_of(node, struct op_cursor, link);
		if (cursor->next == op)
			cursor->next = older(operations, op);
	}
	hash_remove(&operations->table, &op->by_id);
	list_remove(&op->link);
}

void
op_cursor_start(struct op_cursor *cursor, struct operations *operations, const struct op *op)
{
	cursor->operations = operations;
	cursor->next = older(operations, op);
	list_add_tail(&operations->cursors, &cursor->link);
}

void
op_cursor_stop(struct op_cursor *cursor)
{
	list_remove(&cursor->link);
}

struct op *
op_cursor_next(struct op_cursor *cursor)
{
	struct op *op = cursor->next;

	if (op)
		cursor->next = older(cursor->operations, op);
	return op;
}

struct op *
op_table_find(struct operations *operations, const struct id *id)
{
	struct hash_node *node =
		hash_find(&operations->table, hash_bytes(&operations->table, id, sizeof *id));

	for (; node; node = hash_find_next(node)) {
		struct op *op = container_of(node, struct op, by_id);
		if (id_equal(&op->id, id))
			return op;
	}
	return NULL;
}
