/* A call of a program, for tests: what goes in, what comes out, and what its control was told. */
#pragma once

#include "tests/unit/server/work/process/processes.h"

#include "work/program/program.h"

#include <pthread.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* One call of a program.  What is zero is left at its default. */
struct call {
	const char *script; /* for /bin/sh -c, unless argv is set */
	char **argv;
	char **env;
	enum program_protocol protocol;
	const char *response_type;
	const char *directory;
	struct blob *body; /* taken */
	uint64_t max_result_bytes;
	int spool_fd;		   /* 0: none */
	const char *const *params; /* names and values in turn, ended by NULL */

	struct work *work;
	struct work_input *input;
	struct work_control control;
	struct work_result result;
	pthread_t thread;

	/* what the control was told */
	pid_t pid;
	uint64_t start_time;
	struct text progress;
};

/* For cmocka: as processes_setup does, and programs can be run. */
static inline int
call_setup(void **state)
{
	int rc = processes_setup(state);

	program_start();
	return rc;
}

/* Makes the program and its input. */
void call_prepare(struct call *call);

/* Runs what was prepared; its argument is the call. */
void *call_run(void *arg);

/* Both, in this thread; in one of its own, until call_join. */
void call_run_now(struct call *call);
void call_begin(struct call *call);
void call_join(struct call *call);

/* Frees all but the result. */
void call_fini(struct call *call);

void call_assert_body(const struct work_result *result, const char *data, size_t len);

/* value NULL: there is no such field. */
void call_assert_field(const struct work_result *result, const char *name, const char *value);

/* The result is that problem, and nothing else. */
void call_assert_problem(
	const struct work_result *result, enum problem problem, int status, const char *detail);
