/* A VFS that passes every call on to SQLite's default one, unless a test makes it fail or wait. */
#include "tests/unit/server/store/sqlite/disk/faulty_vfs.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct rule {
	unsigned skip;
	unsigned count;
	int result_code;
};

struct file {
	sqlite3_file base;
	enum faulty_file kind;
	sqlite3_file *real;
};

static sqlite3_vfs vfs;
static sqlite3_vfs *real_vfs;
static _Atomic bool fsync_fails;

/* The lock guards the variables below. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct rule rules[FAULTY_CALL_COUNT][FAULTY_FILE_COUNT];
static unsigned counts[FAULTY_CALL_COUNT][FAULTY_FILE_COUNT];
static bool holding, held;

int
fsync(int fd)
{
	if (!fsync_fails)
		return (int)syscall(SYS_fsync, fd);
	errno = EIO;
	return -1;
}

void
faulty_fail_fsync(bool fail)
{
	fsync_fails = fail;
}

/* SQLITE_OK, or the code that the call is to fail with. */
static int
pass(enum faulty_call call, enum faulty_file kind)
{
	struct rule *rule = &rules[call][kind];
	int result_code = SQLITE_OK;

	pthread_mutex_lock(&lock);
	counts[call][kind]++;
	if (rule->count > 0 && rule->skip-- == 0) {
		rule->skip = 0;
		rule->count--;
		result_code = rule->result_code;
	}
	pthread_mutex_unlock(&lock);
	return result_code;
}

static void
wait_for_release(void)
{
	pthread_mutex_lock(&lock);
	if (holding) {
		held = true;
		pthread_cond_broadcast(&changed);
		while (holding && held)
			pthread_cond_wait(&changed, &lock);
		held = false;
	}
	pthread_mutex_unlock(&lock);
}

static sqlite3_file *
real_of(sqlite3_file *file)
{
	return ((struct file *)file)->real;
}

static enum faulty_file
kind_of(sqlite3_file *file)
{
	return ((struct file *)file)->kind;
}

static int
on_close(sqlite3_file *file)
{
	return real_of(file)->pMethods->xClose(real_of(file));
}

static int
on_read(sqlite3_file *file, void *buffer, int len, sqlite3_int64 offset)
{
	int rc = pass(FAULTY_READ, kind_of(file));

	return rc ? rc : real_of(file)->pMethods->xRead(real_of(file), buffer, len, offset);
}

/* A write that fails has written half of it: nothing says that it would not. */
static int
on_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 offset)
{
	int rc = pass(FAULTY_WRITE, kind_of(file));
	int real_rc = real_of(file)->pMethods->xWrite(real_of(file), data, rc ? len / 2 : len, offset);

	return rc ? rc : real_rc;
}

static int
on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int
on_sync(sqlite3_file *file, int flags)
{
	if (kind_of(file) == FAULTY_LOG)
		wait_for_release();
	int rc = pass(FAULTY_SYNC, kind_of(file));

	return rc ? rc : real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int
on_file_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
	return real_of(file)->pMethods->xFileSize(real_of(file), ret_size);
}

static int
on_lock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int
on_unlock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int
on_check_reserved_lock(sqlite3_file *file, int *ret_locked)
{
	return real_of(file)->pMethods->xCheckReservedLock(real_of(file), ret_locked);
}

static int
on_file_control(sqlite3_file *file, int what, void *arg)
{
	return real_of(file)->pMethods->xFileControl(real_of(file), what, arg);
}

static int
on_sector_size(sqlite3_file *file)
{
	return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int
on_device_characteristics(sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int
on_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret_page)
{
	return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, ret_page);
}

static int
on_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
	return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void
on_shm_barrier(sqlite3_file *file)
{
	real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int
on_shm_unmap(sqlite3_file *file, int remove)
{
	return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = on_close,
	.xRead = on_read,
	.xWrite = on_write,
	.xTruncate = on_truncate,
	.xSync = on_sync,
	.xFileSize = on_file_size,
	.xLock = on_lock,
	.xUnlock = on_unlock,
	.xCheckReservedLock = on_check_reserved_lock,
	.xFileControl = on_file_control,
	.xSectorSize = on_sector_size,
	.xDeviceCharacteristics = on_device_characteristics,
	.xShmMap = on_shm_map,
	.xShmLock = on_shm_lock,
	.xShmBarrier = on_shm_barrier,
	.xShmUnmap = on_shm_unmap,
};

static int
on_open(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
	struct file *faulty = (struct file *)file;

	faulty->real = (sqlite3_file *)(faulty + 1);
	faulty->kind = flags & SQLITE_OPEN_MAIN_DB ? FAULTY_DATABASE
		       : flags & SQLITE_OPEN_WAL   ? FAULTY_LOG
						   : FAULTY_OTHER;
	int rc = real_vfs->xOpen(real_vfs, name, faulty->real, flags, ret_flags);
	faulty->base.pMethods = faulty->real->pMethods ? &methods : NULL;
	return rc;
}

void
faulty_install(void)
{
	if (real_vfs)
		return;
	real_vfs = sqlite3_vfs_find(NULL);
	vfs = *real_vfs;
	vfs.zName = "faulty";
	vfs.szOsFile = (int)sizeof(struct file) + real_vfs->szOsFile;
	vfs.pNext = NULL;
	vfs.xOpen = on_open;
	sqlite3_vfs_register(&vfs, 1);
}

void
faulty_fail(enum faulty_call call, enum faulty_file file, unsigned skip, unsigned count, int result_code)
{
	pthread_mutex_lock(&lock);
	rules[call][file] = (struct rule){skip, count, result_code};
	pthread_mutex_unlock(&lock);
}

void
faulty_clear(void)
{
	pthread_mutex_lock(&lock);
	memset(rules, 0, sizeof rules);
	memset(counts, 0, sizeof counts);
	pthread_mutex_unlock(&lock);
	fsync_fails = false;
}

unsigned
faulty_count(enum faulty_call call, enum faulty_file file)
{
	pthread_mutex_lock(&lock);
	unsigned count = counts[call][file];
	pthread_mutex_unlock(&lock);
	return count;
}

void
faulty_hold(void)
{
	pthread_mutex_lock(&lock);
	holding = true;
	held = false;
	pthread_mutex_unlock(&lock);
}

void
faulty_wait_held(void)
{
	pthread_mutex_lock(&lock);
	while (!held)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

void
faulty_step(void)
{
	pthread_mutex_lock(&lock);
	held = false;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

void
faulty_release(void)
{
	pthread_mutex_lock(&lock);
	holding = false;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}
