/* The server: everything assembled from a configuration, and its life from start to the last reply. */
#pragma once

struct config;
struct server;

/*
 * Makes a server of config (taken) that was read from file: opens the store, takes back what it kept,
 * listens.  Prints one line "deferd: ready on ADDRESS" for each address.  -errno when it cannot start; the
 * log says why.
 */
__attribute__((warn_unused_result)) int server_start(
	struct config *config, const char *file, struct server **ret_server);

/* Serves until told to end by SIGTERM or SIGINT; SIGHUP reads the configuration again.  Returns the process'
 * exit status. */
int server_run(struct server *server);

void server_free(struct server *server); /* NULL is allowed */
