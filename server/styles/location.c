/* Style `location` (Cisco PCCE): ?async=true, a monitor that turns into the final response (contract,
 * 5.1). */
#include "http/reply.h"
#include "styles/private.h"

#include <string.h>

/* The 202 of both the acceptance and the monitor. */
static void
reply_pending(struct http_request *request, struct op *op, struct fields *fields)
{
	static const char queued[] = "{\"progress\":\"IN_QUEUE\"}";
	static const char running[] = "{\"progress\":\"IN_PROGRESS\"}";
	const char *body = op->state == OP_QUEUED ? queued : running;

	answer_put_accepted(fields, op);
	answer_put_url(fields, "Location", request, "/operations/", op, "");
	fields_put(fields, "Content-Type", "application/json");
	reply_bytes(request, 202, fields, body, strlen(body));
}

static void
reply_monitor(struct http_request *request, struct op *op, struct fields *fields)
{
	if (op_has_ended(op))
		answer_final(request, op, fields, true);
	else
		reply_pending(request, op, fields);
}

const struct style style_location = {
	.name = "location",
	.reply_accepted = reply_pending,
	.reply_monitor = reply_monitor,
};
