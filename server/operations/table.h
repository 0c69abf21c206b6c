/* The table of operations by id.  For the layer; loop thread only. */
#pragma once

struct id;
struct op;
struct operations;

void op_table_add(struct operations *operations, struct op *op);
void op_table_remove(struct operations *operations, struct op *op); /* walks go on behind it */

/* Returns the operation of that id in any state, NULL if there is none. */
struct op *op_table_find(struct operations *operations, const struct id *id);
