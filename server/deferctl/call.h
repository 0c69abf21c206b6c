/* `deferctl call`: calls asynchronously, in whatever style the server answers. */
#pragma once

#include "deferctl/exchange.h"

int call_command(struct session *session);
