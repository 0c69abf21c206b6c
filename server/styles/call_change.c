/*
 * Calls that change a collection (contract, 6): what is to become of which resource is read from the request,
 * a patch is merged into what is there, and the change goes to the store: alone where nobody has to carry it
 * out and the client waits, else with an operation.
 */
#include "styles/call_change.h"

#include "common/cleanup.h"
#include "common/log.h"
#include "http/reply.h"
#include "styles/call.h"
#include "styles/call_body.h"
#include "styles/call_input.h"
#include "styles/call_submit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void read_base(struct call *call);

/* Reads a version of If-Match; a weak one never matches (RFC 9110, 8.8.3.2). */
static void
take_tag(struct call *call, const char *tag, size_t len)
{
	uint64_t version;

	if (len < 3 || tag[0] != '"' || tag[len - 1] != '"' ||
		text_parse_uint(tag + 1, len - 2, UINT64_MAX, &version) < 0)
		return;
	if (call->expected_count < STORE_EXPECTED_MAX)
		call->expected[call->expected_count++] = version;
}

static void
take_if_match_line(struct call *call, const char *value)
{
	call->has_if_match = true;
	while (*value) {
		value += strspn(value, " \t,");
		size_t len = strcspn(value, ", \t");
		if (len == 1 && value[0] == '*')
			call->is_any = true;
		take_tag(call, value, len);
		value += len;
	}
}

static void
read_if_match(struct call *call)
{
	fields_for_each(field, &call_input(call)->fields) {
		if (!text_equal_nocase(field.name, field.name_len, "If-Match"))
			continue;
		CLEANUP_FREE char *value = xstrndup(field.value, field.value_len);
		take_if_match_line(call, value);
	}
}

static void
refuse_stale(struct call *call)
{
	call_refuse(call, PROBLEM_PRECONDITION_FAILED, 0,
		"The version of the resource is not the one that If-Match names.", NULL);
}

static bool
is_expected(const struct call *call, uint64_t version)
{
	for (unsigned i = 0; i < call->expected_count; i++)
		if (call->expected[i] == version)
			return true;
	return !call->has_if_match || call->is_any;
}

static void
make_change(struct call *call, struct json_object *document)
{
	struct store_change *change = store_change_new(
		call->route->config.collection, call->action, &call->id, &call->parent, call->url);

	if (document)
		store_change_set_document(change, document);
	if (call->has_if_match && !call->is_any) {
		memcpy(change->expected, call->expected, sizeof change->expected);
		change->expected_count = call->expected_count;
		/* No version is 0: nothing matches. */
		if (change->expected_count == 0)
			change->expected_count = 1;
	}
	if (call->intake.merges) {
		change->expected[0] = call->read.version;
		change->expected_count = 1;
	}
	store_change_free(call->change);
	call->change = change;
}

/* The delete that is under way answers, if it still is. */
static void
join_delete(struct call *call)
{
	struct op *op = operations_find_change(call->route->styles->config.operations, &call->id);

	if (op && op->state != OP_ACCEPTING)
		call_await(call, op);
	else
		call_refuse(call, PROBLEM_NOT_FOUND, 0, "There is no such resource.", NULL);
}

/* The resource has changed since it was read: once more, from the beginning. */
static void
try_again(struct call *call)
{
	if (!call->is_late && !call->input && !call_prepare(call))
		return;
	intake_reset(&call->intake);
	read_base(call);
}

void
call_change_refused(struct call *call, int error)
{
	bool is_create = call->action == STORE_CREATE;

	switch (error) {
	case -ENOENT:
		call_refuse(call, PROBLEM_NOT_FOUND, 0,
			is_create ? "There is no such parent." : "There is no such resource.", NULL);
		break;
	case -ESTALE:
		if (call->intake.merges)
			try_again(call);
		else
			refuse_stale(call);
		break;
	case -EEXIST:
		call_refuse(call, PROBLEM_CONFLICT, 0,
			"Another resource has the value of a member that must be unique.", NULL);
		break;
	case -EBUSY:
		call_refuse(call, PROBLEM_CONFLICT, 0,
			is_create ? "The parent is being deleted." : "The resource is being deleted.", NULL);
		break;
	case -EALREADY:
		join_delete(call);
		break;
	default:
		call_refuse(call, PROBLEM_STORAGE, 0, NULL, NULL);
	}
}

static void
on_change_judged(struct store_judgement *judgement)
{
	struct call *call = container_of(judgement, struct call, judgement);

	if (call_is_gone(call))
		return;
	if (judgement->error)
		call_change_refused(call, judgement->error);
	else
		call->passed(call);
}

void
call_judge_change(struct call *call, void (*passed)(struct call *call))
{
	const struct store_collection *collection = call->route->config.collection;

	/* Of such a create nothing can be wrong. */
	if (call->action == STORE_CREATE && !collection->parent && !collection->unique[0]) {
		passed(call);
		return;
	}
	call->passed = passed;
	call->judgement = (struct store_judgement){.change = call->change, .done = on_change_judged};
	call->busy = true;
	store_judge(call->route->styles->config.store, &call->judgement);
}

static void
answer_change(struct call *call)
{
	struct store_change *change = call->change;

	store_change_make_response(change);
	call->change = NULL;
	reply_blob(call_end(call), change->status, &change->fields, change->body);
	store_change_free(change);
}

static void
on_applied(void *arg, int error)
{
	struct call *call = arg;

	if (call_is_gone(call))
		return;
	if (error == -EAGAIN)
		call_submit_or_join(call); /* it waits its turn */
	else if (error)
		call_change_refused(call, error);
	else
		answer_change(call);
}

static void
submit_change(struct call *call)
{
	if (call->is_late) {
		call_late_attach(call);
		return;
	}
	if (call->style || call->key || call->route->config.has_on_change) {
		call_submit_or_join(call);
		return;
	}
	enum op_refusal refusal =
		operations_apply(call->route->styles->config.operations, call->change, on_applied, call);
	if (refusal != OP_TAKEN)
		call_refuse_load(call, refusal);
	else
		call->busy = true;
}

static void
on_judged(struct call *call)
{
	if (call->intake.problem != PROBLEM_NONE) {
		call_refuse_body(call);
		return;
	}
	make_change(call, call->intake.value);
	submit_change(call);
}

static void
on_base_read(struct store_read *read)
{
	struct call *call = container_of(read, struct call, read);

	if (call_is_gone(call))
		return;
	if (read->error) {
		call_change_refused(call, read->error);
		return;
	}
	if (!is_expected(call, read->version)) {
		refuse_stale(call);
		return;
	}
	free(call->intake.document);
	call->intake.document = read->document;
	read->document = NULL;
	call_judge(call, on_judged);
}

/* What a patch is merged into. */
static void
read_base(struct call *call)
{
	struct store_read *read = &call->read;

	free(read->document);
	free(read->representation);
	*read = (struct store_read){
		.collection = call->route->config.collection,
		.id = call->id,
		.parent = call->parent,
		.url = call->url,
		.done = on_base_read,
	};
	call->busy = true;
	store_read(call->route->styles->config.store, read);
}

/* A body that is not JSON is told before the resource is looked for. */
static void
on_parsed(struct call *call)
{
	if (call->intake.problem != PROBLEM_NONE)
		call_refuse_body(call);
	else if (call->is_late || !call_join_same(call))
		read_base(call);
}

static void
begin_patch(struct call *call)
{
	call->intake.merges = true;
	call_parse(call, on_parsed);
}

/* Whether a body of that type is a merge patch, or says nothing of itself. */
static bool
is_merge_patch(const struct work_input *input)
{
	CLEANUP_FREE char *type = fields_dup_value(&input->fields, "Content-Type");

	return !type ||
	       strncasecmp(type, "application/json-patch+json", strlen("application/json-patch+json")) != 0;
}

/* Reads the ids in the path; NULL, or the name of a parameter that is none. */
static const char *
read_ids(struct call *call, bool is_item)
{
	const struct store_collection *collection = call->route->config.collection;
	const struct work_input *input = call_input(call);
	const char *parent =
		collection->parent_member ? work_input_param(input, collection->parent_member) : NULL;
	const char *id = is_item ? work_input_param(input, "id") : NULL;

	if (collection->parent_member && (!parent || id_parse(parent, strlen(parent), &call->parent) < 0))
		return collection->parent_member;
	return is_item && (!id || id_parse(id, strlen(id), &call->id) < 0) ? "id" : NULL;
}

static void
set_resource(struct call *call, enum http_method method)
{
	const struct work_input *input = call_input(call);
	char id[ID_TEXT_SIZE];

	if (method != HTTP_POST) {
		call->action = method == HTTP_DELETE ? STORE_DELETE : STORE_UPDATE;
		call->url = xasprintf("%s%s", input->base, input->path);
		return;
	}
	call->action = STORE_CREATE;
	id_generate(&call->id);
	id_format(&call->id, id);
	call->url = xasprintf("%s%s/%s", input->base, input->path, id);
}

void
call_change_begin(struct call *call)
{
	const struct store_collection *collection = call->route->config.collection;
	enum http_method method = http_method_find(call_input(call)->method);
	const char *wrong = read_ids(call, method != HTTP_POST);

	if (wrong) {
		CLEANUP_FREE char *detail = xasprintf("The path's {%s} is not a UUID.", wrong);
		call_refuse(call, PROBLEM_INVALID_PARAMETER, 0, detail, NULL);
		return;
	}
	set_resource(call, method);
	if (method != HTTP_POST)
		read_if_match(call);
	call->intake.collection = collection;
	call->intake.fills_defaults = method != HTTP_PATCH;
	if (call->action == STORE_DELETE) {
		make_change(call, NULL);
		submit_change(call);
	} else if (method == HTTP_PATCH && !is_merge_patch(call_input(call))) {
		call_refuse(call, PROBLEM_UNSUPPORTED_MEDIA_TYPE, 0,
			"A PATCH body must be a merge patch (RFC 7396).", NULL);
	} else if (call->defers) {
		call_submit_unjudged(call);
	} else if (method == HTTP_PATCH) {
		begin_patch(call);
	} else {
		call_judge(call, on_judged);
	}
}
