/* Programs in the configuration: their table of settings, and the check of {name} in arguments. */
#include "common/cleanup.h"
#include "common/json/json.h"
#include "config/files.h"
#include "config/pattern.h"
#include "config/private.h"
#include "config/values.h"

#include <stdlib.h>
#include <string.h>

#define PROGRAM(kind, member) SETTING_PLACE(kind, struct program_config, member)

/* The prefix of deferd's own environment variables. */
#define OWN_VARIABLES "DEFERD_"

/* Returns "NAME=value" for a member of env (malloc'ed), or reports a mistake and returns NULL. */
static char *
read_variable(struct settings *settings, const char *name, struct json_object *value)
{
	const char *string = settings_string(settings, value, true);

	if (!pattern_is_name(name, strlen(name)))
		mistakes_add(&settings->mistakes, "is not the name of a variable: letters, digits and \"_\"");
	else if (strncmp(name, OWN_VARIABLES, strlen(OWN_VARIABLES)) == 0)
		mistakes_add(&settings->mistakes, "is a name that is reserved for deferd");
	else if (string)
		return xasprintf("%s=%s", name, string);
	return NULL;
}

static void
read_env(struct settings *settings, struct json_object *value, void *owner)
{
	struct program_config *program = owner;
	size_t count = 0;

	if (!json_object_is_type(value, json_type_object)) {
		mistakes_add_value(&settings->mistakes, value, "is not an object");
		return;
	}
	program->env = xcalloc((size_t)json_object_object_length(value) + 1, sizeof *program->env);
	json_object_object_foreach(value, name, member)
	{
		size_t mark = mistakes_enter(&settings->mistakes, name);
		char *variable = read_variable(settings, name, member);
		if (variable)
			program->env[count++] = variable;
		mistakes_leave(&settings->mistakes, mark);
	}
}

static void
free_env(void *owner)
{
	struct program_config *program = owner;

	for (char **variable = program->env; variable && *variable; variable++)
		free(*variable);
	free(program->env);
	program->env = NULL;
}

/* Makes argv[0] the absolute path of an existing program. */
static void
finish_program(struct settings *settings, struct json_object *value, void *owner)
{
	struct program_config *program = owner;

	if (!program->argv)
		return;
	struct json_object *first = json_object_array_get_idx(json_find(value, "argv", NULL), 0);
	const char *name =
		json_object_is_type(first, json_type_string) ? json_object_get_string(first) : NULL;
	if (!name || strcmp(name, program->argv[0]) != 0)
		return; /* the string itself is a mistake, which was reported */
	size_t mark = mistakes_enter(&settings->mistakes, "argv");
	mistakes_enter_index(&settings->mistakes, 0);
	char *path = config_convert_program(settings, name);
	if (path) {
		free(program->argv[0]);
		program->argv[0] = path;
	}
	mistakes_leave(&settings->mistakes, mark);
}

static const struct setting_choice protocols[] = {
	{"\"filter\"", PROGRAM_FILTER},
	{"\"cgi\"", PROGRAM_CGI},
	{NULL, 0},
};

#define LIMIT(kind, member) SETTING_PLACE(kind, struct program_limits, member)

static const struct setting limit_rows[] = {
	{.name = "cpu_time",
		LIMIT(SETTING_TIME, cpu_time_ms),
		.min = 1000,
		.max = 30ULL * 24 * 3600 * 1000,
		.fallback_note = "none",
		.meaning = "The processor time that each of its processes may use, in whole seconds; a "
			   "process that exceeds it is killed."},
	{.name = "address_space",
		LIMIT(SETTING_SIZE, address_space_bytes),
		.min = 1 << 20,
		.max = 1ULL << 50,
		.fallback_note = "none",
		.meaning = "The address space that each of its processes may use."},
	{.name = "file_size",
		LIMIT(SETTING_SIZE, file_size_bytes),
		.min = 1,
		.max = 1ULL << 50,
		.fallback_note = "none",
		.meaning = "The largest file that a process may write."},
	{.name = "open_files",
		LIMIT(SETTING_WHOLE, open_files),
		.min = 8,
		.max = 1000000,
		.fallback_note = "the server's",
		.meaning = "The number of descriptors that each of its processes may open."},
	{.name = "processes",
		LIMIT(SETTING_WHOLE, processes),
		.min = 1,
		.max = 1000000,
		.fallback_note = "the server's",
		.meaning = "The number of processes and threads that its user may have; root has no limit."},
	{.name = NULL},
};

static const struct setting_table limit_table = {limit_rows, NULL};

static const struct setting program_rows[] = {
	{.name = "argv",
		PROGRAM(SETTING_NAMES, argv),
		.is_required = true,
		.may_be_empty = true,
		.may_repeat = true,
		.min = 1,
		.max = 1000,
		.meaning = "The program's path, then its arguments; {name} in an argument is replaced by "
			   "that parameter of the path or query."},
	{.name = "protocol",
		PROGRAM(SETTING_CHOICE, protocol),
		.fallback = "\"filter\"",
		.choices = protocols,
		.meaning = "With filter, standard output is the response body; with cgi, it begins with "
			   "header lines (RFC 3875)."},
	{.name = "response_type",
		PROGRAM(SETTING_STRING, response_type),
		.convert = config_convert_media_type,
		.type = "media type",
		.fallback_note = "application/octet-stream",
		.meaning = "The media type of a filter's output."},
	{.name = "env",
		.kind = SETTING_OWN,
		.read = read_env,
		.free = free_env,
		.type = "object of strings",
		.fallback_note = "none",
		.meaning = "Environment variables to set beside those that deferd sets."},
	{.name = "working_directory",
		PROGRAM(SETTING_STRING, working_directory),
		.convert = config_convert_directory,
		.type = "directory",
		.fallback_note = "/",
		.meaning = "The directory in which the program starts."},
	{.name = "limits",
		PROGRAM(SETTING_OBJECT, limits),
		.members = &limit_table,
		.fallback_note = "the server's",
		.meaning = "Resource limits of the program."},
	{.name = "user",
		PROGRAM(SETTING_STRING, user),
		.convert = config_convert_user,
		.type = "user",
		.fallback_note = "the server's",
		.meaning = "The user that the program runs as, with that user's groups and no capabilities; "
			   "the server must then be root with the capabilities SETUID, SETGID, KILL and "
			   "SYS_PTRACE."},
	{.name = "nice",
		PROGRAM(SETTING_WHOLE, nice),
		.min = 0,
		.max = 19,
		.fallback = "0",
		.meaning = "Added to the nice value that the server runs with: the higher, the less "
			   "processor time the "
			   "program gets."},
	{.name = NULL},
};

const struct setting_table config_program_table = {program_rows, finish_program};

/* The check of one argument's names. */
struct name_look {
	struct settings *settings;
	const char *const *known; /* ended by NULL */
};

static void
report_unknown_name(struct name_look *look, const char *name)
{
	const char *meant = text_nearest(name, look->known);

	if (meant)
		mistakes_add(&look->settings->mistakes,
			"{%s} is neither in the path nor in \"query\" (did you mean {%s}?)", name, meant);
	else
		mistakes_add(&look->settings->mistakes, "{%s} is neither in the path nor in \"query\"", name);
}

static int
look_at_name(const char *name, size_t len, void *arg)
{
	struct name_look *look = arg;
	CLEANUP_FREE char *word = xstrndup(name, len);

	for (const char *const *known = look->known; *known; known++)
		if (strcmp(*known, word) == 0)
			return 0;
	report_unknown_name(look, word);
	return 0;
}

static int
refuse_name(const char *name, size_t len, void *arg)
{
	struct settings *settings = arg;

	mistakes_add(&settings->mistakes, "{%.*s} is never replaced in the program's path", (int)len, name);
	return 0;
}

void
config_check_names(struct settings *settings, const struct program_config *program, const char *const *known)
{
	struct name_look look = {settings, known};

	for (size_t i = 0; program->argv && program->argv[i]; i++) {
		size_t mark = mistakes_enter(&settings->mistakes, "argv");
		mistakes_enter_index(&settings->mistakes, i);
		if (i == 0)
			program_each_name(program->argv[i], refuse_name, settings);
		else
			program_each_name(program->argv[i], look_at_name, &look);
		mistakes_leave(&settings->mistakes, mark);
	}
}
