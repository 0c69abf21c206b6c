/* The queue: which operation is the next to start, fair between the routes.  For the layer; loop thread only. */
#pragma once

#include <stdbool.h>

struct op_route;
struct op_run;
struct operations;

/* Whether the route's work occupies one of the server's workers while it runs.  Calls to upstreams do not: they
 * count against upstream_concurrency. */
bool op_route_needs_worker(const struct op_route *route);

/* Operations of the route that may run at once. */
unsigned op_route_slots(const struct op_route *route);

/* Whether the route's queue takes another operation. */
bool op_queue_has_room(const struct op_route *route);

/* Moves an accepted operation to PHASE_WAITING, or to PHASE_BEHIND if an earlier change of its resource has not
 * ended. */
void op_queue_enter(struct op_run *run);

/* For op_go(): puts the run into its route's queue, and takes it out. */
void op_queue_add(struct op_run *run, bool at_head);
void op_queue_remove(struct op_run *run);

/* Returns the run that is the next to start, still in its queue.  NULL: none may start now. */
struct op_run *op_queue_next(struct operations *operations);

/* Leaves the line of the resource, so that the next change of it may run.  Does nothing if the run is in no line. */
void op_turn_leave(struct op_run *run);
