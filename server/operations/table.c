/* The table of operations by id. */
#include "operations/private.h"

void
op_table_add(struct operations *operations, struct op *op)
{
	hash_add(&operations->table, &op->by_id, hash_bytes(&operations->table, &op->id, sizeof op->id));
	list_add_head(&operations->all, &op->link);
}

void
op_table_remove(struct operations *operations, struct op *op)
{
	hash_remove(&operations->table, &op->by_id);
	list_remove(&op->link);
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
