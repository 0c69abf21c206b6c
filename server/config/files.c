/* Files that a configuration names: makes names absolute, checks and reads the files. */
#include "config/files.h"

#include "common/cleanup.h"
#include "common/json/json.h"
#include "work/process/user.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define READ_BYTES ((size_t)64 * 1024)

char *
config_directory_of(const char *file)
{
	CLEANUP_FREE char *copy = xstrdup(file);

	return realpath(dirname(copy), NULL);
}

/* Reads from fd to its end. */
static int
read_all(int fd, struct text *text)
{
	for (;;) {
		ssize_t n = read(fd, text_reserve(text, READ_BYTES), READ_BYTES);
		if (n == 0)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text->len += (size_t)n;
		if (text->len > CONFIG_FILE_MAX_BYTES)
			return -EFBIG;
	}
}

int
config_read_file(const char *path, struct text *ret_text)
{
	struct text text = {0};
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -errno;
	int error = read_all(fd, &text);
	if (error == 0)
		text_add(ret_text, text.data, text.len);
	text_fini(&text);
	return error;
}

/* The directory of the service manager's credentials, where LoadCredential= puts files (systemd.exec(5)). */
#define CREDENTIALS "${CREDENTIALS_DIRECTORY}/"

char *
config_convert_path(struct settings *settings, const char *name)
{
	const char *directory = settings->directory, *credentials = getenv("CREDENTIALS_DIRECTORY");

	if (credentials && strncmp(name, CREDENTIALS, strlen(CREDENTIALS)) == 0)
		return xasprintf("%s/%s", credentials, name + strlen(CREDENTIALS));
	if (*name == '/')
		return xstrdup(name);
	while (strncmp(name, "./", 2) == 0)
		name += 2;
	return xasprintf("%s/%s", strcmp(directory, "/") == 0 ? "" : directory, name);
}

/* The type that a file must have, and the access that the server needs. */
struct kind {
	mode_t type;
	int access;
	const char *other;   /* the mistake if it has another type */
	const char *refusal; /* the mistake, followed by the system's reason */
};

/*
 * Returns the absolute path of name (malloc'ed), or reports a mistake and returns NULL.  Checks the type before
 * the access, because opening a FIFO or a device has side effects.
 */
static char *
convert(struct settings *settings, const char *name, const struct kind *kind)
{
	CLEANUP_FREE char *path = config_convert_path(settings, name);
	struct mistakes *mistakes = &settings->mistakes;
	struct stat st;
	bool exists = stat(path, &st) == 0;

	if (exists && (st.st_mode & S_IFMT) != kind->type)
		mistakes_add_string(mistakes, name, "%s", kind->other);
	else if (!exists || faccessat(AT_FDCWD, path, kind->access, AT_EACCESS) < 0)
		mistakes_add_string(mistakes, name, "%s: %s", kind->refusal, strerror(errno));
	else
		return xstrdup(path);
	return NULL;
}

char *
config_convert_file(struct settings *settings, const char *name)
{
	static const struct kind file = {S_IFREG, R_OK, "is not a regular file", "cannot be read"};

	return convert(settings, name, &file);
}

char *
config_convert_directory(struct settings *settings, const char *name)
{
	static const struct kind directory = {
		S_IFDIR, X_OK, "cannot be entered: Not a directory", "cannot be entered"};

	return convert(settings, name, &directory);
}

char *
config_convert_program(struct settings *settings, const char *name)
{
	static const struct kind program = {S_IFREG, X_OK, "is not a regular file", "cannot be run"};

	if (strchr(name, '/'))
		return convert(settings, name, &program);
	mistakes_add_string(&settings->mistakes, name, "has no slash: a program is given by its path");
	return NULL;
}

char *
config_convert_user(struct settings *settings, const char *name)
{
	struct program_user user;
	int error = program_user_find(name, &user);

	if (error == 0)
		return xstrdup(name);
	mistakes_add_string(&settings->mistakes, name, "%s",
		error == -EPERM ? "cannot be switched to: the server is not root or lacks the capabilities"
				: "is not a user of this machine");
	return NULL;
}

/* Parses a JSON file.  Reports a mistake and returns false if it cannot. */
static bool
parse_file(struct settings *settings, const char *name, const char *path, struct json_object **ret_value)
{
	struct text text = {0};
	struct json_mistake mistake;
	int error = config_read_file(path, &text);

	if (error) {
		mistakes_add_string(&settings->mistakes, name, "cannot be read: %s", strerror(-error));
		return false;
	}
	error = json_parse(text.data, text.len, ret_value, &mistake);
	if (error)
		mistakes_add_json(&settings->mistakes, path, &mistake);
	text_fini(&text);
	return error == 0;
}

static bool
is_schema(struct json_object *value)
{
	return json_object_is_type(value, json_type_object) || json_object_is_type(value, json_type_boolean);
}

static struct json_object *
read_schema_file(struct settings *settings, const char *name)
{
	CLEANUP_FREE char *path = config_convert_file(settings, name);
	struct json_object *schema = NULL;

	if (!path || !parse_file(settings, name, path, &schema))
		return NULL;
	if (is_schema(schema))
		return schema;
	mistakes_add_string(
		&settings->mistakes, name, "is not a schema: it is neither an object nor a boolean");
	json_object_put(schema);
	return NULL;
}

struct json_object *
config_read_schema(struct settings *settings, struct json_object *value)
{
	if (json_object_is_type(value, json_type_string)) {
		const char *name = settings_string(settings, value, false);
		return name ? read_schema_file(settings, name) : NULL;
	}
	if (is_schema(value))
		return json_object_get(value);
	mistakes_add_value(&settings->mistakes, value, "is neither a file nor a schema");
	return NULL;
}
