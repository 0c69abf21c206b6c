/* Runs: the part of an operation that lives until its end. */
#include "operations/run.h"

#include "operations/private.h"
#include "store/resources.h"

#include <stdlib.h>

struct op_run *
op_run_new(struct op *op, struct work_input *input)
{
	struct op_run *run = xcalloc(1, sizeof *run);

	run->op = op;
	run->input = input;
	if (input)
		op->route->operations->retained_bytes += blob_len(input->body);
	list_init(&run->link);
	list_init(&run->turn_link);
	list_init(&run->acceptors);
	list_init(&run->watchers);
	pthread_mutex_init(&run->lock, NULL);
	op->run = run;
	return run;
}

void
op_run_free(struct op *op)
{
	struct op_run *run = op->run;

	op_go(op, PHASE_OVER);
	op_turn_leave(run);
	if (run->input)
		op->route->operations->retained_bytes -= blob_len(run->input->body);
	work_input_free(run->input);
	work_result_fini(&run->result);
	work_result_fini(&run->verdict);
	store_change_free(run->change);
	free(run->accepted);
	pthread_mutex_destroy(&run->lock);
	free(run);
	op->run = NULL;
}
