/* The part that every kind of work shares: references, results, and the control through which the loop stops a run. */
#include "work/work.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct work *
work_ref(struct work *work)
{
	atomic_fetch_add_explicit(&work->references, 1, memory_order_relaxed);
	return work;
}

void
work_unref(struct work *work)
{
	if (!work || atomic_fetch_sub_explicit(&work->references, 1, memory_order_acq_rel) > 1)
		return;
	work->type->free(work);
}

void
work_result_fini(struct work_result *result)
{
	fields_fini(&result->fields);
	blob_unref(result->body);
	free(result->detail);
	*result = (struct work_result){0};
}

void
work_result_set_problem(struct work_result *result, enum problem problem, int status, const char *format, ...)
{
	struct text detail = {0};
	va_list args;

	/* Formatted first: an argument may point into the result that is dropped. */
	va_start(args, format);
	text_addv(&detail, format, args);
	va_end(args);
	work_result_fini(result);
	result->problem = problem;
	result->status = status ? status : problem_status(problem);
	result->detail = text_take(&detail);
}

int
work_control_init(struct work_control *control)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	work_control_init_begun(control);
	control->wake_fd = fd;
	return 0;
}

void
work_control_init_begun(struct work_control *control)
{
	*control = (struct work_control){.wake_fd = -1, .spool_fd = -1, .max_result_bytes = UINT64_MAX};
}

void
work_control_fini(struct work_control *control)
{
	if (control->wake_fd >= 0)
		close(control->wake_fd);
	control->wake_fd = -1;
}

void
work_control_stop(struct work_control *control, enum work_stop stop)
{
	int now = atomic_load(&control->stop);
	uint64_t one = 1;

	do {
		if (now >= (int)stop)
			return;
	} while (!atomic_compare_exchange_weak(&control->stop, &now, (int)stop));

	if (control->on_stop)
		control->on_stop(control->stop_arg);
	if (control->wake_fd < 0)
		return;
	/* Fails only while the counter is near its end, and then the descriptor is readable as it is. */
	ssize_t n = write(control->wake_fd, &one, sizeof one);
	(void)n;
}
