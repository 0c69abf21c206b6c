/* Style `location` (Cisco PCCE): ?async=true, a monitor that turns into the final response (contract,
 * 5.1). */
#include "styles/private.h"

static enum style_claim
asks(const struct style_request *request)
{
	return request->is_async ? STYLE_ASKED : STYLE_NOT_ASKED;
}

static void
reply_monitor(struct http_request *request, struct op *op, struct fields *fields)
{
	if (op_has_ended(op))
		answer_final(request, op, fields, true);
	else
		answer_pending(request, op, fields);
}

const struct style style_location = {
	.name = "location",
	.asks = asks,
	.reply_accepted = answer_pending,
	.monitors = {{"/operations/{id}", reply_monitor}},
};
