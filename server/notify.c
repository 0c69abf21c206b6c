/* The protocol of the service manager: datagrams to $NOTIFY_SOCKET, and inherited sockets. */
#include "notify.h"

#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void
send_to_manager(const char *path, const char *message, size_t len)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t path_len = strlen(path);

	if (path_len < 2 || path_len >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(address.sun_path, path, path_len);
	if (path[0] == '@')
		address.sun_path[0] = '\0'; /* an abstract name */
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_len);
	ssize_t n = sendto(fd, message, len, MSG_NOSIGNAL, (struct sockaddr *)&address, size);
	(void)n; /* a lost message is no reason to fail */
	close(fd);
}

void
notify_send(const char *format, ...)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct text message = {0};
	va_list args;

	if (!path)
		return;
	va_start(args, format);
	text_addv(&message, format, args);
	va_end(args);
	send_to_manager(path, message.data, message.len);
	text_fini(&message);
}

/* Returns true if the variable is absent or holds our process id. */
static int
is_for_us(const char *name)
{
	const char *value = getenv(name);
	uint64_t pid;

	return !value ||
	       (text_parse_uint(value, strlen(value), INT32_MAX, &pid) == 0 && (pid_t)pid == getpid());
}

int64_t
notify_watchdog_ms(void)
{
	const char *value = getenv("WATCHDOG_USEC");
	uint64_t us;

	if (!value || !is_for_us("WATCHDOG_PID") ||
		text_parse_uint(value, strlen(value), INT64_MAX, &us) < 0 || us == 0)
		return 0;
	/* Half of the interval, as sd_watchdog_enabled(3) recommends. */
	return us / 2000 > 0 ? (int64_t)(us / 2000) : 1;
}

int
notify_listen_fds(void)
{
	const char *value = getenv("LISTEN_FDS");
	uint64_t count;

	if (!value || !getenv("LISTEN_PID") || !is_for_us("LISTEN_PID") ||
		text_parse_uint(value, strlen(value), 1024, &count) < 0)
		return 0;
	for (int fd = NOTIFY_FIRST_FD; fd < NOTIFY_FIRST_FD + (int)count; fd++) {
		int flags = fcntl(fd, F_GETFL);
		if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
			fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return 0;
	}
	return (int)count;
}

bool
notify_stderr_is_journal(void)
{
	const char *value = getenv("JOURNAL_STREAM"), *colon = value ? strchr(value, ':') : NULL;
	struct stat status;
	uint64_t device, inode;

	return colon && text_parse_uint(value, (size_t)(colon - value), UINT64_MAX, &device) == 0 &&
	       text_parse_uint(colon + 1, strlen(colon + 1), UINT64_MAX, &inode) == 0 &&
	       fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}
