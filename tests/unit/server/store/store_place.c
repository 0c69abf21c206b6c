/* A place for tests of the store. */
#include "tests/unit/server/store/store_place.h"

#include "common/text.h"

#include <assert.h>
#include <dirent.h>
#include <event2/event.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

void
place_init(struct place *place)
{
	const char *parent = getenv("TMPDIR");

	*place = (struct place){0};
	snprintf(place->directory, sizeof place->directory, "%s/store.XXXXXX", parent ? parent : P_tmpdir);
	if (!mkdtemp(place->directory))
		abort();
	place->path = xasprintf("%s/deferd.db", place->directory);
	place->spool_path = xasprintf("%s.spool", place->path);
	place->base = event_base_new();
	if (!place->base || mailbox_new(place->base, &place->mailbox) < 0)
		abort();
}

static int
on_remove(const char *path, const struct stat *status, int type, struct FTW *where)
{
	return remove(path);
}

void
place_fini(struct place *place)
{
	mailbox_free(place->mailbox);
	event_base_free(place->base);
	nftw(place->directory, on_remove, 16, FTW_DEPTH | FTW_PHYS);
	free(place->path);
	free(place->spool_path);
}

void
place_end_pass(struct place *place)
{
	event_base_loop(place->base, EVLOOP_NONBLOCK);
}

void
place_wait(struct place *place, const unsigned *done, unsigned wanted)
{
	alarm(60);
	while (*done < wanted)
		event_base_loop(place->base, EVLOOP_ONCE);
	alarm(0);
	assert_int_equal(*done, wanted);
}

unsigned
place_count_files(const struct place *place)
{
	DIR *directory = opendir(place->spool_path);
	unsigned count = 0;

	if (!directory)
		return 0;
	for (struct dirent *entry; (entry = readdir(directory));)
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

void
outcome_done(void *arg, int error)
{
	struct outcome *outcome = arg;

	assert_int_equal(outcome->order, 0);
	outcome->order = ++*outcome->count;
	outcome->error = error;
}

static struct id
id_of(uint64_t sequence)
{
	struct id id = {{0}};

	memcpy(id.bytes, &sequence, sizeof sequence);
	id.bytes[15] = 0xff;
	return id;
}

struct store_operation
place_operation(uint64_t sequence)
{
	struct store_operation operation = {
		.id = id_of(sequence),
		.state = STORE_QUEUED,
		.sequence = sequence,
		.route = "/thumbnails/{size}",
		.style = "location",
		.principal = "anna",
		.accepted_ms = 1700000000000 + (int64_t)sequence,
		.key = "9f86d081-884c",
		.input = "in\0put",
		.input_len = 6,
	};

	memset(operation.key_digest, (int)sequence, sizeof operation.key_digest);
	return operation;
}

struct store_operation
place_end(uint64_t sequence)
{
	return (struct store_operation){
		.id = id_of(sequence),
		.sequence = sequence,
		.end = "failed",
		.status = 502,
		.fields = "Content-Type: text/plain\r\n",
		.fields_len = 26,
		.detail = "The upstream closed the connection.",
		.ended_ms = 1700000100000 + (int64_t)sequence,
		.forget_ms = 1700000400000 + (int64_t)sequence,
	};
}

struct blob *
place_blob(size_t len, unsigned seed)
{
	char *data = xcalloc(len + 1, 1);

	for (size_t i = 0; i < len; i++)
		data[i] = (char)(seed + i * 7 + i / 256);
	struct blob *blob = blob_new(data, len);
	free(data);
	return blob;
}

void
place_assert_same_bytes(const struct blob *a, const struct blob *b)
{
	char a_piece[4096], b_piece[4096];
	ssize_t n;

	assert_int_equal(a == NULL, b == NULL);
	if (!a)
		return;
	assert_int_equal(blob_len(a), blob_len(b));
	for (uint64_t offset = 0; (n = blob_read(a, offset, a_piece, sizeof a_piece)) != 0;
		offset += (uint64_t)n) {
		assert_true(n > 0);
		assert_int_equal(blob_read(b, offset, b_piece, sizeof b_piece), n);
		assert_memory_equal(a_piece, b_piece, (size_t)n);
	}
}

static void
assert_same_text(const char *a, const char *b)
{
	assert_int_equal(a == NULL, b == NULL);
	if (a)
		assert_string_equal(a, b);
}

static void
assert_same_data(const char *a, size_t a_len, const char *b, size_t b_len)
{
	assert_int_equal(a == NULL, b == NULL);
	assert_int_equal(a_len, b_len);
	if (a)
		assert_memory_equal(a, b, a_len);
}

void
place_assert_same(const struct store_operation *a, const struct store_operation *b)
{
	assert_true(id_equal(&a->id, &b->id));
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->sequence, b->sequence);
	assert_same_text(a->route, b->route);
	assert_same_text(a->style, b->style);
	assert_same_text(a->principal, b->principal);
	assert_int_equal(a->accepted_ms, b->accepted_ms);
	assert_int_equal(a->started_ms, b->started_ms);
	assert_int_equal(a->ended_ms, b->ended_ms);
	assert_int_equal(a->forget_ms, b->forget_ms);
	assert_same_text(a->key, b->key);
	if (a->key)
		assert_memory_equal(a->key_digest, b->key_digest, sizeof a->key_digest);
	assert_same_data(a->input, a->input_len, b->input, b->input_len);
	place_assert_same_bytes(a->body, b->body);
	assert_same_text(a->end, b->end);
	assert_int_equal(a->status, b->status);
	assert_same_data(a->fields, a->fields_len, b->fields, b->fields_len);
	place_assert_same_bytes(a->result, b->result);
	assert_same_text(a->detail, b->detail);
	assert_int_equal(a->pid, b->pid);
	assert_int_equal(a->pid_start_time, b->pid_start_time);
}

void
place_on_load(void *arg, const struct store_operation *from)
{
	struct found *found = arg;

	assert_true(found->count < FOUND_MAX);
	struct store_operation *copy = &found->operations[found->count++];
	*copy = *from;
	copy->route = xstrdup(from->route);
	copy->style = xstrdup(from->style);
	copy->principal = xstrdup(from->principal);
	copy->key = xstrdup(from->key);
	copy->input = from->input ? xstrndup(from->input, from->input_len) : NULL;
	copy->end = xstrdup(from->end);
	copy->fields = from->fields ? xstrndup(from->fields, from->fields_len) : NULL;
	copy->detail = xstrdup(from->detail);
	blob_ref(copy->body);
	blob_ref(copy->result);
}

static void
free_const(const char *data)
{
	free((char *)(uintptr_t)data);
}

void
found_fini(struct found *found)
{
	for (size_t i = 0; i < found->count; i++) {
		struct store_operation *copy = &found->operations[i];
		free_const(copy->route);
		free_const(copy->style);
		free_const(copy->principal);
		free_const(copy->key);
		free_const(copy->input);
		free_const(copy->end);
		free_const(copy->fields);
		free_const(copy->detail);
		blob_unref(copy->body);
		blob_unref(copy->result);
	}
	found->count = 0;
}
