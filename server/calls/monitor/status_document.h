/* The status document: an operation of any style, as its caller sees it. */
#pragma once

struct http_request;
struct op;
struct text;

/* Adds the JSON object of op to json; its links begin with the request's BASE.  Loop thread. */
void status_document_add(struct text *json, const struct http_request *request, const struct op *op);
