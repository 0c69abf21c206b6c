/* What the command line and the environment say. */
#include "deferctl/options.h"

#include "common/cleanup.h"
#include "common/id.h"
#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define TOKEN_MAX 8192
#define KEY_MAX 255
#define RETRIES_DEFAULT 5

static const char help[] = "usage: deferctl call [-X METHOD] [-d @FILE|DATA] [-H FIELD] [-o FILE] URL\n"
			   "       deferctl wait|status|cancel URL|ID\n"
			   "       deferctl output [-f] URL|ID\n"
			   "       deferctl list|top [--state STATE] [--route ROUTE] [--limit N] [URL]\n"
			   "\n"
			   "  -X, --request METHOD   the method of the call (POST)\n"
			   "  -d, --data DATA        the body of the call, or @FILE\n"
			   "  -H, --header FIELD     a header field, \"Name: value\"\n"
			   "  -o, --output FILE      where the result goes (standard output)\n"
			   "  -f, --follow           output goes on until the program ends\n"
			   "  -u, --user NAME:PASSWORD\n"
			   "      --token-file FILE  a bearer token in its first line\n"
			   "      --cacert FILE      certificates to trust\n"
			   "      --key KEY          the Idempotency-Key of the call\n"
			   "      --retry N          attempts after one that failed (5)\n"
			   "      --max-time S       seconds that one exchange may last\n"
			   "      --no-wait          call prints the monitor's URL and ends\n"
			   "      --json             answers for scripts\n"
			   "  -q, --quiet            no progress bar\n"
			   "      --help, --version\n"
			   "\n"
			   "DEFERD_URL is the server of what is no URL, DEFERD_TOKEN a bearer token.\n";

enum {
	OPT_TOKEN_FILE = 256,
	OPT_CACERT,
	OPT_KEY,
	OPT_RETRY,
	OPT_MAX_TIME,
	OPT_NO_WAIT,
	OPT_JSON,
	OPT_STATE,
	OPT_ROUTE,
	OPT_LIMIT,
	OPT_HELP,
	OPT_VERSION
};

static const struct option long_options[] = {
	{"request", required_argument, NULL, 'X'},
	{"data", required_argument, NULL, 'd'},
	{"header", required_argument, NULL, 'H'},
	{"output", required_argument, NULL, 'o'},
	{"follow", no_argument, NULL, 'f'},
	{"user", required_argument, NULL, 'u'},
	{"quiet", no_argument, NULL, 'q'},
	{"token-file", required_argument, NULL, OPT_TOKEN_FILE},
	{"cacert", required_argument, NULL, OPT_CACERT},
	{"key", required_argument, NULL, OPT_KEY},
	{"retry", required_argument, NULL, OPT_RETRY},
	{"max-time", required_argument, NULL, OPT_MAX_TIME},
	{"no-wait", no_argument, NULL, OPT_NO_WAIT},
	{"json", no_argument, NULL, OPT_JSON},
	{"state", required_argument, NULL, OPT_STATE},
	{"route", required_argument, NULL, OPT_ROUTE},
	{"limit", required_argument, NULL, OPT_LIMIT},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{0},
};

__attribute__((format(printf, 1, 2))) static int
refuse(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("deferctl: ", stderr);
	vfprintf(stderr, format, args);
	fputs("\nTry deferctl --help.\n", stderr);
	va_end(args);
	return EXIT_USAGE;
}

int
options_read_token(const char *path, char **ret_token)
{
	char data[TOKEN_MAX];
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	ssize_t read_len = read(fd, data, sizeof data);
	if (read_len < 0)
		return -errno;
	size_t len = 0;
	while (len < (size_t)read_len && data[len] > ' ' && data[len] < 0x7f)
		len++;
	bool is_line = len == (size_t)read_len || data[len] == '\n' || data[len] == '\r';
	if (len == 0 || len == sizeof data || !is_line)
		return -EINVAL;
	*ret_token = xstrndup(data, len);
	return 0;
}

static int
take_token_file(struct options *options, const char *path)
{
	free(options->token);
	options->token = NULL;
	int rc = options_read_token(path, &options->token);
	return rc == 0 ? 0
		       : refuse("%s: %s", path, rc == -EINVAL ? "its first line is no token" : strerror(-rc));
}

static int
take_field(struct options *options, const char *field)
{
	const char *colon = strchr(field, ':');

	if (!colon || fields_add_bytes(&options->fields, field, (size_t)(colon - field), colon + 1,
			      strlen(colon + 1)) < 0)
		return refuse("-H wants \"Name: value\"");
	return 0;
}

static int
take_number(const char *name, const char *text, uint64_t *value)
{
	return text_parse_uint(text, strlen(text), 1000000, value) < 0 ? refuse("%s wants a number", name)
								       : 0;
}

/* Where the text of an option goes that is kept as it is; NULL: it is none of these. */
static const char **
find_text(struct options *options, int option)
{
	const struct {
		int option;
		const char **text;
	} texts[] = {
		{'X', &options->method},
		{'d', &options->data},
		{'o', &options->output},
		{OPT_CACERT, &options->cacert},
		{OPT_STATE, &options->state},
		{OPT_ROUTE, &options->route},
		{OPT_LIMIT, &options->limit},
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (texts[i].option == option)
			return texts[i].text;
	return NULL;
}

static bool *
find_flag(struct options *options, int option)
{
	return option == 'f'	       ? &options->is_following
	       : option == 'q'	       ? &options->is_quiet
	       : option == OPT_JSON    ? &options->is_json
	       : option == OPT_NO_WAIT ? &options->is_detached
				       : NULL;
}

static int
take_other(struct options *options, int option)
{
	switch (option) {
	case 'H':
		return take_field(options, optarg);
	case 'u':
		free(options->user);
		options->user = xstrdup(optarg);
		return strchr(optarg, ':') ? 0 : refuse("--user wants NAME:PASSWORD");
	case OPT_KEY:
		free(options->key);
		options->key = xstrdup(optarg);
		return 0;
	case OPT_TOKEN_FILE:
		return take_token_file(options, optarg);
	case OPT_RETRY:
		return take_number("--retry", optarg, &options->retries);
	case OPT_MAX_TIME:
		return take_number("--max-time", optarg, &options->max_time_s);
	case OPT_HELP:
		fputs(help, stdout);
		return -1;
	case OPT_VERSION:
		puts("deferctl " DEFERD_VERSION);
		return -1;
	default:
		return refuse("an option is unknown or lacks its argument");
	}
}

static int
take(struct options *options, int option)
{
	const char **text = find_text(options, option);
	bool *flag = find_flag(options, option);

	if (text)
		*text = optarg;
	else if (flag)
		*flag = true;
	else
		return take_other(options, option);
	return 0;
}

static void
complete(struct options *options)
{
	const char *token = getenv("DEFERD_TOKEN");

	if (!options->token && !options->user && token && *token)
		options->token = xstrdup(token);
	if (!options->key) {
		struct id id;
		char text[ID_TEXT_SIZE];
		id_generate(&id);
		id_format(&id, text);
		options->key = xstrdup(text);
	}
}

/* What would not fit into a request as it is. */
static int
check(const struct options *options)
{
	size_t len = strlen(options->key);

	if (!text_is_token(options->method, strlen(options->method)))
		return refuse("the method is none");
	if (len == 0 || len > KEY_MAX || strpbrk(options->key, "\"\\"))
		return refuse("the key has no fit length, or a quote or backslash in it");
	for (const char *at = options->key; *at; at++)
		if (*at <= ' ' || *at >= 0x7f)
			return refuse("the key has more than visible characters of ASCII in it");
	return 0;
}

int
options_read(struct options *ret_options, int argc, char **argv)
{
	struct options *options = ret_options;
	int option, rc = 0;

	*options = (struct options){.method = "POST", .retries = RETRIES_DEFAULT};
	opterr = 0;
	while (rc == 0 && (option = getopt_long(argc, argv, "X:d:H:o:fu:q", long_options, NULL)) != -1)
		rc = take(options, option);
	if (rc != 0)
		return rc;
	if (optind >= argc)
		return refuse("a command is missing");
	options->command = argv[optind];
	options->target = argv[optind + 1];
	if (options->target && optind + 2 < argc)
		return refuse("there are too many arguments");
	if (options->token && (options->token[strcspn(options->token, "\r\n")] != '\0'))
		return refuse("the token has a line end in it");
	complete(options);
	return check(options);
}

void
options_fini(struct options *options)
{
	fields_fini(&options->fields);
	free(options->user);
	free(options->token);
	free(options->key);
}
