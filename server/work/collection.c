/* Collection work. */
#include "work/collection.h"

#include "common/cleanup.h"
#include "common/json/json.h"
#include "common/log.h"

#include <stdlib.h>

/* The largest answer that is merged into a resource. */
#define ANSWER_MAX (8 * 1024 * 1024)

/* The change says what is to be done, not the method by which it came. */
static char post[] = "POST";

struct collection {
	struct work work;   /* first: see work.h */
	struct work *inner; /* NULL: nobody carries changes out */
};

static bool
is_object(const struct blob *body)
{
	CLEANUP(cleanup_json) struct json_object *value = NULL;
	struct json_mistake mistake;
	size_t len;
	CLEANUP_FREE char *data = blob_dup(body, &len);

	return json_parse(data, len, &value, &mistake) == 0 && json_object_is_type(value, json_type_object);
}

/* An answer that is not a JSON object has nothing to merge. */
static void
check_answer(const struct work_input *input, struct work_result *result)
{
	if (result->problem != PROBLEM_NONE || result->status >= 400)
		return;
	if (blob_len(result->body) > ANSWER_MAX) {
		work_result_set_problem(result, PROBLEM_RESULT_TOO_LARGE, 0,
			"The answer of on_change is too large to be merged into the resource.");
		return;
	}
	if (blob_len(result->body) > 0 && is_object(result->body))
		return;
	if (blob_len(result->body) > 0)
		log_debug("answer is not a JSON object", "id=%s", LOG_ID(&input->id));
	blob_unref(result->body);
	result->body = NULL;
}

static void
run(const struct work *work, const struct work_input *input, struct work_control *control,
	struct work_result *ret_result)
{
	const struct collection *collection = (const struct collection *)work;
	struct work_input inside = *input;

	if (!collection->inner) {
		ret_result->status = 200;
		return;
	}
	inside.method = post;
	collection->inner->type->run(collection->inner, &inside, control, ret_result);
	check_answer(input, ret_result);
}

static void
check_run(struct work_run *run)
{
	check_answer(run->input, run->result);
}

static void
begin(const struct work *work, struct work_run *run)
{
	const struct collection *collection = (const struct collection *)work;

	run->method = post;
	run->check = check_run;
	collection->inner->type->begin(collection->inner, run);
}

static void
free_collection(struct work *work)
{
	struct collection *collection = (struct collection *)work;

	work_unref(collection->inner);
	free(collection);
}

static const struct work_type collection_type = {
	.name = "collection",
	.run = run,
	.free = free_collection,
};

static const struct work_type begun_type = {
	.name = "collection",
	.begin = begin,
	.free = free_collection,
};

struct work *
collection_new(struct work *inner)
{
	struct collection *collection = xcalloc(1, sizeof *collection);

	collection->work.type = inner && inner->type->begin ? &begun_type : &collection_type;
	collection->work.references = 1;
	collection->inner = inner;
	return &collection->work;
}
