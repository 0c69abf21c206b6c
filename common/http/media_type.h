/* Media types (RFC 9110, 8.3) of header fields. */
#pragma once

#include "common/http/fields.h"

/* Whether Content-Type is application/json or ends in +json (RFC 6839, 3.1).  Any thread. */
bool media_type_is_json(const struct fields *fields);
