/* Blobs: bytes in memory or in a file; and sinks, which collect them. */
#include "common/blob.h"

#include "common/id.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Texts up to this are copied to where the blob is: what is kept then costs one allocation. */
#define INLINE_BYTES (16 * 1024)

enum place {
	INLINE, /* behind the blob itself */
	MEMORY, /* in an allocation of its own */
	FILED,
};

/* The part of a blob that lies in a file. */
struct file {
	pthread_mutex_t lock; /* guards the name and its life, which the store's thread changes */
	int dir_fd;
	bool temporary; /* the last reference unlinks it */
	char name[BLOB_NAME_SIZE];

	/* the loop's */
	uint8_t finding;
	struct blob *made;
};

struct blob {
	_Atomic unsigned references;
	enum place place;
	uint64_t len;
	union {
		char bytes[1]; /* INLINE: len of them and a NUL */
		char *data;    /* MEMORY: likewise */
		struct file file;
	};
};

static struct blob *
new_blob(uint64_t len, enum place place, size_t size)
{
	struct blob *blob = xcalloc(1, offsetof(struct blob, bytes) + size);

	blob->references = 1;
	blob->place = place;
	blob->len = len;
	return blob;
}

struct blob *
blob_new(const void *data, size_t len)
{
	struct blob *blob = new_blob(len, INLINE, len + 1);

	if (len > 0)
		memcpy(blob->bytes, data, len);
	return blob;
}

struct blob *
blob_take_text(struct text *text)
{
	if (text->len <= INLINE_BYTES) {
		struct blob *copy = blob_new(text->data, text->len);
		text_fini(text);
		return copy;
	}
	struct blob *blob = new_blob(text->len, MEMORY, sizeof blob->data);
	blob->data = text_take(text);
	/* A blob may be kept for long: what the text had grown beyond its end is given back. */
	char *trimmed = realloc(blob->data, (size_t)blob->len + 1);
	if (trimmed)
		blob->data = trimmed;
	return blob;
}

struct blob *
blob_new_file(int dir_fd, const char *name, uint64_t len, bool temporary)
{
	struct blob *blob = new_blob(len, FILED, sizeof blob->file);

	assert(strlen(name) < sizeof blob->file.name);
	pthread_mutex_init(&blob->file.lock, NULL);
	blob->file.dir_fd = dir_fd;
	blob->file.temporary = temporary;
	strcpy(blob->file.name, name);
	return blob;
}

struct blob *
blob_ref(struct blob *blob)
{
	if (blob)
		atomic_fetch_add_explicit(&blob->references, 1, memory_order_relaxed);
	return blob;
}

void
blob_unref(struct blob *blob)
{
	if (!blob || atomic_fetch_sub_explicit(&blob->references, 1, memory_order_acq_rel) > 1)
		return;
	if (blob->place == FILED) {
		if (blob->file.temporary)
			unlinkat(blob->file.dir_fd, blob->file.name, 0);
		blob_unref(blob->file.made);
		pthread_mutex_destroy(&blob->file.lock);
	} else if (blob->place == MEMORY) {
		free(blob->data);
	}
	free(blob);
}

uint64_t
blob_len(const struct blob *blob)
{
	return blob ? blob->len : 0;
}

const char *
blob_data(const struct blob *blob)
{
	if (blob->place == FILED)
		return NULL;
	return blob->place == MEMORY ? blob->data : blob->bytes;
}

bool
blob_is_file(const struct blob *blob)
{
	return blob && blob->place == FILED;
}

const char *
blob_name(const struct blob *blob)
{
	return blob->file.name;
}

int
blob_open(const struct blob *blob)
{
	struct file *file = &((struct blob *)(uintptr_t)blob)->file;

	assert(blob->place == FILED);
	pthread_mutex_lock(&file->lock);
	int fd = openat(file->dir_fd, file->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int error = errno;
	pthread_mutex_unlock(&file->lock);
	return fd >= 0 ? fd : -error;
}

void
blob_keep(struct blob *blob, const char *final_name)
{
	assert(blob->place == FILED && strlen(final_name) < sizeof blob->file.name);
	pthread_mutex_lock(&blob->file.lock);
	strcpy(blob->file.name, final_name);
	blob->file.temporary = false;
	pthread_mutex_unlock(&blob->file.lock);
}

void
blob_drop_file(struct blob *blob)
{
	pthread_mutex_lock(&blob->file.lock);
	blob->file.temporary = true;
	pthread_mutex_unlock(&blob->file.lock);
}

void
blob_set_finding(struct blob *blob, uint8_t finding, struct blob *made)
{
	assert(blob->place == FILED);
	blob_unref(blob->file.made);
	blob->file.finding = finding;
	blob->file.made = made;
}

uint8_t
blob_finding(const struct blob *blob)
{
	return blob->file.finding;
}

struct blob *
blob_made(const struct blob *blob)
{
	return blob->file.made;
}

ssize_t
blob_read(const struct blob *blob, uint64_t offset, void *buffer, size_t len)
{
	if (offset >= blob->len)
		return 0;
	if (len > blob->len - offset)
		len = (size_t)(blob->len - offset);
	if (blob->place != FILED) {
		memcpy(buffer, blob_data(blob) + offset, len);
		return (ssize_t)len;
	}
	int fd = blob_open(blob);
	if (fd < 0)
		return fd;
	ssize_t n;
	do
		n = pread(fd, buffer, len, (off_t)offset);
	while (n < 0 && errno == EINTR);
	int error = errno;
	close(fd);
	return n >= 0 ? n : -error;
}

void
blob_sink_init(struct blob_sink *sink, int dir_fd, uint64_t max_bytes)
{
	*sink = (struct blob_sink){.dir_fd = dir_fd, .fd = -1, .max_bytes = max_bytes};
}

static int
write_at(int fd, const char *data, size_t len, uint64_t offset)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, data, len, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int
open_file(struct blob_sink *sink)
{
	struct id id;

	id_generate(&id);
	id_format(&id, sink->name);
	int fd = openat(sink->dir_fd, sink->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	sink->fd = fd;
	return 0;
}

/* Moves what is in memory to a temporary file, which an attempt that failed may have made already. */
static int
spill(struct blob_sink *sink)
{
	int rc = sink->fd < 0 ? open_file(sink) : 0;

	if (rc == 0)
		rc = write_at(sink->fd, sink->memory.data, sink->memory.len, 0);
	if (rc == 0)
		text_fini(&sink->memory);
	return rc;
}

static bool
wants_spill(const struct blob_sink *sink, size_t len)
{
	if (sink->fd >= 0)
		return sink->memory.len > 0;
	return sink->dir_fd >= 0 && sink->memory.len + len > BLOB_SPILL_BYTES;
}

int
blob_sink_write(struct blob_sink *sink, const void *data, size_t len)
{
	if (len > sink->max_bytes - sink->len)
		return -EFBIG;
	if (wants_spill(sink, len)) {
		int rc = spill(sink);
		if (rc < 0)
			return rc;
	}
	if (sink->fd >= 0) {
		int rc = write_at(sink->fd, data, len, sink->len);
		if (rc < 0)
			return rc;
	} else {
		text_add(&sink->memory, data, len);
	}
	sink->len += len;
	return 0;
}

int
blob_sink_finish(struct blob_sink *sink, struct blob **ret_blob)
{
	int rc = sink->fd >= 0 && sink->memory.len > 0 ? spill(sink) : 0;

	if (rc < 0)
		return rc;
	if (sink->fd >= 0) {
		if (close(sink->fd) < 0) {
			int error = errno;
			sink->fd = -1;
			unlinkat(sink->dir_fd, sink->name, 0);
			return -error;
		}
		sink->fd = -1;
		*ret_blob = blob_new_file(sink->dir_fd, sink->name, sink->len, true);
	} else {
		*ret_blob = blob_take_text(&sink->memory);
	}
	sink->len = 0;
	return 0;
}

void
blob_sink_fini(struct blob_sink *sink)
{
	if (sink->fd >= 0) {
		close(sink->fd);
		unlinkat(sink->dir_fd, sink->name, 0);
		sink->fd = -1;
	}
	text_fini(&sink->memory);
}

char *
blob_dup(const struct blob *blob, size_t *ret_len)
{
	size_t len = (size_t)blob_len(blob), done = 0;
	char *data = xcalloc(len + 1, 1);

	while (done < len) {
		ssize_t n = blob_read(blob, done, data + done, len - done);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	*ret_len = done;
	return data;
}
