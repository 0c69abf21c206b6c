/* The command line: reads the configuration, then checks it, describes it or serves it. */
#include "common/cleanup.h"
#include "common/text.h"
#include "config/config.h"
#include "init.h"
#include "openapi/explain.h"
#include "openapi/openapi.h"
#include "server.h"
#include "styles/style_table.h"

#include <getopt.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const char usage[] =
	"usage: deferd -c FILE [--check | --openapi | --explain ROUTE]\n"
	"       deferd --init DIRECTORY\n"
	"       deferd --version | --help | --help=settings\n"
	"\n"
	"Puts slow work behind HTTP: every call synchronous or asynchronous.\n"
	"\n"
	"  -c, --config FILE  the configuration (deferd.json)\n"
	"      --check        print every mistake in it, one per line; exit 1 if there is any\n"
	"      --openapi      print the OpenAPI document of its routes\n"
	"      --explain ROUTE  print how the route of that path is called and answered in each style, for "
	"curl\n"
	"      --init DIRECTORY  write a first configuration with each kind of work there, ready to serve\n"
	"      --version      print the version\n"
	"      --help         print this text; --help=settings prints every setting\n"
	"\n"
	"SIGTERM drains and ends, a second SIGTERM ends at once; SIGHUP reloads the configuration.\n";

static int
print_help(const char *topic)
{
	CLEANUP(text_fini) struct text settings = {0};

	if (topic && strcmp(topic, "settings") != 0) {
		fprintf(stderr, "deferd: no help on %s\n", topic);
		return EX_USAGE;
	}
	if (topic)
		config_describe(style_table, &settings);
	fputs(topic ? settings.data : usage, stdout);
	return EX_OK;
}

static int
serve(struct config *config, const char *file)
{
	struct server *server;

	if (server_start(config, file, &server) < 0)
		return EXIT_FAILURE;
	int status = server_run(server);
	server_free(server);
	return status;
}

static void
print_openapi(const struct config *config)
{
	struct json_object *document = openapi_document(config, style_table);

	puts(json_object_to_json_string_ext(document,
		JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(document);
}

static int
print_explanation(const struct config *config, const char *route)
{
	CLEANUP(text_fini) struct text text = {0};

	if (explain_route(config, style_table, route, &text) == 0) {
		fputs(text.data, stdout);
		return EX_OK;
	}
	fprintf(stderr, "deferd: there is no route %s; these are there:\n%s", route,
		text.data ? text.data : "");
	return EXIT_FAILURE;
}

/* Prints each warning of the configuration as a line of its own. */
static void
print_warnings(const char *file, FILE *stream)
{
	CLEANUP(text_fini) struct text warnings = {0};

	config_read_warnings(file, style_table, &warnings);
	for (char *line = warnings.data; line && *line;) {
		size_t len = strcspn(line, "\n");
		fprintf(stream, "warning: %.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

int
main(int argc, char **argv)
{
	enum { CHECK = 256, OPENAPI, EXPLAIN, INIT, VERSION, HELP };
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, CHECK},
		{"openapi", no_argument, NULL, OPENAPI},
		{"explain", required_argument, NULL, EXPLAIN},
		{"init", required_argument, NULL, INIT},
		{"version", no_argument, NULL, VERSION},
		{"help", optional_argument, NULL, HELP},
		{0},
	};
	CLEANUP(text_fini) struct text mistakes = {0};
	const char *file = NULL, *explained = NULL;
	struct config *config;
	bool check = false, openapi = false;
	int option;

	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			file = optarg;
			break;
		case CHECK:
			check = true;
			break;
		case OPENAPI:
			openapi = true;
			break;
		case EXPLAIN:
			explained = optarg;
			break;
		case INIT:
			return init_directory(optarg) < 0 ? EXIT_FAILURE : EX_OK;
		case VERSION:
			puts("deferd " DEFERD_VERSION);
			return EX_OK;
		case HELP:
		case 'h':
			return print_help(option == HELP ? optarg : NULL);
		default:
			fputs(usage, stderr);
			return EX_USAGE;
		}
	}
	if (!file || optind != argc) {
		fputs(usage, stderr);
		return EX_USAGE;
	}
	if (config_read(file, style_table, &config, &mistakes) < 0) {
		fputs(mistakes.data, check ? stdout : stderr);
		return EXIT_FAILURE;
	}
	if (!openapi && !explained)
		print_warnings(file, check ? stdout : stderr);
	if (!openapi && !explained && !check)
		return serve(config, file);
	if (openapi)
		print_openapi(config);
	int status = explained ? print_explanation(config, explained) : EX_OK;
	config_free(config);
	return status;
}
