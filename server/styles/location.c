/* Style `location` (Cisco PCCE): ?async=true, a monitor that turns into the final response (contract,
 * 5.1). */
#include "calls/call/answer.h"
#include "calls/call/route.h"
#include "calls/monitor/monitor.h"

static enum style_claim
asks(const struct style_request *request)
{
	return request->is_async ? STYLE_ASKED : STYLE_NOT_ASKED;
}

static void
reply_monitor(struct http_request *request, struct styles *styles, struct op *op, struct fields *fields)
{
	if (op_has_ended(op))
		answer_final(request, op, fields, true);
	else
		answer_pending(request, styles, op, fields);
}

static const char monitor_item[] =
	"{'parameters': [{'$ref': '#/components/parameters/operationId'}],"
	" 'get': {'summary': 'The final response, once it is there'," STYLE_FINAL_RESPONSE;

const struct style style_location = {
	.name = "location",
	.asks = asks,
	.reply_accepted = answer_accepted,
	.monitors = {{.path = "/operations/{id}",
		.polls = HTTP_GET,
		.cancels = HTTP_DELETE,
		.reply = reply_monitor,
		.item = monitor_item}},
	.words = {.query = "async=true", .accepted = "Location is where the final response will be"},
};
