/*
 * Tests of the store's promise: a child process that uses it is killed at any moment, a hundred times over,
 * and each time everything that the child had been told is there when the store is opened again.
 *
 * The child says on a pipe what it is about to do and what it was told; the pipe outlives it.
 */
#include "tests/unit/server/store/store_place.h"

#include "common/cleanup.h"
#include "common/text.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define ROUNDS 100
#define SEQUENCES_MAX 200000
#define IN_FLIGHT 12

/* What the parent knows about an operation, one bit each. */
enum {
	WILL_ACCEPT = 1,
	ACCEPTED = 2,
	BEGUN = 4,
	ENDED = 8,
	WILL_EXPIRE = 16,
	WILL_FORGET = 32,
	GONE = 64, /* was not there at a start */
	FOUND = 128,
};

/* One message of the child. */
struct word {
	uint64_t sequence;
	uint64_t bit;
};

static uint8_t known[SEQUENCES_MAX];

/* Most blobs are small; some are in files already; the store writes others to files. */
static struct blob *
make_blob(uint64_t sequence, int spool_fd)
{
	struct blob *memory = place_blob(
		sequence % 7 == 0 ? BLOB_SPILL_BYTES + sequence : sequence % 3000, (unsigned)sequence);
	struct blob *file;
	struct blob_sink sink;

	if (sequence % 14 != 0 || spool_fd < 0)
		return memory;
	blob_sink_init(&sink, spool_fd, UINT64_MAX);
	if (blob_sink_write(&sink, blob_data(memory), blob_len(memory)) < 0 ||
		blob_sink_finish(&sink, &file) < 0)
		abort();
	blob_unref(memory);
	return file;
}

/* The child. */
struct child {
	struct place *place;
	struct store *store;
	int pipe;
	uint64_t sequence;
	uint64_t loaded[SEQUENCES_MAX];
	size_t loaded_count;
};

/* An operation that the child waits for. */
struct job {
	struct child *child;
	struct store_operation operation;
	uint64_t told; /* the bit that the next completion sets */
};

static void
say(struct child *child, uint64_t sequence, uint64_t bit)
{
	struct word word = {sequence, bit};

	if (write(child->pipe, &word, sizeof word) != sizeof word)
		_exit(1);
}

static void on_done(void *arg, int error);

static void
start_job(struct child *child, struct job *job)
{
	job->child = child;
	job->told = ACCEPTED;
	job->operation = place_operation(++child->sequence);
	job->operation.body = make_blob(child->sequence, store_spool_fd(child->store));
	say(child, child->sequence, WILL_ACCEPT);
	store_accept(child->store, &job->operation, on_done, job);
	blob_unref(job->operation.body);
}

static void
start_end(struct job *job)
{
	struct store_operation last = place_end(job->operation.sequence);

	job->told = ENDED;
	last.result = make_blob(last.sequence, store_spool_fd(job->child->store));
	store_end(job->child->store, &last, on_done, job);
	blob_unref(last.result);
}

/* Expires the operation; forgets a much older one. */
static void
clean_up(struct child *child, const struct store_operation *operation)
{
	uint64_t old = operation->sequence - 100;

	if (operation->sequence % 3 == 0) {
		say(child, operation->sequence, WILL_EXPIRE);
		store_expire(child->store, &operation->id, operation->sequence, 5, NULL, NULL);
	}
	if (operation->sequence > 100 && known[old] != GONE) {
		struct store_operation forgotten = place_operation(old);
		say(child, old, WILL_FORGET);
		store_forget(child->store, &forgotten.id, old);
	}
}

static void
on_done(void *arg, int error)
{
	struct job *job = arg;

	if (error)
		_exit(2);
	say(job->child, job->operation.sequence, job->told);
	if (job->told == ACCEPTED) {
		job->told = BEGUN;
		store_begin(job->child->store, &job->operation.id, job->operation.sequence, 5, NULL, on_done,
			job);
	} else if (job->told == BEGUN) {
		start_end(job);
	} else {
		clean_up(job->child, &job->operation);
		start_job(job->child, job);
	}
}

static void
on_child_load(void *arg, const struct store_operation *operation)
{
	struct child *child = arg;

	if (operation->state < STORE_ENDED)
		child->loaded[child->loaded_count++] = operation->sequence;
}

/* Ends the operations that the last child left, and goes on until it is killed. */
static void
run_child(struct place *place, int pipe)
{
	struct child *child = xcalloc(1, sizeof *child);
	struct store_config config = {.path = place->path, .mailbox = place->mailbox};
	char *why;

	alarm(60);
	child->place = place;
	child->pipe = pipe;
	if (store_open(&config, &child->store, &why) < 0 ||
		store_load(child->store, on_child_load, child, &why) < 0 || store_start(child->store) < 0)
		_exit(3);
	child->sequence = SEQUENCES_MAX - 1;
	while (child->sequence > 0 && !known[child->sequence])
		child->sequence--;
	for (size_t i = 0; i < child->loaded_count; i++) {
		struct job *job = xcalloc(1, sizeof *job);
		job->child = child;
		job->operation = place_operation(child->loaded[i]);
		start_end(job);
	}
	for (size_t i = child->loaded_count; i < IN_FLIGHT; i++)
		start_job(child, xcalloc(1, sizeof(struct job)));
	event_base_dispatch(place->base);
	_exit(4);
}

/* The parent. */
struct check {
	size_t found;
	size_t files;
};

static void
check_blob(const struct blob *blob, uint64_t sequence)
{
	struct blob *wanted = make_blob(sequence, -1);

	place_assert_same_bytes(blob, wanted);
	blob_unref(wanted);
}

static void
on_parent_load(void *arg, const struct store_operation *operation)
{
	struct check *check = arg;
	uint64_t sequence = operation->sequence;
	struct store_operation wanted = place_operation(sequence), last = place_end(sequence);

	assert_in_range(sequence, 1, SEQUENCES_MAX - 1);
	uint8_t bits = known[sequence];
	assert_true(bits & WILL_ACCEPT);
	assert_false(bits & GONE);
	assert_true(id_equal(&operation->id, &wanted.id));
	assert_string_equal(operation->route, wanted.route);
	assert_true(operation->state != STORE_TOMBSTONE || bits & WILL_EXPIRE);
	if (bits & BEGUN)
		assert_true(operation->state >= STORE_RUNNING);
	if (bits & ENDED)
		assert_true(operation->state >= STORE_ENDED);
	if (operation->state < STORE_ENDED) {
		assert_memory_equal(operation->input, wanted.input, wanted.input_len);
		check_blob(operation->body, sequence);
	} else {
		assert_null(operation->body);
		assert_string_equal(operation->end, last.end);
	}
	if (operation->state == STORE_ENDED)
		check_blob(operation->result, sequence);
	known[sequence] = WILL_ACCEPT | ACCEPTED | FOUND | (bits & (WILL_EXPIRE | WILL_FORGET)) |
			  (operation->state >= STORE_RUNNING ? BEGUN : 0) |
			  (operation->state >= STORE_ENDED ? ENDED : 0);
	check->files += blob_is_file(operation->body) + blob_is_file(operation->result);
	check->found++;
}

/* Asserts that everything reported is there, that nothing else is, and that the spool has the files that rows
 * name. */
static void
check_store(struct place *place)
{
	struct store_config config = {.path = place->path, .mailbox = place->mailbox};
	struct check check = {0};
	struct store *store;
	char *why = NULL;

	if (store_open(&config, &store, &why) < 0 || store_load(store, on_parent_load, &check, &why) < 0)
		fail_msg("%s", why);
	assert_int_equal(place_count_files(place), check.files);
	store_close(store);
	for (uint64_t sequence = 1; sequence < SEQUENCES_MAX; sequence++) {
		uint8_t bits = known[sequence];
		if (bits & ACCEPTED && !(bits & FOUND) && !(bits & (WILL_FORGET | GONE)))
			fail_msg("operation %llu is lost", (unsigned long long)sequence);
		if (bits && !(bits & FOUND))
			known[sequence] = GONE;
		known[sequence] &= (uint8_t)~FOUND;
	}
}

static size_t
hear(int pipe, size_t words)
{
	struct word word;
	size_t heard = 0;

	while (heard < words && read(pipe, &word, sizeof word) == sizeof word) {
		assert_in_range(word.sequence, 1, SEQUENCES_MAX - 1);
		known[word.sequence] |= (uint8_t)word.bit;
		heard++;
	}
	return heard;
}

static void
test_killed_at_any_moment(void **state)
{
	struct place place;
	size_t heard = 0;

	srandom(42);
	place_init(&place);
	for (int round = 0; round < ROUNDS; round++) {
		int pipes[2];
		assert_int_equal(pipe(pipes), 0);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			close(pipes[0]);
			if (event_reinit(place.base) < 0)
				_exit(5);
			run_child(&place, pipes[1]);
		}
		close(pipes[1]);
		heard += hear(pipes[0], (size_t)random() % 300);
		kill(pid, SIGKILL);
		heard += hear(pipes[0], SIZE_MAX);
		close(pipes[0]);
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		check_store(&place);
	}
	print_message("# %zu words in %d rounds\n", heard, ROUNDS);
	place_fini(&place);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed_at_any_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
