/* What the machine allows: the limits of the control group, file systems of other machines, files that everybody may change. */
#include "config/machine.h"

#include "common/cleanup.h"
#include "common/memory.h"
#include "common/text.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Enough for a file of the kernel that has a line for each hierarchy of control groups. */
#define FILE_SIZE 16384

/* The beginning of a file as a string, "" if it cannot be read. */
static void
read_start(const char *path, char *buffer, size_t size)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, buffer, size - 1) : 0;

	buffer[len > 0 ? len : 0] = '\0';
}

/* The number in a file, UINT64_MAX if it has another word ("max") or cannot be read. */
static uint64_t
read_limit(const char *directory, const char *name)
{
	CLEANUP_FREE char *path = xasprintf("%s/%s", directory, name);
	char line[32];
	uint64_t value;

	read_start(path, line, sizeof line);
	return text_parse_uint(line, strcspn(line, "\n"), UINT64_MAX, &value) == 0 ? value : UINT64_MAX;
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The path of this process' group below the mount of cgroup v2, "" for the group at the top (malloc'ed); NULL: none. */
static char *
find_group(const char *root)
{
	CLEANUP_FREE char *path = xasprintf("%s/proc/self/cgroup", root);
	CLEANUP_FREE char *lines = xcalloc(1, FILE_SIZE);

	read_start(path, lines, FILE_SIZE);
	for (char *line = lines; line; line = strchr(line, '\n')) {
		line += line[0] == '\n';
		if (strncmp(line, "0::/", 4) != 0)
			continue;
		size_t len = strcspn(line, "\n");
		return len > 4 ? xstrndup(line + 3, len - 3) : xstrdup("");
	}
	return NULL;
}

void
machine_get_limits(const char *root, struct machine_limits *ret_limits)
{
	CLEANUP_FREE char *group = find_group(root);
	struct sysinfo info;

	*ret_limits = (struct machine_limits){.memory_bytes = UINT64_MAX, .tasks = UINT64_MAX};
	if (sysinfo(&info) == 0)
		ret_limits->memory_bytes = (uint64_t)info.totalram * info.mem_unit;
	while (group) {
		CLEANUP_FREE char *directory = xasprintf("%s/sys/fs/cgroup%s", root, group);
		ret_limits->memory_bytes =
			least(ret_limits->memory_bytes, read_limit(directory, "memory.max"));
		ret_limits->tasks = least(ret_limits->tasks, read_limit(directory, "pids.max"));
		char *slash = strrchr(group, '/');
		if (!slash)
			break;
		*slash = '\0';
	}
}

bool
machine_is_network(long type)
{
	/* linux/magic.h and the sources of the file systems that are not in it. */
	static const uint32_t types[] = {
		0x6969,	    /* NFS */
		0x517b,	    /* SMB */
		0xff534d42, /* CIFS */
		0xfe534d42, /* SMB2 */
		0x01021997, /* 9P */
		0x00c36400, /* Ceph */
		0x5346414f, /* AFS */
		0x6b414653, /* kAFS */
		0x73757245, /* Coda */
		0x0bd00bd0, /* Lustre */
		0x7461636f, /* OCFS2 */
		0x01161970, /* GFS2 */
	};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (types[i] == (uint32_t)type)
			return true;
	return false;
}

bool
machine_is_on_network(const char *path)
{
	struct statfs status;

	return statfs(path, &status) == 0 && machine_is_network((long)status.f_type);
}

static bool
is_open_file(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && status.st_mode & S_IWOTH;
}

/* In a sticky directory only its owner can replace a file. */
static bool
is_open_directory(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && status.st_mode & S_IWOTH && !(status.st_mode & S_ISVTX);
}

bool
machine_is_open_to_all(const char *path)
{
	CLEANUP_FREE char *directory = xstrdup(path);
	char *slash = strrchr(directory, '/');

	if (is_open_file(path))
		return true;
	if (!slash)
		return false;
	slash[slash == directory] = '\0';
	return is_open_directory(directory);
}
