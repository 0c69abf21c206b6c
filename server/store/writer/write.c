/* How a write is copied and completed.  Each write is one allocation, however much it copies. */
#include "store/writer/write.h"

#include "store/shared/item_cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The bytes that a member of an operation points to. */
struct piece {
	const char **pointer; /* the member, in the copy; NULL stays NULL */
	size_t len;	      /* including the NUL of a string */
};

#define PIECES_MAX 5

static struct piece
string_piece(const char **string)
{
	return (struct piece){string, *string ? strlen(*string) + 1 : 0};
}

static size_t
take_accept(struct store_operation *copy, const struct store_operation *from, struct piece *pieces)
{
	assert(from->route && from->style && from->state <= STORE_RUNNING);
	*copy = *from;
	copy->body = blob_ref(from->body);
	copy->result = NULL;
	copy->end = copy->fields = copy->detail = NULL;
	pieces[0] = string_piece(&copy->route);
	pieces[1] = string_piece(&copy->style);
	pieces[2] = string_piece(&copy->principal);
	pieces[3] = string_piece(&copy->key);
	pieces[4] = (struct piece){&copy->input, copy->input_len};
	return 5;
}

static size_t
take_end(struct store_operation *copy, const struct store_operation *from, struct piece *pieces)
{
	assert(from->end);
	copy->end = from->end;
	copy->status = from->status;
	copy->fields = from->fields;
	copy->fields_len = from->fields_len;
	copy->detail = from->detail;
	copy->ended_ms = from->ended_ms;
	copy->started_ms = from->started_ms;
	copy->forget_ms = from->forget_ms;
	copy->change = from->change;
	copy->result = blob_ref(from->result);
	pieces[0] = string_piece(&copy->end);
	pieces[1] = string_piece(&copy->detail);
	pieces[2] = (struct piece){&copy->fields, copy->fields_len};
	return 3;
}

/* The other verbs read numbers, and a change, which is not copied. */
static size_t
take_numbers(struct store_operation *copy, const struct store_operation *from, struct piece *pieces)
{
	copy->started_ms = from->started_ms;
	copy->forget_ms = from->forget_ms;
	copy->change = from->change;
	copy->pid = from->pid;
	copy->pid_start_time = from->pid_start_time;
	return 0;
}

/* Each function copies the members that its verb reads, and lists the pieces to copy; returns the number of
 * pieces. */
static size_t (*const takers[STORE_VERB_COUNT])(
	struct store_operation *copy, const struct store_operation *from, struct piece *pieces) = {
	[STORE_ACCEPT] = take_accept,
	[STORE_BEGIN] = take_numbers,
	[STORE_PROCESS] = take_numbers,
	[STORE_END] = take_end,
	[STORE_CHANGE] = take_numbers,
	[STORE_INDEX] = take_numbers,
	[STORE_ATTACH] = take_numbers,
	[STORE_EXPIRE] = take_numbers,
	[STORE_FORGET] = take_numbers,
};

struct store_write *
write_new(enum store_verb verb, const struct store_operation *operation, store_done_fn done, void *arg)
{
	struct store_operation copy = {.id = operation->id, .sequence = operation->sequence};
	struct piece pieces[PIECES_MAX];
	size_t count = takers[verb](&copy, operation, pieces);
	size_t size = sizeof(struct store_write);

	for (size_t i = 0; i < count; i++)
		size += pieces[i].len;
	struct store_write *write = malloc(size);
	if (!write)
		abort();
	char *end = write->data;
	for (size_t i = 0; i < count; i++) {
		if (!*pieces[i].pointer)
			continue;
		*pieces[i].pointer = memcpy(end, *pieces[i].pointer, pieces[i].len);
		end += pieces[i].len;
	}
	write->verb = verb;
	write->done = done;
	write->arg = arg;
	write->serial = 0;
	write->error = 0;
	write->items = NULL;
	write->settled = false;
	write->file = NULL;
	write->operation = copy;
	list_init(&write->link);
	return write;
}

void
write_tell(struct store_write *write, struct item_cache *items)
{
	bool changes = write->verb != STORE_BEGIN && write->verb != STORE_INDEX;

	if (changes && write->operation.change && write->done)
		write->items = item_cache_ref(items);
}

struct blob *
write_blob(const struct store_write *write)
{
	return write->verb == STORE_ACCEPT ? write->operation.body : write->operation.result;
}

static void
on_mail(struct mail *mail)
{
	struct store_write *write = container_of(mail, struct store_write, mail);
	store_done_fn done = write->done;
	void *arg = write->arg;
	int error = write->error;

	if (write->items) {
		item_cache_drop(write->items, write->operation.change);
		item_cache_unref(write->items);
	}
	free(write);
	done(arg, error);
}

struct mail *
write_complete(struct store_write *write, int error)
{
	blob_unref(write->file);
	blob_unref(write->operation.body);
	blob_unref(write->operation.result);
	if (!write->done) {
		free(write);
		return NULL;
	}
	write->error = error;
	write->mail.next = NULL;
	write->mail.deliver = on_mail;
	return &write->mail;
}
