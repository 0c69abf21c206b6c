/* The bytes of bodies that are coming in, counted by connection. */
#include "http/connection/room.h"

#include "http/connection/state.h"

bool
connection_room_take(struct http_connection *connection, uint64_t bytes)
{
	const struct connection_env *env = connection->env;

	if (env->room.take && !env->room.take(env->room.arg, bytes))
		return false;
	connection->room_bytes += bytes;
	return true;
}

void
connection_room_give(struct http_connection *connection)
{
	const struct connection_env *env = connection->env;

	if (env->room.give && connection->room_bytes > 0)
		env->room.give(env->room.arg, connection->room_bytes);
	connection->room_bytes = 0;
}
