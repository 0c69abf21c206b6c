/* --init: the first configuration of somebody who has none, with its users and a schema. */
#include "init.h"

#include "common/cleanup.h"
#include "common/text.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static const char configuration[] =
	"// deferd.json(5) has every setting.  `deferd --check -c FILE` tells every mistake; SIGHUP reloads "
	"the "
	"routes.\n"
	"// `deferd --explain /checksums -c FILE` shows how a route is called.  Paths are relative to this "
	"file.\n"
	"{\n"
	"  // This machine alone can call.  For others: an address of the network, and \"tls\" (or a proxy "
	"that has "
	"it).\n"
	"  \"listen\": \"127.0.0.1:8580\",\n"
	"\n"
	"  // /metrics, /healthz, /readyz and /operations, for this machine alone.\n"
	"  \"admin\": { \"listen\": \"127.0.0.1:8581\" },\n"
	"\n"
	"  // Accepted operations and resources are in this database, and survive a restart and a crash.\n"
	"  \"state\": \"deferd.db\",\n"
	"\n"
	"  // Who may call.  Add users with: htpasswd -B users.htpasswd NAME\n"
	"  \"auth\": { \"basic\": \"users.htpasswd\", \"admins\": [\"admin\"] },\n"
	"\n"
	"  \"workers\": 16,   // programs that run at once\n"
	"  \"keep\": \"1h\",    // how long results can be read\n"
	"\n"
	"  \"routes\": [\n"
	"    // A program: the body is its standard input, the result its standard output.  A call is "
	"synchronous; with\n"
	"    // ?async=true it is answered at once with 202, and the result is read later at its Location.\n"
	"    {\n"
	"      \"path\": \"/checksums\",\n"
	"      \"program\": { \"argv\": [\"/usr/bin/sha256sum\"], \"response_type\": \"text/plain\" },\n"
	"      \"rerun\": true  // repeating does no harm, so a call that a crash interrupted runs again\n"
	"    },\n"
	"\n"
	"    // An upstream: another HTTP server does the work.  /reports/x is its /x.  Put your own in "
	"place of this one.\n"
	"    {\n"
	"      \"path\": \"/reports/{rest...}\",\n"
	"      \"upstream\": { \"url\": \"http://127.0.0.1:9000\" },\n"
	"      \"run_timeout\": \"10m\"\n"
	"    },\n"
	"\n"
	"    // A collection: JSON resources that deferd keeps itself.  POST /notes makes one, GET /notes "
	"lists them.\n"
	"    {\n"
	"      \"path\": \"/notes\",\n"
	"      \"collection\": { \"name\": \"notes\", \"schema\": \"note.schema.json\", \"unique\": "
	"[\"title\"] }\n"
	"    }\n"
	"  ]\n"
	"}\n";

static const char schema[] =
	"{\n"
	"  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
	"  \"type\": \"object\",\n"
	"  \"required\": [\"title\"],\n"
	"  \"properties\": {\n"
	"    \"title\": { \"type\": \"string\", \"minLength\": 1, \"maxLength\": 200 },\n"
	"    \"text\": { \"type\": \"string\" },\n"
	"    \"done\": { \"type\": \"boolean\", \"default\": false }\n"
	"  }\n"
	"}\n";

#define USER "admin"
#define PASSWORD_LEN 24

struct init_file {
	const char *name;
	const char *content;
	mode_t mode;
};

static int
complain(int error, const char *directory, const char *name)
{
	fprintf(stderr, "deferd: %s%s%s: %s\n", directory, name[0] ? "/" : "", name, strerror(-error));
	return error;
}

/* 32 letters and digits that nobody mistakes for each other, so each has five bits of chance. */
static int
make_password(char ret_password[static PASSWORD_LEN + 1])
{
	static const char letters[33] = "abcdefghijkmnpqrstuvwxyz23456789";

	if (getrandom(ret_password, PASSWORD_LEN, 0) != PASSWORD_LEN)
		return -EIO;
	for (size_t i = 0; i < PASSWORD_LEN; i++)
		ret_password[i] = letters[(unsigned char)ret_password[i] % 32];
	ret_password[PASSWORD_LEN] = '\0';
	return 0;
}

/* The line of the user (malloc'ed); NULL if libcrypt cannot make bcrypt. */
static char *
make_user(const char *password)
{
	CLEANUP_FREE struct crypt_data *data = xcalloc(1, sizeof *data);
	char salt[CRYPT_GENSALT_OUTPUT_SIZE];

	if (!crypt_gensalt_rn("$2b$", 10, NULL, 0, salt, sizeof salt))
		return NULL;
	const char *hash = crypt_rn(password, salt, data, sizeof *data);
	return hash ? xasprintf(USER ":%s\n", hash) : NULL;
}

static int
write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t written = write(fd, data, len);
		if (written < 0 && errno != EINTR)
			return -errno;
		data += written > 0 ? written : 0;
		len -= written > 0 ? (size_t)written : 0;
	}
	return 0;
}

/* What cannot be written whole is removed again. */
static int
write_file(int directory, const struct init_file *file)
{
	int fd = openat(directory, file->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file->mode);

	if (fd < 0)
		return -errno;
	int error = write_all(fd, file->content, strlen(file->content));
	if (close(fd) < 0 && !error)
		error = -errno;
	if (error)
		unlinkat(directory, file->name, 0);
	return error;
}

/* Either all files are written or none. */
static int
write_files(const char *directory, int fd, const struct init_file *files, size_t count)
{
	struct stat status;

	for (size_t i = 0; i < count; i++)
		if (fstatat(fd, files[i].name, &status, AT_SYMLINK_NOFOLLOW) == 0)
			return complain(-EEXIST, directory, files[i].name);
	for (size_t i = 0; i < count; i++) {
		int error = write_file(fd, &files[i]);
		if (!error)
			continue;
		complain(error, directory, files[i].name);
		while (i-- > 0)
			unlinkat(fd, files[i].name, 0);
		return error;
	}
	return 0;
}

int
init_directory(const char *directory)
{
	char password[PASSWORD_LEN + 1];
	int error = make_password(password);
	CLEANUP_FREE char *user = error ? NULL : make_user(password);

	if (!user)
		return complain(-EIO, directory, "users.htpasswd");
	const struct init_file files[] = {
		{"note.schema.json", schema, 0644},
		{"users.htpasswd", user, 0600},
		{"deferd.json", configuration, 0644},
	};
	if (mkdir(directory, 0755) < 0 && errno != EEXIST)
		return complain(-errno, directory, "");
	CLEANUP_CLOSE int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return complain(-errno, directory, "");
	error = write_files(directory, fd, files, sizeof files / sizeof *files);
	if (error)
		return error;
	printf("%s/deferd.json, users.htpasswd and note.schema.json are written\n"
	       "user " USER ", password %s\n"
	       "\n"
	       "  deferd -c %s/deferd.json\n"
	       "  curl -u " USER ":%s -d hello 'http://127.0.0.1:8580/checksums?async=true'\n",
		directory, password, directory, password);
	return fflush(stdout) == 0 ? 0 : complain(-errno, "standard", "output");
}
