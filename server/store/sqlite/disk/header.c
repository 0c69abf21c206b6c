/* Identifies a file by its first bytes.  It does not use SQLite, which may write to a file that it opens. */
#include "store/sqlite/disk/header.h"

#include "store/sqlite/disk/schema.h"

#include "common/cleanup.h"
#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The offset of the application id in the header, and the length of the header. */
#define HEADER_MAGIC "SQLite format 3"
#define HEADER_APPLICATION_ID 68
#define HEADER_SIZE 100

static uint32_t
read_big_endian(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static int
look_at_header(const char *path, int fd, char **ret_why)
{
	uint8_t header[HEADER_SIZE];
	ssize_t n = pread(fd, header, sizeof header, 0);

	if (n < 0) {
		int error = errno;
		*ret_why = xasprintf("cannot read %s: %s", path, strerror(error));
		return -error;
	}
	if (n < (ssize_t)sizeof header || memcmp(header, HEADER_MAGIC, sizeof HEADER_MAGIC) != 0) {
		*ret_why = xasprintf("%s is not a database", path);
		return -EINVAL;
	}
	if (read_big_endian(header + HEADER_APPLICATION_ID) != SCHEMA_APPLICATION_ID) {
		*ret_why = xasprintf("%s is the database of another program", path);
		return -EINVAL;
	}
	return 0;
}

/* Refuses a log without its database: creating a new database there would discard the log's contents. */
static int
look_for_orphan(const char *path, char **ret_why)
{
	CLEANUP_FREE char *log = xasprintf("%s-wal", path);
	struct stat status;

	if (stat(log, &status) < 0 || status.st_size == 0)
		return 0;
	*ret_why = xasprintf("%s is missing or empty, but its log %s is there: put the database back, "
			     "or remove the log to begin anew",
		path, log);
	return -EINVAL;
}

int
header_look(const char *path, bool *ret_exists, char **ret_why)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status = {0};

	if ((fd < 0 && errno != ENOENT) || (fd >= 0 && fstat(fd, &status) < 0)) {
		int error = errno;
		*ret_why = xasprintf("cannot open %s: %s", path, strerror(error));
		return -error;
	}
	if (fd >= 0 && !S_ISREG(status.st_mode)) {
		*ret_why = xasprintf("%s is not a regular file", path);
		return -EINVAL;
	}
	int rc = status.st_size == 0 ? look_for_orphan(path, ret_why) : look_at_header(path, fd, ret_why);
	if (rc == 0)
		*ret_exists = status.st_size > 0;
	return rc;
}
