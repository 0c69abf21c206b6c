/* A writer that tests post writes to. */
#include "tests/unit/server/store/writer/store_writing.h"

#include "tests/unit/server/store/sqlite/disk/faulty_vfs.h"

#include "store/sqlite/disk/open.h"

#include "common/text.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
on_health(void *arg, bool healthy, const char *why)
{
	struct writing *scene = arg;

	assert_true(healthy != scene->healthy);
	scene->healthy = healthy;
	snprintf(scene->why, sizeof scene->why, "%s", why);
	scene->reports++;
}

/* Opens the disk; found is then its contents. */
static void
open_disk(struct writing *scene, struct found *found)
{
	struct disk *disk = &scene->disk;
	char *why = NULL;

	assert_int_equal(spool_open(scene->place.spool_path, &disk->spool, &why), 0);
	assert_int_equal(database_open(scene->place.path, &disk->database, &why), 0);
	assert_int_equal(rows_open(disk->database, &disk->rows), 0);
	assert_int_equal(database_check(disk->database, &why), 0);
	assert_int_equal(rows_load(disk->rows, disk->spool, place_on_load, found, &why), 0);
	assert_int_equal(spool_sweep(disk->spool), 0);
}

static void
close_disk(struct writing *scene)
{
	rows_close(scene->disk.rows);
	database_close(scene->disk.database);
	spool_close(scene->disk.spool);
}

void
writing_start(struct writing *scene, unsigned pause_ms)
{
	struct writer_config config = {
		.mailbox = scene->place.mailbox,
		.on_health = on_health,
		.arg = scene,
		.pause_ms = pause_ms,
		.ops = &disk_ops,
		.target = &scene->disk,
	};

	scene->healthy = true;
	scene->reports = 0;
	assert_int_equal(writer_start(&config, &scene->writer), 0);
}

int
writing_set_up(void **state)
{
	struct writing *scene = xcalloc(1, sizeof *scene);
	struct found found = {.count = 0};

	faulty_install();
	place_init(&scene->place);
	open_disk(scene, &found);
	faulty_clear();
	writing_start(scene, 1);
	*state = scene;
	return 0;
}

int
writing_tear_down(void **state)
{
	struct writing *scene = *state;

	faulty_release();
	faulty_clear();
	if (scene->writer)
		writer_stop(scene->writer);
	close_disk(scene);
	place_fini(&scene->place);
	free(scene);
	return 0;
}

void
writing_restart(struct writing *scene, struct found *found)
{
	writer_stop(scene->writer);
	faulty_clear();
	close_disk(scene);
	mailbox_drain(scene->place.mailbox);
	found->count = 0;
	open_disk(scene, found);
	writing_start(scene, 1);
}

void
writing_assert_kept(struct writing *scene, const uint64_t *sequences, size_t count)
{
	struct found found;

	writing_restart(scene, &found);
	assert_int_equal(found.count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(found.operations[i].sequence, sequences[i]);
	found_fini(&found);
}

void
writing_post(struct writing *scene, enum store_verb verb, const struct store_operation *operation,
	struct outcome *outcome)
{
	if (outcome)
		*outcome = (struct outcome){.count = &scene->count};
	writer_post(scene->writer, write_new(verb, operation, outcome ? outcome_done : NULL, outcome));
}

void
writing_accept(struct writing *scene, uint64_t sequence, struct outcome *outcome)
{
	struct store_operation operation = place_operation(sequence);

	writing_post(scene, STORE_ACCEPT, &operation, outcome);
}

void
writing_end(struct writing *scene, uint64_t sequence, struct outcome *outcome)
{
	struct store_operation operation = place_end(sequence);

	writing_post(scene, STORE_END, &operation, outcome);
}

void
writing_bare(struct writing *scene, enum store_verb verb, uint64_t sequence, struct outcome *outcome)
{
	struct store_operation full = place_operation(sequence);
	struct store_operation operation = {
		.id = full.id, .sequence = sequence, .started_ms = 5, .forget_ms = 6};

	writing_post(scene, verb, &operation, outcome);
}

void
writing_wait_for(struct writing *scene, unsigned count)
{
	place_wait(&scene->place, &scene->count, count);
}

void
writing_wait_for_reports(struct writing *scene, unsigned reports, bool healthy)
{
	place_wait(&scene->place, &scene->reports, reports);
	assert_int_equal(scene->healthy, healthy);
	assert_int_equal(writer_is_healthy(scene->writer), healthy);
}
