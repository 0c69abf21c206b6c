/* A call of a program: see program_call.h. */
#include "tests/unit/server/work/program/program_call.h"

static void
on_process(struct work_control *control, pid_t pid, uint64_t start_time)
{
	struct call *call = (struct call *)(void *)((char *)control - offsetof(struct call, control));

	call->pid = pid;
	call->start_time = start_time;
}

static void
on_progress(struct work_control *control, int percent, const char *text)
{
	struct call *call = (struct call *)(void *)((char *)control - offsetof(struct call, control));

	text_addf(&call->progress, "[%d%s%s]", percent, text ? " " : "", text ? text : "");
}

static struct work_input *
new_input(const struct call *call)
{
	struct work_input *input = work_input_new();

	input->id = new_id();
	input->method = xstrdup("POST");
	input->path = xstrdup("/run/a%20b");
	input->query = xstrdup("x=1");
	input->route = xstrdup("/run/{name}");
	input->remote_address = xstrdup("127.0.0.1");
	input->scheme = xstrdup("http");
	input->authority = xstrdup("localhost:8580");
	input->base = xstrdup("http://localhost:8580");
	input->body = call->body;
	for (const char *const *param = call->params; param && *param; param += 2)
		work_input_add_param(input, param[0], param[1]);
	return input;
}

void
call_prepare(struct call *call)
{
	char shell[] = "/bin/sh", option[] = "-c";
	CLEANUP_FREE char *script = xstrdup(call->script ? call->script : "");
	char *argv[] = {shell, option, script, NULL};
	struct program_config config = {
		.argv = call->argv ? call->argv : argv,
		.protocol = call->protocol,
		.response_type = (char *)(uintptr_t)call->response_type,
		.env = call->env,
		.working_directory = (char *)(uintptr_t)call->directory,
	};

	assert_int_equal(program_new(&config, &call->work), 0);
	call->input = new_input(call);
	assert_int_equal(work_control_init(&call->control), 0);
	call->control.stop_grace_ms = 1000 * 1000;
	call->control.max_result_bytes = call->max_result_bytes ? call->max_result_bytes : 64 * 1024 * 1024;
	call->control.spool_fd = call->spool_fd ? call->spool_fd : -1;
	call->control.on_process = on_process;
	call->control.on_progress = on_progress;
}

void *
call_run(void *arg)
{
	struct call *call = arg;

	call->work->type->run(call->work, call->input, &call->control, &call->result);
	return NULL;
}

void
call_fini(struct call *call)
{
	work_unref(call->work);
	work_input_free(call->input);
	work_control_fini(&call->control);
	text_fini(&call->progress);
}

void
call_run_now(struct call *call)
{
	call_prepare(call);
	call_run(call);
}

void
call_begin(struct call *call)
{
	call_prepare(call);
	assert_int_equal(pthread_create(&call->thread, NULL, call_run, call), 0);
}

void
call_join(struct call *call)
{
	assert_int_equal(pthread_join(call->thread, NULL), 0);
}

void
call_assert_body(const struct work_result *result, const char *data, size_t len)
{
	CLEANUP_FREE char *body = xcalloc(len + 1, 1);

	assert_int_equal(blob_len(result->body), len);
	if (len > 0)
		assert_int_equal(blob_read(result->body, 0, body, len), len);
	assert_memory_equal(body, data, len);
}

void
call_assert_field(const struct work_result *result, const char *name, const char *value)
{
	CLEANUP_FREE char *found = fields_dup_value(&result->fields, name);

	assert_int_equal(found == NULL, value == NULL);
	if (value)
		assert_string_equal(found, value);
}

void
call_assert_problem(const struct work_result *result, enum problem problem, int status, const char *detail)
{
	if (result->problem != problem)
		fail_msg("problem %s, not %s: %s", problem_name(result->problem), problem_name(problem),
			result->detail ? result->detail : "");
	assert_int_equal(result->status, status);
	assert_null(result->body);
	assert_int_equal(result->fields.len, 0);
	assert_string_equal(result->detail, detail);
}
