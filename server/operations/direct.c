/* Changes that nobody has to carry out: no operation is made, but they count as one while they are on their
 * way. */
#include "operations/private.h"

#include "store/resources.h"

#include <stdlib.h>

struct direct {
	struct operations *operations;
	store_done_fn done;
	void *arg;
};

static void
on_changed(void *arg, int error)
{
	struct direct *direct = arg;

	direct->operations->outstanding--;
	direct->done(direct->arg, error);
	free(direct);
}

static enum op_refusal
refusal(const struct operations *operations)
{
	if (operations->draining)
		return OP_REFUSED_DRAINING;
	if (operations->outstanding >= operations->config.capacity)
		return OP_REFUSED_CAPACITY;
	return store_is_healthy(operations->config.store) ? OP_TAKEN : OP_REFUSED_STORAGE;
}

enum op_refusal
operations_apply(struct operations *operations, struct store_change *change, store_done_fn done, void *arg)
{
	enum op_refusal why = refusal(operations);

	if (why != OP_TAKEN) {
		operations->refused[why]++;
		return why;
	}
	struct direct *direct = xcalloc(1, sizeof *direct);
	direct->operations = operations;
	direct->done = done;
	direct->arg = arg;
	operations->outstanding++;
	store_change(operations->config.store, change, on_changed, direct);
	return OP_TAKEN;
}
