/* The server as a whole: start, run and free. */
#pragma once

struct config;
struct server;

/*
 * Starts a server with config (taken), which was read from file: opens the store, recovers its operations,
 * listens.  Prints one line "deferd: ready on ADDRESS" per address.  Returns 0, or -errno if it cannot start;
 * the log or standard error says why.
 */
__attribute__((warn_unused_result)) int server_start(
	struct config *config, const char *file, struct server **ret_server);

/* Serves until SIGTERM or SIGINT; SIGHUP reads the configuration again.  Returns the exit status. */
int server_run(struct server *server);

void server_free(struct server *server); /* NULL is allowed */
