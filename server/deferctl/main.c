/* deferctl: the client for people and scripts. */
#include "common/cleanup.h"
#include "deferctl/call.h"
#include "deferctl/lists.h"
#include "deferctl/options.h"
#include "deferctl/status.h"
#include "deferctl/target.h"
#include "deferctl/wait.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct command {
	const char *name;
	int (*run)(struct session *session);
	bool needs_target; /* else it is DEFERD_URL where there is none */
} commands[] = {
	{"call", call_command, true},
	{"cancel", wait_cancel_command, true},
	{"list", lists_command, false},
	{"output", status_output_command, true},
	{"status", status_command, true},
	{"top", lists_top_command, false},
	{"wait", wait_command, true},
};

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int
refuse(const char *why)
{
	fprintf(stderr, "deferctl: %s\nTry deferctl --help.\n", why);
	return EXIT_USAGE;
}

static int
run(const struct options *options)
{
	const struct command *command = find_command(options->command);
	const char *base = getenv("DEFERD_URL");
	struct session session;

	if (!command)
		return refuse("there is no such command");
	if (command->needs_target && !options->target)
		return refuse("an URL is missing");
	bool has_result = command->run == call_command || command->run == wait_command;
	if (options->is_json && has_result && !options->output && !options->is_detached)
		return refuse("--json wants the result in a file: -o FILE");
	char *url = target_find(options->target ? options->target : base ? base : "", base);
	if (!url)
		return refuse("that is no URL of HTTP (DEFERD_URL is the server of what is none)");
	session_init(&session, options, url);
	int code = command->run(&session);
	session_fini(&session);
	return code;
}

int
main(int argc, char **argv)
{
	CLEANUP(options_fini) struct options options;

	signal(SIGPIPE, SIG_IGN);
	int rc = options_read(&options, argc, argv);
	if (rc == 0)
		rc = run(&options);
	if (fflush(stdout) != 0 && rc <= 0)
		rc = CURLE_WRITE_ERROR;
	return rc < 0 ? EXIT_GOOD : rc;
}
