/*
 * Turns: the operations that change one resource run one at a time, in the order in which they were accepted.
 * A turn is the line of those that have not ended; the first may run, the others are blocked.
 */
#include "operations/private.h"

#include "store/resources.h"

#include <stdlib.h>

struct op_turn {
	struct hash_node node; /* in the operations' turns */
	struct id id;	       /* of the resource */
	struct list runs;      /* struct op_run by turn_link, in order; never empty */
};

static struct op_turn *
find(struct operations *operations, const struct id *id)
{
	struct hash_node *node =
		hash_find(&operations->turns, hash_bytes(&operations->turns, id, sizeof *id));

	for (; node; node = hash_find_next(node)) {
		struct op_turn *turn = container_of(node, struct op_turn, node);
		if (id_equal(&turn->id, id))
			return turn;
	}
	return NULL;
}

bool
op_turn_join(struct op_run *run)
{
	struct operations *operations = run->op->route->operations;
	const struct id *id = &run->change->id;
	struct op_turn *turn = find(operations, id);
	bool is_first = !turn;

	if (!turn) {
		turn = xcalloc(1, sizeof *turn);
		turn->id = *id;
		list_init(&turn->runs);
		hash_add(&operations->turns, &turn->node, hash_bytes(&operations->turns, id, sizeof *id));
	}
	run->turn = turn;
	list_add_tail(&turn->runs, &run->turn_link);
	return is_first;
}

void
op_turn_leave(struct op_run *run)
{
	struct op_turn *turn = run->turn;

	if (!turn)
		return;
	bool was_first = turn->runs.next == &run->turn_link;
	list_remove(&run->turn_link);
	run->turn = NULL;
	if (list_is_empty(&turn->runs)) {
		hash_remove(&run->op->route->operations->turns, &turn->node);
		free(turn);
	} else if (was_first) {
		op_queue_unblock(container_of(turn->runs.next, struct op_run, turn_link));
	}
}

struct op *
operations_find_change(struct operations *operations, const struct id *resource)
{
	struct op_turn *turn = find(operations, resource);

	return turn ? container_of(turn->runs.prev, struct op_run, turn_link)->op : NULL;
}
