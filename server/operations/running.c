/*
 * From the queue to a pool thread and back.  Work that may not be run a second time begins only after its
 * start is durable; until then the operation is still shown as queued.  A run holds its slot from here until
 * its work has returned.
 */
#include "common/clock.h"
#include "common/log.h"
#include "operations/private.h"
#include "store/resources.h"

#include <stdlib.h>
#include <string.h>

/* How long nothing is started after the disk has refused a start. */
#define START_RETRY_MS 1000

/* Pool thread. */
static void
on_progress(struct work_control *control, int percent, const char *text)
{
	struct op_run *run = container_of(control, struct op_run, control);

	pthread_mutex_lock(&run->lock);
	if (percent >= 0)
		run->progress = percent;
	if (text) {
		strncpy(run->progress_text, text, sizeof run->progress_text - 1);
		run->progress_text[sizeof run->progress_text - 1] = '\0';
	}
	pthread_mutex_unlock(&run->lock);
}

/* A process group on its way from the pool thread to the store. */
struct process_mail {
	struct mail mail;
	struct store *store;
	struct id id;
	uint64_t sequence;
	pid_t pid;
	uint64_t start_time;
};

static void
deliver_process(struct mail *mail)
{
	struct process_mail *process = container_of(mail, struct process_mail, mail);

	store_process(process->store, &process->id, process->sequence, process->pid, process->start_time);
	free(process);
}

/* Pool thread. */
static void
on_process(struct work_control *control, pid_t pid, uint64_t start_time)
{
	struct op_run *run = container_of(control, struct op_run, control);
	struct operations *operations = run->op->route->operations;
	struct process_mail *process = xcalloc(1, sizeof *process);

	process->mail.deliver = deliver_process;
	process->store = operations->config.store;
	process->id = run->input->id;
	process->sequence = run->op->sequence;
	process->pid = pid;
	process->start_time = start_time;
	mailbox_post(operations->config.mailbox, &process->mail);
}

/* Pool thread. */
static void
on_room(struct work_control *control, bool waits)
{
	struct operations *operations = container_of(control, struct op_run, control)->op->route->operations;

	if (waits)
		atomic_fetch_add(&operations->room_waits, 1);
	else
		atomic_fetch_sub(&operations->room_waits, 1);
}

/* Pool thread. */
static void
do_work(struct pool_job *job)
{
	struct op_run *run = container_of(job, struct op_run, job);
	const struct work *work = run->op->route->work;

	work->type->run(work, run->input, &run->control, &run->result);
}

static void
learn_run_time(struct op *op)
{
	int64_t ms = clock_wall_ms() - op->started_ms;
	struct op_route *route = op->route;

	if (ms < 0)
		ms = 0;
	route->load->run_ms = route->load->run_ms ? (route->load->run_ms * 7 + ms) / 8 : ms + 1;
}

/* Ends with the work's response.  Its 202 becomes 200: a client would take it for ours. */
static void
end_with_result(struct op *op, struct work_result *result)
{
	if (result->problem == PROBLEM_NONE && result->status == 202)
		result->status = 200;
	op_end(op, result->status >= 400 ? OP_FAILED : OP_SUCCEEDED, result);
}

void
op_end_stopped(struct op *op, enum op_stop stop)
{
	if (stop == OP_STOP_TIMEOUT)
		op_end_with(op, OP_TIMED_OUT, PROBLEM_RUN_TIMEOUT, NULL);
	else if (stop == OP_STOP_CANCEL)
		op_end_with(op, OP_CANCELLED, PROBLEM_CANCELLED, NULL);
	else
		op_interrupt(op);
}

static void
work_is_done(struct op_run *run)
{
	struct operations *operations = run->op->route->operations;
	struct op *op = run->op;

	work_control_fini(&run->control);
	op->progress = (int8_t)run->progress;
	if (run->stop != OP_GOES_ON) {
		work_result_fini(&run->result);
		op_end_stopped(op, run->stop);
	} else {
		learn_run_time(op);
		if (run->result.never_began)
			op->started_ms = 0;
		end_with_result(op, &run->result);
	}
	op_step(operations);
}

static void
on_job_done(struct pool_job *job)
{
	work_is_done(container_of(job, struct op_run, job));
}

static void
on_begun_done(struct mail *mail)
{
	work_is_done(container_of(mail, struct op_run, begun.mail));
}

static void
run_on_pool(struct op_run *run)
{
	run->job.run = do_work;
	run->job.done = on_job_done;
	pool_submit(run->op->route->operations->pool, &run->job);
}

static void
begin_work(struct op_run *run)
{
	const struct work *work = run->op->route->work;

	run->begun = (struct work_run){
		.input = run->input,
		.control = &run->control,
		.result = &run->result,
		.transfers = run->op->route->operations->transfers,
		.mail.deliver = on_begun_done,
	};
	work->type->begin(work, &run->begun);
}

static int
init_control(struct op_run *run)
{
	int rc = run->op->route->work->type->begin ? 0 : work_control_init(&run->control);

	if (rc < 0 || run->op->route->work->type->begin)
		work_control_init_begun(&run->control);
	return rc;
}

/* The work cannot begin.  The end comes later, since operations_submit has not returned the operation yet. */
static void
fail_work(struct op_run *run, int error)
{
	log_error("operation not started", "id=%s error=%s", LOG_ID(&run->op->id), strerrorname_np(-error));
	run->result.problem = PROBLEM_INTERNAL;
	run->result.status = problem_status(PROBLEM_INTERNAL);
	run->begun.mail.deliver = on_begun_done;
	mailbox_defer(run->op->route->operations->config.mailbox, &run->begun.mail);
}

static void
launch(struct op_run *run)
{
	struct op *op = run->op;
	struct operations *operations = op->route->operations;

	op->started_ms = clock_wall_ms();
	int rc = init_control(run);
	run->control.spool_fd = store_spool_fd(operations->config.store);
	run->control.stop_grace_ms = operations->config.stop_grace_ms;
	run->control.max_result_bytes = op->route->max_result_bytes;
	run->control.on_progress = on_progress;
	run->control.on_room = on_room;
	run->control.on_process = op->stored ? on_process : NULL;
	op_go(op, PHASE_WORKING);
	if (rc < 0)
		fail_work(run, rc);
	else if (op->route->work->type->begin)
		begin_work(run);
	else
		run_on_pool(run);
}

static void
on_retry(struct timer *timer)
{
	struct operations *operations = container_of(timer, struct operations, retry);

	op_step(operations);
}

static void
pause_starts(struct operations *operations)
{
	operations->retry.fn = on_retry;
	timer_start(operations->config.timers, &operations->retry, START_RETRY_MS);
}

/* The disk refused the start: the operation goes back to the head of its queue, and starting pauses. */
static void
start_refused(struct op_run *run)
{
	op_go(run->op, PHASE_WAITING);
	pause_starts(run->op->route->operations);
}

/* Gives the work the change as it stands now.  False if the resource has gone. */
static bool
take_on_change(struct op_run *run)
{
	struct store_change *change = run->change;

	if (!change)
		return true;
	if (!change->on_change)
		return false;
	run->op->route->operations->retained_bytes -= blob_len(run->input->body);
	blob_unref(run->input->body);
	run->input->body = blob_new(change->on_change, strlen(change->on_change));
	run->op->route->operations->retained_bytes += blob_len(run->input->body);
	fields_remove(&run->input->fields, "Content-Type");
	fields_put(&run->input->fields, "Content-Type", "application/json");
	return true;
}

static void
on_start_durable(void *arg, int error)
{
	struct op_run *run = arg;
	struct operations *operations = run->op->route->operations;

	if (run->stop == OP_GOES_ON && !error && operations->pool && take_on_change(run)) {
		launch(run);
	} else {
		/* Halted or draining: the next start decides.  The store may be closed. */
		if (!operations->pool || (error && operations->draining))
			op_end_stopped(run->op, OP_STOP_DRAIN);
		else if (run->stop != OP_GOES_ON)
			op_end_stopped(run->op, run->stop);
		else if (!error)
			op_end_with(run->op, OP_FAILED, PROBLEM_NOT_FOUND,
				"The resource was deleted together with its parent.");
		else
			start_refused(run);
	}
	op_step(operations);
}

static void
start(struct op_run *run)
{
	struct op *op = run->op;

	op_go(op, PHASE_BEGINNING);
	if (op->stored && (!op->route->rerun || op->run->change))
		store_begin(op->route->operations->config.store, &op->id, op->sequence, clock_wall_ms(),
			op->run->change, on_start_durable, run);
	else
		launch(run);
}

static void
start_next(struct operations *operations)
{
	struct op_run *run;

	/* More work would only want more of the room that running work waits for. */
	if (!operations->draining && atomic_load(&operations->room_waits) > 0 &&
		!timer_is_running(&operations->retry))
		pause_starts(operations);
	while (!operations->draining && !timer_is_running(&operations->retry) &&
		(run = op_queue_next(operations)))
		start(run);
}

void
op_step(struct operations *operations)
{
	start_next(operations);
	operations_check_drained(operations);
}

void
op_stop_work(struct op *op, enum op_stop why, enum work_stop how)
{
	struct op_run *run = op->run;

	if (run->stop == OP_GOES_ON)
		run->stop = why;
	if (run->phase == PHASE_WORKING)
		work_control_stop(&run->control, how);
}
