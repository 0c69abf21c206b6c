/* The status document: an operation of any style as its caller sees it, as JSON.  Loop thread only. */
#pragma once

#include "operations/op.h"

struct text;

/* Adds the JSON object of op to json; its links begin with base, "https://api.example.com". */
void op_document_add(struct text *json, const struct op *op, const char *base);
