/* Program work. */
#include "work/program/program.h"

#include "common/cleanup.h"
#include "common/log.h"
#include "work/process/exchange.h"
#include "work/process/identity.h"
#include "work/process/orphans.h"
#include "work/process/process.h"
#include "work/program/arguments.h"
#include "work/program/cgi.h"
#include "work/program/environment.h"
#include "work/program/error_log.h"
#include "work/program/exit_status.h"
#include "work/program/progress.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct program {
	struct work work;	 /* first, as in every kind of work */
	struct string_list argv; /* what switches to its user, then its own */
	char *path;		 /* for the log */
	struct string_list env;
	enum program_protocol protocol;
	struct fields fields; /* of a filter's response */
	char *directory;
	struct program_limits limits;
	int nice;
	bool has_user; /* else the server's */
	struct program_user user;
};

/* One run of a program, on its thread. */
struct run {
	const struct program *program;
	const struct work_input *input;
	struct work_control *control;
	struct text head;	 /* CGI: what has come of the head */
	size_t head_len;	 /* CGI: where it ends in head; 0: not yet */
	struct blob_sink output; /* the response's body */
	struct error_log errors;
	struct progress progress;
};

int
program_each_name(const char *argument, int (*fn)(const char *name, size_t len, void *arg), void *arg)
{
	size_t len;

	while ((argument = arguments_find_name(argument, &len))) {
		int rc = fn(argument + 1, len, arg);
		if (rc != 0)
			return rc;
		argument += len + 2;
	}
	return 0;
}

/* Collects the head, and passes on to the body what comes after it. */
static int
take_head(struct run *run, const char *data, size_t len)
{
	size_t seen = run->head.len, room = CGI_HEAD_MAX - seen;
	size_t taken = len < room ? len : room;

	text_add(&run->head, data, taken);
	run->head_len = cgi_head_len(run->head.data, run->head.len, seen);
	if (run->head_len == 0)
		return run->head.len == CGI_HEAD_MAX ? -EBADMSG : 0;
	CLEANUP(text_fini) struct text body = {0};
	text_add(&body, run->head.data + run->head_len, run->head.len - run->head_len);
	text_add(&body, data + taken, len - taken);
	int rc = blob_sink_write(&run->output, body.data, body.len);
	if (rc < 0) {
		/* the same data will come again */
		run->head.len = seen;
		run->head_len = 0;
	}
	return rc;
}

static int
on_output(void *arg, const char *data, size_t len)
{
	struct run *run = arg;

	if (run->program->protocol == PROGRAM_CGI && run->head_len == 0)
		return take_head(run, data, len);
	return blob_sink_write(&run->output, data, len);
}

static int
on_error(void *arg, const char *data, size_t len)
{
	struct run *run = arg;

	error_log_feed(&run->errors, data, len);
	return 0;
}

static int
on_progress(void *arg, const char *data, size_t len)
{
	struct run *run = arg;

	progress_feed(&run->progress, data, len);
	return 0;
}

/* The result of a run that was cut short for error. */
static void
set_cut_short(const struct run *run, int error, struct work_result *result)
{
	switch (-error) {
	case ECANCELED:
		work_result_set_problem(result, PROBLEM_CANCELLED, 0, "The program was stopped.");
		break;
	case EFBIG:
		work_result_set_problem(result, PROBLEM_RESULT_TOO_LARGE, 0,
			"The program wrote more than %" PRIu64 " bytes.", run->control->max_result_bytes);
		break;
	case EBADMSG:
		work_result_set_problem(result, PROBLEM_BAD_PROGRAM_RESPONSE, 0,
			"The header of the program's response is longer than %zu bytes.", CGI_HEAD_MAX);
		break;
	default:
		log_error("cannot store a program's output", "operation=%s reason=%s",
			LOG_ID(&run->input->id), strerrordesc_np(-error));
		work_result_set_problem(result, PROBLEM_STORAGE, 0, "The program's output cannot be stored.");
	}
}

/* Status and fields of the response of a program that has succeeded. */
static int
set_response_head(const struct run *run, struct work_result *result)
{
	const struct program *program = run->program;

	if (program->protocol == PROGRAM_CGI)
		return run->head_len > 0 ? cgi_parse_head(run->head.data, run->head_len, &result->status,
						   &result->fields)
					 : -EINVAL;
	result->status = 200;
	fields_copy(&result->fields, &program->fields);
	return 0;
}

static bool
has_content(int status)
{
	return status != 204 && status != 205 && status != 304;
}

static void
set_response(struct run *run, struct work_result *result)
{
	if (set_response_head(run, result) < 0) {
		work_result_set_problem(result, PROBLEM_BAD_PROGRAM_RESPONSE, 0,
			"The program's response does not begin with a valid header.");
		return;
	}
	if (run->output.len == 0 || !has_content(result->status))
		return;
	int rc = blob_sink_finish(&run->output, &result->body);
	if (rc < 0)
		set_cut_short(run, rc, result);
}

static void
set_result(struct run *run, int error, const siginfo_t *info, struct work_result *result)
{
	if (error < 0)
		set_cut_short(run, error, result);
	else if (exit_status_is_failure(info))
		exit_status_set_problem(info, result);
	else
		set_response(run, result);
}

/* The reason is the operator's to know, not the client's. */
static void
set_unavailable(const struct run *run, int error, struct work_result *result)
{
	bool is_passing = error == -EAGAIN || error == -ENOMEM || error == -EMFILE || error == -ENFILE ||
			  error == -ETXTBSY;

	log_error("cannot start program", "operation=%s program=%s directory=%s reason=%s",
		LOG_ID(&run->input->id), run->program->path, run->program->directory,
		strerrordesc_np(-error));
	work_result_set_problem(result, PROBLEM_PROGRAM_UNAVAILABLE, is_passing ? 503 : 0, "%s",
		is_passing ? "The program cannot be started at the moment."
			   : "The program cannot be started.");
	result->never_began = true;
}

static void
tell_process(const struct run *run, const struct process *process)
{
	struct work_control *control = run->control;
	struct proc proc;

	if (control->on_process && proc_read(process->pid, &proc) == 0)
		control->on_process(control, process->pid, proc.start_time);
}

static void
run_process(struct run *run, const struct process_spec *spec, struct work_result *result)
{
	const struct blob *body = spec->input;
	bool is_in_memory = blob_len(body) > 0 && !blob_is_file(body);
	struct exchange_spec exchange = {
		.input = is_in_memory ? blob_data(body) : NULL,
		.input_len = is_in_memory ? (size_t)blob_len(body) : 0,
		.on_output = on_output,
		.on_error = on_error,
		.on_progress = on_progress,
		.arg = run,
		.id = spec->id,
	};
	struct process process;
	siginfo_t info;
	int rc = process_spawn(spec, &process);

	if (rc < 0) {
		set_unavailable(run, rc, result);
		return;
	}
	tell_process(run, &process);
	rc = exchange_run(&exchange, &process, run->control, &info);
	error_log_finish(&run->errors);
	progress_finish(&run->progress);
	set_result(run, rc, &info, result);
}

static void
run_with_arguments(struct run *run, struct work_result *result)
{
	const struct program *program = run->program;
	struct string_list argv = {0}, env = {0};
	CLEANUP_FREE char *missing = NULL;

	if (arguments_fill(&program->argv, run->input, &argv, &missing) < 0) {
		work_result_set_problem(
			result, PROBLEM_INVALID_PARAMETER, 0, "The parameter '%s' is missing.", missing);
	} else {
		environment_build(run->input, program->env.items, &env);
		struct process_spec spec = {
			.argv = argv.items,
			.env = env.items,
			.directory = program->directory,
			.input = run->input->body,
			.limits = &program->limits,
			.user = program->has_user ? &program->user : NULL,
			.nice = program->nice,
			.id = run->input->id,
		};
		run_process(run, &spec, result);
	}
	string_list_fini(&argv);
	string_list_fini(&env);
}

static void
program_run(const struct work *work, const struct work_input *input, struct work_control *control,
	struct work_result *ret_result)
{
	struct run run = {.program = (const struct program *)work, .input = input, .control = control};

	if (atomic_load(&control->stop) != WORK_GOES_ON) {
		set_cut_short(&run, -ECANCELED, ret_result);
		return;
	}
	blob_sink_init(&run.output, control->spool_fd, control->max_result_bytes);
	error_log_init(&run.errors, &input->id);
	progress_init(&run.progress, control);
	run_with_arguments(&run, ret_result);
	progress_fini(&run.progress);
	blob_sink_fini(&run.output);
	text_fini(&run.head);
}

static void
program_free(struct work *work)
{
	struct program *program = (struct program *)work;

	string_list_fini(&program->argv);
	string_list_fini(&program->env);
	fields_fini(&program->fields);
	free(program->directory);
	free(program->path);
	free(program);
}

static const struct work_type program_type = {.name = "program", .run = program_run, .free = program_free};

static bool
is_good(const struct program_config *config)
{
	if (!config->argv || !config->argv[0] || !strchr(config->argv[0], '/'))
		return false;
	for (char **entry = config->env; entry && *entry; entry++)
		if (**entry == '=' || !strchr(*entry, '='))
			return false;
	return true;
}

int
program_new(const struct program_config *config, struct work **ret_work)
{
	const char *type = config->response_type ? config->response_type : "application/octet-stream";
	struct program_user user = {0};
	struct fields fields = {0};

	if (config->user && program_user_find(config->user, &user) < 0)
		return -EINVAL;
	if (!is_good(config) || fields_add(&fields, "Content-Type", type) < 0)
		return -EINVAL;
	struct program *program = xcalloc(1, sizeof *program);
	program->work.type = &program_type;
	program->work.references = 1;
	program->protocol = config->protocol;
	program->fields = fields;
	program->directory = xstrdup(config->working_directory ? config->working_directory : "/");
	program->path = xstrdup(config->argv[0]);
	program->limits = config->limits;
	program->nice = (int)config->nice;
	program->has_user = config->user && !program_user_is_own(&user);
	program->user = user;
	if (program->has_user)
		program_user_add_command(&user, &program->argv);
	string_list_copy(&program->argv, config->argv);
	string_list_copy(&program->env, config->env);
	*ret_work = &program->work;
	return 0;
}

void
program_reap_orphans(void)
{
	orphans_reap();
}

void
program_start(void)
{
	program_limits_start();
	orphans_start();
}

_Static_assert(PROGRAM_SERVER_LEN == IDENTITY_TEXT_LEN, "the line is an identity");

void
program_format_server(char ret_line[static PROGRAM_SERVER_LEN + 1])
{
	identity_format(identity_own(), ret_line);
}

/* Whether the line is of a server that may have left programs here. */
static bool
has_left_programs(const char *line, size_t len, struct identity *ret_identity)
{
	if (identity_parse(line, len, ret_identity) < 0)
		return false;
	enum identity_state state = identity_state(ret_identity);
	if (state == IDENTITY_LIVES)
		log_warning("the lock file of the state names another server that runs: its programs are "
			    "left alone",
			"pid=%d", (int)ret_identity->pid);
	return state == IDENTITY_ENDED;
}

unsigned
program_kill_leftovers(const char *servers)
{
	CLEANUP_FREE struct identity *ended = xcalloc(strlen(servers) / IDENTITY_TEXT_LEN + 1, sizeof *ended);
	size_t count = 0;

	for (const char *line = servers; *line;) {
		size_t len = strcspn(line, "\n");
		if (has_left_programs(line, len, &ended[count]))
			count++;
		line += len + (line[len] == '\n');
	}
	return orphans_kill_leftovers(ended, count);
}
