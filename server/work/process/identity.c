/*
 * Whose a process is.
 *
 * A mark is a value of RLIMIT_LOCKS.  Linux has not enforced this limit since 2.4 and nobody sets it, yet it is
 * inherited by every child and by every program that a process becomes, it cannot be raised without privilege,
 * and everybody may read it in /proc.  A program that lowers it on purpose sheds the mark; setsid(1), env(1), a
 * change of the user or two forks do not.
 */
#include "work/process/identity.h"

#include "common/cleanup.h"
#include "common/text.h"
#include "work/process/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A mark: 40 bits of the server's identity, then the number of the run. */
#define RUN_BITS 24
#define RUN_MASK ((UINT64_C(1) << RUN_BITS) - 1)
#define SERVER_BITS 40

static struct identity own;
static _Atomic uint64_t runs;

static void
read_boot(struct id *ret_boot)
{
	CLEANUP_CLOSE int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	char text[ID_TEXT_SIZE - 1];

	if (fd < 0 || read(fd, text, sizeof text) != sizeof text || id_parse(text, sizeof text, ret_boot) < 0)
		*ret_boot = (struct id){0};
}

void
identity_start(void)
{
	struct proc proc;

	own = (struct identity){.pid = getpid()};
	id_generate(&own.id);
	read_boot(&own.boot);
	if (proc_read(own.pid, &proc) == 0)
		own.start_time = proc.start_time;
}

const struct identity *
identity_own(void)
{
	return &own;
}

void
identity_format(const struct identity *identity, char ret_text[static IDENTITY_TEXT_LEN + 1])
{
	char id[ID_TEXT_SIZE], boot[ID_TEXT_SIZE];

	id_format(&identity->id, id);
	id_format(&identity->boot, boot);
	snprintf(ret_text, IDENTITY_TEXT_LEN + 1, "%s %s %010d %027" PRIu64, id, boot, (int)identity->pid,
		identity->start_time);
}

int
identity_parse(const char *text, size_t len, struct identity *ret_identity)
{
	struct identity identity;
	size_t id_len = ID_TEXT_SIZE - 1;
	uint64_t pid;

	if (len != IDENTITY_TEXT_LEN || id_parse(text, id_len, &identity.id) < 0 ||
		id_parse(text + id_len + 1, id_len, &identity.boot) < 0)
		return -EINVAL;
	text += 2 * (id_len + 1);
	if (text_parse_uint(text, 10, INT32_MAX, &pid) < 0 ||
		text_parse_uint(text + 11, 27, UINT64_MAX, &identity.start_time) < 0)
		return -EINVAL;
	identity.pid = (pid_t)pid;
	*ret_identity = identity;
	return 0;
}

enum identity_state
identity_state(const struct identity *identity)
{
	struct proc proc;

	if (!id_equal(&identity->boot, &own.boot))
		return IDENTITY_ELSEWHERE;
	if (identity->pid == own.pid || proc_read(identity->pid, &proc) < 0 || proc_is_zombie(&proc))
		return IDENTITY_ENDED;
	return proc.start_time == identity->start_time ? IDENTITY_LIVES : IDENTITY_ENDED;
}

bool
identity_can_mark(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_LOCKS, &limit) == 0 && limit.rlim_max == RLIM_INFINITY;
}

/* The first bits of an id are random, as those of any version 4 UUID. */
static uint64_t
server_part(const struct identity *identity)
{
	uint64_t part = 0;

	for (int i = 0; i < SERVER_BITS / 8; i++)
		part = part << 8 | identity->id.bytes[i];
	return part;
}

uint64_t
identity_new_mark(void)
{
	uint64_t run = atomic_fetch_add(&runs, 1) & RUN_MASK;

	return server_part(&own) << RUN_BITS | run;
}

bool
identity_has_mark(const struct identity *identity, uint64_t mark)
{
	return mark != 0 && mark >> RUN_BITS == server_part(identity);
}

int
identity_set_mark(uint64_t mark)
{
	struct rlimit limit = {.rlim_cur = mark, .rlim_max = mark};

	return setrlimit(RLIMIT_LOCKS, &limit) < 0 ? -errno : 0;
}

uint64_t
identity_read_mark(pid_t pid)
{
	static const char name[] = "\nMax file locks ";
	CLEANUP(text_fini) struct text limits = {0};
	uint64_t soft, hard;

	if (proc_read_file(pid, "limits", 1, &limits) < 0 || limits.len == 0)
		return 0;
	const char *line = strstr(limits.data, name);
	if (!line || sscanf(line + sizeof name - 1, "%" SCNu64 " %" SCNu64, &soft, &hard) != 2)
		return 0;
	return hard;
}
