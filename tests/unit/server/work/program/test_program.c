/* Program work, whole: an input goes in, a result comes out. */
#include "tests/unit/server/work/program/program_call.h"

#include <sys/mman.h>
#include <sys/resource.h>

/* Runs a script that must answer 200 with that output. */
static void
assert_says(struct call call, const char *expected)
{
	call_run_now(&call);
	if (call.result.problem)
		fail_msg("%s", call.result.detail);
	assert_int_equal(call.result.status, 200);
	call_assert_body(&call.result, expected, strlen(expected));
	work_result_fini(&call.result);
	call_fini(&call);
}

static void
test_filter(void **state)
{
	struct call call = {
		.script = "tr a-z A-Z", .body = blob_new("hello", 5), .response_type = "text/plain"};

	call_run_now(&call);
	assert_int_equal(call.result.problem, PROBLEM_NONE);
	assert_int_equal(call.result.status, 200);
	call_assert_field(&call.result, "Content-Type", "text/plain");
	call_assert_body(&call.result, "HELLO", 5);
	assert_null(call.result.detail);
	work_result_fini(&call.result);
	call_fini(&call);

	struct call silent = {.script = "cat"};
	call_run_now(&silent);
	assert_int_equal(silent.result.status, 200);
	call_assert_field(&silent.result, "Content-Type", "application/octet-stream");
	assert_null(silent.result.body);
	work_result_fini(&silent.result);
	call_fini(&silent);
}

/* Bodies and outputs that do not fit into a pipe, in memory and in the spool, either way. */
static void
test_large(void **state)
{
	int spool = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; i < 4; i++) {
		struct text text = {0};
		struct blob_sink sink;
		struct call call = {.script = "cat", .spool_fd = i & 1 ? spool : 0};

		for (int n = 0; n < 200000; n++)
			text_addf(&text, "%d\n", n);
		blob_sink_init(&sink, i & 2 ? spool : -1, UINT64_MAX);
		assert_int_equal(blob_sink_write(&sink, text.data, text.len), 0);
		assert_int_equal(blob_sink_finish(&sink, &call.body), 0);
		assert_int_equal(blob_is_file(call.body), (i & 2) != 0);
		call_run_now(&call);
		assert_int_equal(call.result.status, 200);
		assert_int_equal(blob_is_file(call.result.body), i & 1);
		call_assert_body(&call.result, text.data, text.len);
		work_result_fini(&call.result);
		call_fini(&call);
		text_fini(&text);
	}
	close(spool);
}

static void
test_arguments(void **state)
{
	static const char *const params[] = {
		"size", "1; rm -rf /", "empty", "", "bytes", "\xff\n'\"$(x)", NULL};
	char program[] = "/usr/bin/printf", format[] = "[%s]", a[] = "{size}", b[] = "{empty}",
	     c[] = "x{bytes}y", d[] = "{\"k\": {}}";
	char *argv[] = {program, format, a, b, c, d, NULL};

	assert_says((struct call){.argv = argv, .params = params},
		"[1; rm -rf /][][x\xff\n'\"$(x)y][{\"k\": {}}]");
	/* In a script it is a word of the script, which is the operator's doing. */
	assert_says((struct call){.script = "printf %s \"$1\"", .params = params}, "");
}

static void
test_missing_parameter(void **state)
{
	char program[] = "/usr/bin/printf", a[] = "{size}";
	char *argv[] = {program, a, NULL};
	struct call call = {.argv = argv};

	call_run_now(&call);
	call_assert_problem(&call.result, PROBLEM_INVALID_PARAMETER, 400, "The parameter 'size' is missing.");
	assert_int_equal(call.pid, 0);
	work_result_fini(&call.result);
	call_fini(&call);
}

static void
test_environment(void **state)
{
	char own[] = "LANG=de_DE.UTF-8", more[] = "OWN=x y";
	char *env[] = {own, more, NULL};

	setenv("DEFERD_UNIT_SECRET", "secret", 1);
	assert_says(
		(struct call){.script = "echo $REQUEST_METHOD $SCRIPT_NAME $PATH_INFO $QUERY_STRING $PATH;"
					"echo $LANG $OWN $DEFERD_PROGRESS_FD [$DEFERD_UNIT_SECRET] [$HOME]",
			.env = env},
		"POST /run /a b x=1 /usr/local/bin:/usr/bin:/bin\nde_DE.UTF-8 x y 3 [] []\n");
	unsetenv("DEFERD_UNIT_SECRET");

	struct call call = {.script = "printf %s $DEFERD_OPERATION_ID"};
	char id[ID_TEXT_SIZE];
	call_run_now(&call);
	id_format(&call.input->id, id);
	call_assert_body(&call.result, id, strlen(id));
	work_result_fini(&call.result);
	call_fini(&call);
}

static void
test_directory(void **state)
{
	CLEANUP_FREE char *expected = xasprintf("%s\n", scratch);

	assert_says((struct call){.script = "pwd -P"}, "/\n");
	assert_says((struct call){.script = "pwd -P", .directory = scratch}, expected);
}

static const struct {
	const char *script;
	int status;
	const char *detail;
} failures[] = {
	{"echo lost; exit 1", 500, "The program ended with exit status 1."},
	{"echo lost; exit 66", 404, "The program ended with exit status 66 (EX_NOINPUT)."},
	{"exit 75", 503, "The program ended with exit status 75 (EX_TEMPFAIL)."},
	{"exit 255", 500, "The program ended with exit status 255."},
	{"echo lost; kill -SEGV $$", 500, "The program was ended by signal 11 (SIGSEGV)."},
	{"kill -KILL $$", 500, "The program was ended by signal 9 (SIGKILL)."},
	{"kill -PIPE $$", 500, "The program was ended by signal 13 (SIGPIPE)."},
	/* its whole group */
	{"kill -TERM 0", 500, "The program was ended by signal 15 (SIGTERM)."},
};

static void
test_failures(void **state)
{
	for (size_t i = 0; i < 2 * LENGTH(failures); i++) {
		struct call call = {
			.script = failures[i / 2].script, .protocol = i % 2 ? PROGRAM_CGI : PROGRAM_FILTER};

		call_run_now(&call);
		call_assert_problem(
			&call.result, PROBLEM_PROGRAM_FAILED, failures[i / 2].status, failures[i / 2].detail);
		work_result_fini(&call.result);
		call_fini(&call);
	}
}

static const struct {
	const char *script;
	int status;
	const char *type, *location, *body;
} responses[] = {
	{"printf 'Content-Type: text/plain\\n\\nhello'", 200, "text/plain", NULL, "hello"},
	{"printf 'Content-Type: text/plain\\r\\n\\r\\n\\r\\nhello'", 200, "text/plain", NULL, "\r\nhello"},
	{"printf 'Status: 404 Not here\\nContent-Type: a/b\\n\\nno'", 404, "a/b", NULL, "no"},
	{"printf 'Location: /items/7\\nStatus: 201 Created\\n\\n'", 201, NULL, "/items/7", ""},
	{"printf 'Location: /other\\n\\n'", 302, NULL, "/other", ""},
	{"printf 'Status: 204\\n\\ndropped'", 204, NULL, NULL, ""},
	/* in pieces */
	{"printf 'Content-'; printf 'Type: a/b\\n'; printf '\\n'; printf 'he'; printf 'llo'", 200, "a/b",
		NULL, "hello"},
};

static void
test_cgi(void **state)
{
	for (size_t i = 0; i < LENGTH(responses); i++) {
		struct call call = {.script = responses[i].script, .protocol = PROGRAM_CGI};

		call_run_now(&call);
		if (call.result.problem)
			fail_msg("%s: %s", responses[i].script, call.result.detail);
		assert_int_equal(call.result.status, responses[i].status);
		call_assert_field(&call.result, "Content-Type", responses[i].type);
		call_assert_field(&call.result, "Location", responses[i].location);
		call_assert_body(&call.result, responses[i].body, strlen(responses[i].body));
		work_result_fini(&call.result);
		call_fini(&call);
	}
}

static void
test_cgi_malformed(void **state)
{
	static const char *const scripts[] = {
		"exit 0",
		"echo hello",
		"printf '\\nhello'",
		"printf 'Content-Type: text/plain\\n'",
		"printf 'Content-Type: text/plain'",
		"printf 'Status: 100\\n\\n'",
		"printf 'Status: OK\\n\\n'",
		"printf 'X-Other: 1\\n\\n'",
		"printf 'HTTP/1.1 200 OK\\nContent-Type: a/b\\n\\n'",
	};

	for (size_t i = 0; i < LENGTH(scripts); i++) {
		struct call call = {.script = scripts[i], .protocol = PROGRAM_CGI};

		call_run_now(&call);
		call_assert_problem(&call.result, PROBLEM_BAD_PROGRAM_RESPONSE, 502,
			"The program's response does not begin with a valid header.");
		work_result_fini(&call.result);
		call_fini(&call);
	}
}

/* A head that does not end is not waited for: the program, which would go on, is stopped. */
static void
test_cgi_endless_head(void **state)
{
	struct call call = {.script = "while :; do echo 'X-Field: value'; done", .protocol = PROGRAM_CGI};

	call_run_now(&call);
	call_assert_problem(&call.result, PROBLEM_BAD_PROGRAM_RESPONSE, 502,
		"The header of the program's response is longer than 65536 bytes.");
	work_result_fini(&call.result);
	call_fini(&call);

	/* One that just fits is good, and its body comes whole. */
	struct call fits = {.script =
				    "printf 'Content-Type: a/b\\nX: '; head -c 65513 /dev/zero | tr '\\0' x;"
				    "printf '\\n\\n'; head -c 100000 /dev/zero",
		.protocol = PROGRAM_CGI};
	call_run_now(&fits);
	assert_int_equal(fits.result.problem, PROBLEM_NONE);
	assert_int_equal(blob_len(fits.result.body), 100000);
	work_result_fini(&fits.result);
	call_fini(&fits);
}

static const struct {
	const char *script;
	enum program_protocol protocol;
	bool is_too_large;
} sizes[] = {
	{"head -c 100000 /dev/zero", PROGRAM_FILTER, false},
	{"head -c 100001 /dev/zero", PROGRAM_FILTER, true},
	{"trap '' TERM; (setsid sleep 1000 &); cat /dev/zero; exec sleep 1000", PROGRAM_FILTER, true},
	{"printf 'Content-Type: a/b\\n\\n'; head -c 100000 /dev/zero", PROGRAM_CGI, false},
	{"printf 'Content-Type: a/b\\n\\n'; head -c 100001 /dev/zero; exec sleep 1000", PROGRAM_CGI, true},
};

static void
test_max_result(void **state)
{
	for (size_t i = 0; i < LENGTH(sizes); i++) {
		struct call call = {
			.script = sizes[i].script, .protocol = sizes[i].protocol, .max_result_bytes = 100000};

		call_run_now(&call);
		if (sizes[i].is_too_large)
			call_assert_problem(&call.result, PROBLEM_RESULT_TOO_LARGE, 500,
				"The program wrote more than 100000 bytes.");
		else
			assert_int_equal(blob_len(call.result.body), 100000);
		assert_false(has_children());
		work_result_fini(&call.result);
		call_fini(&call);
	}
}

/* A spool that cannot be written to: the directory is gone. */
static void
test_spool_fails(void **state)
{
	const char *path = scratch_path("spool");
	assert_int_equal(mkdir(path, 0700), 0);
	int spool = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(rmdir(path), 0);
	struct call call = {.script = "cat /dev/zero", .spool_fd = spool};

	call_run_now(&call);
	call_assert_problem(&call.result, PROBLEM_STORAGE, 503, "The program's output cannot be stored.");
	work_result_fini(&call.result);
	call_fini(&call);
	close(spool);
}

static void
test_unavailable(void **state)
{
	char nothing[] = "/nonexistent/secret-path";
	char *argv[] = {nothing, NULL};
	struct call gone = {.argv = argv}, no_directory = {.script = "exit 0", .directory = "/nonexistent"};

	call_run_now(&gone);
	call_assert_problem(&gone.result, PROBLEM_PROGRAM_UNAVAILABLE, 500, "The program cannot be started.");
	work_result_fini(&gone.result);
	call_fini(&gone);
	call_run_now(&no_directory);
	call_assert_problem(
		&no_directory.result, PROBLEM_PROGRAM_UNAVAILABLE, 500, "The program cannot be started.");
	work_result_fini(&no_directory.result);
	call_fini(&no_directory);

	struct rlimit limit, low;
	struct call busy = {.script = "exit 0"};
	call_prepare(&busy);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = (struct rlimit){1, limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	call_run(&busy);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	call_assert_problem(&busy.result, PROBLEM_PROGRAM_UNAVAILABLE, 503,
		"The program cannot be started at the moment.");
	work_result_fini(&busy.result);
	call_fini(&busy);
}

static void
test_bad_configurations(void **state)
{
	char bare[] = "true", path[] = "/bin/true", no_value[] = "NAME", no_name[] = "=value",
	     type[] = "a/b\r\nX: y";
	char *none[] = {NULL}, *bare_argv[] = {bare, NULL}, *argv[] = {path, NULL},
	     *env1[] = {no_value, NULL}, *env2[] = {no_name, NULL};
	struct program_config configs[] = {{.argv = NULL}, {.argv = none}, {.argv = bare_argv},
		{.argv = argv, .env = env1}, {.argv = argv, .env = env2},
		{.argv = argv, .response_type = type}};

	for (size_t i = 0; i < LENGTH(configs); i++) {
		struct work *work = NULL;
		assert_int_equal(program_new(&configs[i], &work), -EINVAL);
		assert_null(work);
	}
}

static void
test_progress_and_process(void **state)
{
	const char *gate = make_gate("ready"), *go = make_gate("go");
	CLEANUP_FREE char *script =
		xasprintf("echo 5 first >&3; echo junk >&3; echo $$ > %s; read x < %s; printf '100 last' >&3",
			gate, go);
	struct call call = {.script = script};
	struct proc proc;

	call_begin(&call);
	pid_t pid = read_gate_pid(gate);
	assert_int_equal(proc_read(pid, &proc), 0);
	open_gate(go);
	call_join(&call);
	assert_int_equal(proc.pgid, pid);
	assert_int_equal(call.pid, pid);
	assert_int_equal(call.start_time, proc.start_time);
	assert_string_equal(call.progress.data, "[5 first][100 last]");
	work_result_fini(&call.result);
	call_fini(&call);
}

/* Standard error is logged, told by a log that stands in its place. */
static void
test_standard_error_is_logged(void **state)
{
	int log = memfd_create("log", MFD_CLOEXEC), saved = dup(STDERR_FILENO);
	struct call call = {.script = "echo 'what happened' >&2; printf 'the last' >&2"};
	char text[4096] = "", id[ID_TEXT_SIZE];

	assert_int_equal(dup2(log, STDERR_FILENO), STDERR_FILENO);
	call_run_now(&call);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	close(saved);
	assert_true(pread(log, text, sizeof text - 1, 0) > 0);
	close(log);
	id_format(&call.input->id, id);
	id[8] = '\0';
	assert_non_null(strstr(text, id));
	assert_non_null(strstr(text, "what happened"));
	assert_non_null(strstr(text, "the last"));
	assert_int_equal(call.result.status, 200);
	work_result_fini(&call.result);
	call_fini(&call);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_missing_parameter),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_directory),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_cgi),
		cmocka_unit_test(test_cgi_malformed),
		cmocka_unit_test(test_cgi_endless_head),
		cmocka_unit_test(test_max_result),
		cmocka_unit_test(test_spool_fails),
		cmocka_unit_test(test_unavailable),
		cmocka_unit_test(test_bad_configurations),
		cmocka_unit_test(test_progress_and_process),
		cmocka_unit_test(test_standard_error_is_logged),
	};

	return cmocka_run_group_tests(tests, call_setup, processes_teardown);
}
