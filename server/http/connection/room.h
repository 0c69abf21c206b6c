/* The bytes of bodies that are coming in, as counted by the owner of the memory that all bodies share.  Loop thread
 * only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct http_connection;

/* Counts bytes more of the body that is coming in on a connection.  False if there is no room for them: then they are
 * not counted. */
__attribute__((warn_unused_result)) bool connection_room_take(
	struct http_connection *connection, uint64_t bytes);

/* The body is somebody else's by now, or gone: gives back all that was counted. */
void connection_room_give(struct http_connection *connection);
