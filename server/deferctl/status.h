/* `deferctl status` and `deferctl output`: one operation as it is now. */
#pragma once

#include "deferctl/exchange.h"

int status_command(struct session *session);
int status_output_command(struct session *session);
