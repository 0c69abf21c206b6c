/* Reads of a collection that were asked for asynchronously. */
#pragma once

struct call;

void call_read_begin(struct call *call);
