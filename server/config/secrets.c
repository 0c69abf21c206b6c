/* Files of users, tokens, certificates and keys: reads them and reports their mistakes. */
#include "common/cleanup.h"
#include "common/json/json.h"
#include "config/files.h"
#include "config/private.h"
#include "http/connection/tls.h"
#include "http/login/users.h"

#include <openssl/crypto.h>
#include <string.h>

/* A file of users that is being read. */
struct file {
	struct settings *settings;
	const char *path;
};

static void
on_mistake(void *arg, size_t line, const char *why)
{
	struct file *file = arg;

	mistakes_add(&file->settings->mistakes, "%s:%zu: %s", file->path, line, why);
}

typedef int (*add_fn)(
	struct users *users, const char *data, size_t len, users_mistake_fn on_mistake, void *arg);

static void
read_users(struct settings *settings, const char *member, const char *path, add_fn add, struct users *users)
{
	struct file file = {settings, path};
	struct text text = {0};

	if (!path)
		return;
	size_t mark = mistakes_enter(&settings->mistakes, "auth");
	mistakes_enter(&settings->mistakes, member);
	size_t before = settings->mistakes.count;
	int rc = config_read_file(path, &text);
	if (rc < 0)
		mistakes_add_string(&settings->mistakes, path, "cannot be read: %s", strerror(-rc));
	else if (add(users, text.data ? text.data : "", text.len, on_mistake, &file) < 0 &&
		 settings->mistakes.count == before)
		mistakes_add_string(&settings->mistakes, path, "cannot be used");
	if (text.data)
		OPENSSL_cleanse(text.data, text.len);
	text_fini(&text);
	mistakes_leave(&settings->mistakes, mark);
}

static void
read_auth(struct settings *settings, struct config *config)
{
	config->users = users_new();
	users_set_admins(config->users, config->auth_admins);
	read_users(settings, "basic", config->auth_basic, users_add_htpasswd, config->users);
	read_users(settings, "bearer", config->auth_bearer, users_add_tokens, config->users);
}

static void
read_tls(struct settings *settings, struct json_object *root, struct config *config, size_t index)
{
	struct config_listen *listen = index < config->listen_count ? &config->listen[index] : &config->admin;
	CLEANUP_FREE char *why = NULL;
	struct json_object *value;

	if (!listen->tls_certificate || !listen->tls_key)
		return;
	size_t mark = config_enter_listen(settings, root, config, index, &value);
	mistakes_enter(&settings->mistakes, "tls");
	if (tls_new(listen->tls_certificate, listen->tls_key, listen->tls_client_ca, &listen->tls, &why) < 0)
		mistakes_add(&settings->mistakes, "%s", why);
	mistakes_leave(&settings->mistakes, mark);
}

void
config_read_secrets(struct settings *settings, struct json_object *root, struct config *config)
{
	if (config->has_auth)
		read_auth(settings, config);
	for (size_t i = 0; i <= config->listen_count; i++)
		read_tls(settings, root, config, i);
}
