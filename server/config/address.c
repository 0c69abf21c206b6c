/* Addresses to listen on: parses and classifies them. */
#include "config/address.h"

#include "common/cleanup.h"
#include "config/files.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define UNIX_PREFIX "unix:"

/* The longest host: a full IPv6 address with its NUL. */
#define HOST_SIZE INET6_ADDRSTRLEN

struct host {
	bool is_local;
	uint64_t port;
};

static bool
is_unix(const char *address)
{
	return strncmp(address, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0;
}

/* ::1, or an IPv4-mapped address of 127.0.0.0/8. */
static bool
is_loopback6(const struct in6_addr *address)
{
	return IN6_IS_ADDR_LOOPBACK(address) ||
	       (IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == 127);
}

/* Reads a host.  An IPv6 address is passed without its brackets. */
static bool
parse_host(const char *data, size_t len, bool has_brackets, struct host *host)
{
	char name[HOST_SIZE] = "";
	struct in6_addr address6;
	struct in_addr address4;

	if (len >= sizeof name)
		return false;
	memcpy(name, data, len);
	if (has_brackets) {
		if (inet_pton(AF_INET6, name, &address6) != 1)
			return false;
		host->is_local = is_loopback6(&address6);
	} else if (strcmp(name, "localhost") == 0) {
		host->is_local = true;
	} else {
		if (inet_pton(AF_INET, name, &address4) != 1)
			return false;
		host->is_local = ntohl(address4.s_addr) >> 24 == 127;
	}
	return true;
}

/* Reads "host:port". */
static bool
parse_internet(const char *address, struct host *ret_host)
{
	const char *colon = strrchr(address, ':');

	if (!colon || text_parse_uint(colon + 1, strlen(colon + 1), UINT16_MAX, &ret_host->port) < 0)
		return false;
	size_t len = (size_t)(colon - address);
	if (*address != '[')
		return parse_host(address, len, false, ret_host);
	return len >= 2 && address[len - 1] == ']' && parse_host(address + 1, len - 2, true, ret_host);
}

static char *
convert_unix(struct settings *settings, const char *address)
{
	const char *name = address + strlen(UNIX_PREFIX);

	if (!*name) {
		mistakes_add_string(&settings->mistakes, address, "has no path");
		return NULL;
	}
	CLEANUP_FREE char *path = config_convert_path(settings, name);
	if (strlen(path) < sizeof((struct sockaddr_un *)NULL)->sun_path)
		return xasprintf(UNIX_PREFIX "%s", path);
	mistakes_add_string(&settings->mistakes, path, "is too long for the path of a socket");
	return NULL;
}

char *
config_convert_address(struct settings *settings, const char *address)
{
	struct host host;

	if (is_unix(address))
		return convert_unix(settings, address);
	if (parse_internet(address, &host))
		return xstrdup(address);
	mistakes_add_string(&settings->mistakes, address,
		"is not an address: \"127.0.0.1:8580\", \"[::1]:8580\" or \"unix:PATH\"");
	return NULL;
}

bool
config_address_is_local(const char *address)
{
	struct host host;

	return is_unix(address) || (parse_internet(address, &host) && host.is_local);
}

bool
config_address_is_any_port(const char *address)
{
	struct host host;

	return !is_unix(address) && parse_internet(address, &host) && host.port == 0;
}
