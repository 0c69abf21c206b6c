/* Where a result goes. */
#include "deferctl/output.h"

#include "common/cleanup.h"
#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

void
output_init(struct output *output, const char *path)
{
	*output = (struct output){.path = path && strcmp(path, "-") != 0 ? path : NULL, .fd = -1};
}

static int
open_output(struct output *output)
{
	if (output->fd >= 0)
		return 0;
	output->fd = output->path ? open(output->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)
				  : STDOUT_FILENO;
	return output->fd < 0 ? -errno : 0;
}

static int
write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t written = write(fd, data, len);
		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			data += written;
			len -= (size_t)written;
		}
	}
	return 0;
}

/* A copy in which nothing moves the terminal's cursor but line ends. */
static char *
dup_for_terminal(const char *data, size_t len, char *last)
{
	char *copy = xcalloc(len + 1, 1);

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)data[i];
		bool is_control = (c < 0x20 && c != '\n' && c != '\t' && c != '\r') || c == 0x7f;
		/* The second byte of a C1 control in UTF-8. */
		is_control |= c >= 0x80 && c < 0xa0 && (unsigned char)*last == 0xc2;
		copy[i] = is_control ? '?' : data[i];
		*last = data[i];
	}
	return copy;
}

int
output_write(struct output *output, const char *data, size_t len)
{
	CLEANUP_FREE char *copy = NULL;
	int rc = open_output(output);

	if (rc < 0)
		return rc;
	if (!output->path && isatty(output->fd))
		copy = dup_for_terminal(data, len, &output->last);
	rc = write_all(output->fd, copy ? copy : data, len);
	if (rc == 0)
		output->bytes += len;
	return rc;
}

int
output_line(struct output *output, const struct text *text)
{
	int rc = text->len > 0 ? output_write(output, text->data, text->len) : 0;

	return rc < 0 ? rc : output_write(output, "\n", 1);
}

int
output_restart(struct output *output)
{
	if (output->bytes == 0)
		return 0;
	if (!output->path || ftruncate(output->fd, 0) < 0 || lseek(output->fd, 0, SEEK_SET) < 0)
		return -EEXIST;
	output->bytes = 0;
	return 0;
}

int
output_finish(struct output *output)
{
	int rc = open_output(output);

	if (rc < 0 || !output->path)
		return rc;
	rc = close(output->fd) < 0 ? -errno : 0;
	output->fd = -1;
	return rc;
}
