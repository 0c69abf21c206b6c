/*
 * The exchange with a running process, from its spawn to its end: one poll loop on the calling thread that
 * writes its input, takes its output, and stops it when it is told to.
 *
 * It ends when the process has ended, whoever else still holds its pipes: what is in them by then is read, no
 * more.
 */
#pragma once

#include "work/process.h"
#include "work/work.h"

#include <stddef.h>

/* Gets len > 0 bytes that the process wrote.  A negative errno from on_output stops the process. */
typedef int (*exchange_fn)(void *arg, const char *data, size_t len);

/* What the exchange is about; all lent. */
struct exchange_spec {
	const char *input; /* in memory: input_len bytes to be written */
	size_t input_len;
	exchange_fn on_output;
	exchange_fn on_error;	 /* standard error; its answer is ignored */
	exchange_fn on_progress; /* the progress descriptor; its answer is ignored */
	void *arg;		 /* of the three */
	struct id id;		 /* of the operation */
};

/*
 * Runs until process has ended, and ends it.  0 and how it ended in *ret_info; -ECANCELED when control said
 * stop; what on_output answered when that was negative.  Whenever it is not 0 its whole tree is dead, but for
 * what cannot be killed.
 */
__attribute__((warn_unused_result)) int exchange_run(const struct exchange_spec *spec,
	struct process *process, struct work_control *control, siginfo_t *ret_info);
