/* Listeners in the configuration: their table of settings, and one address or a list of them. */
#include "common/json/json.h"
#include "config/address.h"
#include "config/files.h"
#include "config/private.h"
#include "http/connection/tls.h"

#include <stdlib.h>

#define LISTEN(kind, member) SETTING_PLACE(kind, struct config_listen, member)

static const struct setting tls_rows[] = {
	{.name = "certificate",
		LISTEN(SETTING_STRING, tls_certificate),
		.is_required = true,
		.convert = config_convert_file,
		.type = "file",
		.meaning = "The server's certificate, followed by its intermediate certificates (PEM)."},
	{.name = "key",
		LISTEN(SETTING_STRING, tls_key),
		.is_required = true,
		.convert = config_convert_file,
		.type = "file",
		.meaning = "The private key of the certificate (PEM)."},
	{.name = "client_ca",
		LISTEN(SETTING_STRING, tls_client_ca),
		.convert = config_convert_file,
		.type = "file",
		.fallback_note = "clients need no certificate",
		.meaning = "CA certificates (PEM) that client certificates are verified against; the common "
			   "name of a client certificate is the principal."},
	{.name = NULL},
};

static const struct setting_table tls_table = {tls_rows, NULL};

static const struct setting listen_rows[] = {
	{.name = "address",
		LISTEN(SETTING_STRING, address),
		.is_required = true,
		.convert = config_convert_address,
		.type = "address",
		.meaning =
			"127.0.0.1:8580, [::1]:8580, localhost:8580 or unix:PATH; port 0 picks a free port."},
	{.name = "tls",
		.kind = SETTING_OBJECT,
		.members = &tls_table,
		.fallback_note = "plain HTTP",
		.meaning = "Serves HTTPS at this address."},
	{.name = NULL},
};

const struct setting_table config_listen_table = {listen_rows, NULL};

void
config_read_address(struct settings *settings, struct json_object *value, void *owner)
{
	struct config_listen *listen = owner;

	if (json_object_is_type(value, json_type_object)) {
		settings_read(settings, &config_listen_table, value, listen);
		return;
	}
	const char *address = settings_string(settings, value, false);
	if (address)
		listen->address = config_convert_address(settings, address);
}

void
config_free_address(void *owner)
{
	struct config_listen *listen = owner;

	settings_free(&config_listen_table, owner);
	tls_unref(listen->tls);
	listen->tls = NULL;
}

static void
read_addresses(struct settings *settings, struct json_object *list, struct config *config)
{
	size_t count = json_object_array_length(list);

	if (count < 1 || count > CONFIG_LISTEN_MAX) {
		mistakes_add(&settings->mistakes, "%zu elements are not between 1 and %d", count,
			CONFIG_LISTEN_MAX);
		return;
	}
	config->listen = xcalloc(count, sizeof *config->listen);
	config->listen_count = count;
	for (size_t i = 0; i < count; i++) {
		size_t mark = mistakes_enter_index(&settings->mistakes, i);
		config_read_address(settings, json_object_array_get_idx(list, i), &config->listen[i]);
		mistakes_leave(&settings->mistakes, mark);
	}
}

void
config_read_listen(struct settings *settings, struct json_object *value, void *owner)
{
	struct config *config = owner;

	if (json_object_is_type(value, json_type_array)) {
		read_addresses(settings, value, config);
		return;
	}
	config->listen = xcalloc(1, sizeof *config->listen);
	config->listen_count = 1;
	config_read_address(settings, value, config->listen);
}

void
config_free_listen(void *owner)
{
	struct config *config = owner;

	for (size_t i = 0; i < config->listen_count; i++)
		config_free_address(&config->listen[i]);
	free(config->listen);
	config->listen = NULL;
	config->listen_count = 0;
}

size_t
config_enter_listen(struct settings *settings, struct json_object *root, const struct config *config,
	size_t index, struct json_object **ret_value)
{
	bool is_admin = index == config->listen_count;
	size_t mark = settings->mistakes.pointer.len;
	struct json_object *value;

	if (is_admin) {
		mistakes_enter(&settings->mistakes, "admin");
		value = json_find(root, "admin", "listen", NULL);
	} else {
		value = json_find(root, "listen", NULL);
	}
	mistakes_enter(&settings->mistakes, "listen");
	if (!is_admin && json_object_is_type(value, json_type_array)) {
		mistakes_enter_index(&settings->mistakes, index);
		value = json_object_array_get_idx(value, index);
	}
	*ret_value = value;
	return mark;
}
