/*
 * The exchange with a running process: one poll loop on the calling thread writes its input, reads its output,
 * and stops the process when its control says so.
 *
 * The exchange ends when the process has ended, even if another process still holds its pipes: bytes that are
 * in the pipes by then are read, later ones are not.
 */
#pragma once

#include "work/process/process.h"
#include "work/work.h"

#include <stddef.h>

/* Receives len > 0 bytes that the process wrote.  -ENOSPC and -EDQUOT from on_output mean that the disk is full and
 * nothing was taken: the same bytes come again, and no further ones are read until they are taken or the control
 * says stop.  Any other negative errno from on_output stops the process. */
typedef int (*exchange_fn)(void *arg, const char *data, size_t len);

/* The exchange; everything is lent. */
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
 * Runs until process has ended, and waits for it.  0 and how it ended in *ret_info; -ECANCELED if control
 * stopped it; the negative errno of on_output.  Unless it returns 0, all descendants of the process are dead,
 * except those that cannot be killed.
 */
__attribute__((warn_unused_result)) int exchange_run(const struct exchange_spec *spec,
	struct process *process, struct work_control *control, siginfo_t *ret_info);
