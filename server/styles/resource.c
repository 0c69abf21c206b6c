/* Style `resource` (Rackspace Cloud DNS, OpenStack Designate): the resource itself tells how far its change
 * is (contract, 5.3). */
#include "calls/call/answer.h"
#include "calls/call/route.h"
#include "calls/monitor/monitor.h"
#include "http/message/reply.h"
#include "store/resources.h"

#include <string.h>

static void
reply_accepted(struct http_request *request, struct styles *styles, struct op *op, struct fields *fields)
{
	struct field location;
	answer_put_accepted(fields, request, op);
	if (op_change(op))
		fields_put(fields, "Location", op_change(op)->url);
	else if (fields_find(&op->fields, "Location", &location))
		fields_putf(fields, "Location", "%.*s", (int)location.value_len, location.value);
	answer_put_url(fields, "Link", request, "/operations/", op, ">; rel=\"monitor\"");
	const char *accepted = op_accepted(op);
	if (accepted) {
		fields_put(fields, "Content-Type", "application/json");
		reply_bytes(request, 202, fields, accepted, strlen(accepted));
	} else if (op->body && op->state == OP_SUCCEEDED) {
		/* Joined after its end: what came of it is all that is known. */
		fields_put(fields, "Content-Type", "application/json");
		reply_blob(request, 202, fields, op->body);
	} else {
		reply_bytes(request, 202, fields, NULL, 0);
	}
}

const struct style style_resource = {
	.name = "resource",
	.is_for_routes = true,
	.is_of_collections = true,
	.dialect = PROBLEM_WITH_CODE,
	.reply_accepted = reply_accepted,
	.words = {.accepted = "the JSON is the resource as it will be, and Location is where it is read"},
};
