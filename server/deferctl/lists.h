/* `deferctl list` and `deferctl top`: many operations. */
#pragma once

#include "deferctl/exchange.h"

int lists_command(struct session *session);
int lists_top_command(struct session *session);
