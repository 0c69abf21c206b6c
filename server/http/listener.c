/* Listeners: addresses and sockets, and accepting through evhttp. */
#include "http/listener.h"

#include "common/log.h"
#include "common/text.h"
#include "http/connection/tls.h"
#include "http/transport/dispatch.h"
#include "http/transport/evhttp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 4096

/* How long accepting pauses when the kernel has no descriptor or memory to give. */
#define ACCEPT_PAUSE_MS 100

/* Every listener of the process, because evhttp leaves an accept's error callback no argument but itself. */
static struct list all_listeners = LIST_INIT(all_listeners);

union address {
	struct sockaddr any;
	struct sockaddr_in ip4;
	struct sockaddr_in6 ip6;
	struct sockaddr_un local;
};

static int
parse_unix(const char *path, union address *ret_address, socklen_t *ret_len)
{
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof ret_address->local.sun_path)
		return -EINVAL;
	memset(ret_address, 0, sizeof *ret_address);
	ret_address->local.sun_family = AF_UNIX;
	memcpy(ret_address->local.sun_path, path, len + 1);
	*ret_len = sizeof ret_address->local;
	return 0;
}

static int
parse_tcp(const char *text, union address *ret_address, socklen_t *ret_len)
{
	const char *colon = strrchr(text, ':');
	char host[64];
	uint64_t port;

	if (!colon || text_parse_uint(colon + 1, strlen(colon + 1), 65535, &port) < 0)
		return -EINVAL;
	size_t len = (size_t)(colon - text);
	bool bracketed = len > 2 && text[0] == '[' && text[len - 1] == ']';
	if (bracketed) {
		text++;
		len -= 2;
	}
	if (len >= sizeof host)
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	memset(ret_address, 0, sizeof *ret_address);
	if (bracketed && inet_pton(AF_INET6, host, &ret_address->ip6.sin6_addr) == 1) {
		ret_address->ip6.sin6_family = AF_INET6;
		ret_address->ip6.sin6_port = htons((uint16_t)port);
		*ret_len = sizeof ret_address->ip6;
		return 0;
	}
	if (!bracketed && inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host,
				  &ret_address->ip4.sin_addr) == 1) {
		ret_address->ip4.sin_family = AF_INET;
		ret_address->ip4.sin_port = htons((uint16_t)port);
		*ret_len = sizeof ret_address->ip4;
		return 0;
	}
	return -EINVAL;
}

char *
http_listener_fd_address(int fd)
{
	union address address;
	socklen_t len = sizeof address;
	char host[INET6_ADDRSTRLEN];

	memset(&address, 0, sizeof address);
	if (getsockname(fd, &address.any, &len) < 0)
		return xstrdup("?");
	if (address.any.sa_family == AF_UNIX)
		return xasprintf("unix:%s", address.local.sun_path);
	if (address.any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &address.ip6.sin6_addr, host, sizeof host);
		return xasprintf("[%s]:%u", host, ntohs(address.ip6.sin6_port));
	}
	inet_ntop(AF_INET, &address.ip4.sin_addr, host, sizeof host);
	return xasprintf("%s:%u", host, ntohs(address.ip4.sin_port));
}

/* Removes a socket file that nobody listens on any more; -EADDRINUSE if somebody does. */
static int
remove_stale_socket(const union address *address, socklen_t len)
{
	struct stat status;
	int rc = 0;

	if (lstat(address->local.sun_path, &status) < 0 || !S_ISSOCK(status.st_mode))
		return 0;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, &address->any, len) == 0 || errno == EAGAIN)
		rc = -EADDRINUSE;
	else if (unlink(address->local.sun_path) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

/* A bound, listening, non-blocking socket, or -errno. */
static int
open_socket(const union address *address, socklen_t len)
{
	int family = address->any.sa_family, one = 1;

	if (family == AF_UNIX) {
		int rc = remove_stale_socket(address, len);
		if (rc < 0)
			return rc;
	}
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (family != AF_UNIX) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
		/* Accepted sockets inherit it; without it TLS is forty times slower. */
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	}
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if (bind(fd, &address->any, len) < 0 || listen(fd, BACKLOG) < 0) {
		int error = errno;
		close(fd);
		return -error;
	}
	return fd;
}

static struct http_listener *
listener_of(const struct evhttp *evhttp)
{
	list_for_each(node, &all_listeners) {
		struct http_listener *listener = container_of(node, struct http_listener, all);
		if (listener->evhttp == evhttp)
			return listener;
	}
	return NULL;
}

static void
on_accept_error(struct evconnlistener *socket, void *arg)
{
	const char *error = strerrorname_np(errno);
	struct http_listener *listener = listener_of(arg);

	if (!listener)
		return;
	log_warning("accepting paused", "error=%s", error ? error : "unknown");
	evconnlistener_disable(socket);
	timer_start(listener->owner->dispatch->connections.timers, &listener->pause, ACCEPT_PAUSE_MS);
}

static void
on_pause_over(struct timer *timer)
{
	struct http_listener *listener = container_of(timer, struct http_listener, pause);

	if (listener->socket && !listener->owner->is_full)
		evconnlistener_enable(listener->socket);
}

void
http_listener_pause(struct http_listener *listener)
{
	if (listener->socket)
		evconnlistener_disable(listener->socket);
}

void
http_listener_resume(struct http_listener *listener)
{
	if (listener->socket && !timer_is_running(&listener->pause))
		evconnlistener_enable(listener->socket);
}

static struct bufferevent *
on_bufferevent_wanted(struct event_base *base, void *arg)
{
	struct http_listener *listener = arg;
	struct ssl_ctx_st *tls = listener->door.tls;
	struct bufferevent *bev = tls ? tls_bufferevent_new(tls, base) : bufferevent_socket_new(base, -1, 0);

	if (bev)
		listener->owner->on_accept(listener->owner, &listener->door, bev);
	return bev;
}

static struct evhttp *
new_evhttp(struct http_listener *listener)
{
	struct evhttp *evhttp = evhttp_new(listener->owner->dispatch->connections.base);

	if (!evhttp)
		return NULL;
	/* The guard's limits (config's max_header is far below) are always reached first. */
	evhttp_set_max_headers_size(evhttp, 1 << 20);
	evhttp_set_default_content_type(evhttp, NULL);
	evhttp_set_allowed_methods(evhttp, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
						   EVHTTP_REQ_PUT | EVHTTP_REQ_PATCH | EVHTTP_REQ_DELETE |
						   EVHTTP_REQ_OPTIONS);
	evhttp_set_gencb(evhttp, http_evhttp_begin, listener->owner->dispatch);
	evhttp_set_bevcb(evhttp, on_bufferevent_wanted, listener);
	return evhttp;
}

/* An option of socket fd, or -errno. */
static int
socket_option(int fd, int name)
{
	int value = 0;
	socklen_t len = sizeof value;

	return getsockopt(fd, SOL_SOCKET, name, &value, &len) < 0 ? -errno : value;
}

/* The family of a listening socket, or -errno; -EINVAL if it does not listen. */
static int
family_of(int fd)
{
	int listens = socket_option(fd, SO_ACCEPTCONN);

	if (listens < 0)
		return listens;
	return listens ? socket_option(fd, SO_DOMAIN) : -EINVAL;
}

int
http_listener_new_fd(struct listener_owner *owner, int fd, struct ssl_ctx_st *tls,
	struct http_listener **ret_listener, char **ret_address)
{
	int family = family_of(fd);

	if (family < 0)
		return family;
	struct http_listener *listener = xcalloc(1, sizeof *listener);
	listener->owner = owner;
	listener->door.is_unix = family == AF_UNIX;
	timer_init(&listener->pause, on_pause_over);
	list_init(&listener->link);
	list_add_tail(&all_listeners, &listener->all);
	listener->evhttp = new_evhttp(listener);
	listener->socket = evconnlistener_new(owner->dispatch->connections.base, NULL, NULL,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!listener->evhttp || !listener->socket)
		abort();
	evconnlistener_set_error_cb(listener->socket, on_accept_error);
	listener->bound = evhttp_bind_listener(listener->evhttp, listener->socket);
	if (!listener->bound)
		abort();
	listener->door.tls = tls ? tls_ref(tls) : NULL;
	listener->address = http_listener_fd_address(fd);
	*ret_address = xstrdup(listener->address);
	*ret_listener = listener;
	return 0;
}

int
http_listener_new(struct listener_owner *owner, const char *address, struct ssl_ctx_st *tls,
	struct http_listener **ret_listener, char **ret_address)
{
	union address where;
	socklen_t len = 0;
	bool is_unix = strncmp(address, "unix:", 5) == 0;

	int rc = is_unix ? parse_unix(address + 5, &where, &len) : parse_tcp(address, &where, &len);
	if (rc < 0)
		return rc;
	int fd = open_socket(&where, len);
	if (fd < 0)
		return fd;
	rc = http_listener_new_fd(owner, fd, tls, ret_listener, ret_address);
	if (rc < 0)
		return rc;
	free((*ret_listener)->address);
	(*ret_listener)->address = xstrdup(address);
	if (is_unix)
		(*ret_listener)->unlink_path = xstrdup(address + 5);
	return 0;
}

void
http_listener_set_tls(struct http_listener *listener, struct ssl_ctx_st *tls)
{
	tls_unref(listener->door.tls);
	listener->door.tls = tls_ref(tls);
}

void
http_listener_stop(struct http_listener *listener)
{
	timer_stop(&listener->pause);
	if (listener->socket)
		evhttp_del_accept_socket(listener->evhttp, listener->bound);
	listener->socket = NULL;
	listener->bound = NULL;
	if (listener->unlink_path)
		unlink(listener->unlink_path);
	free(listener->unlink_path);
	listener->unlink_path = NULL;
}

void
http_listener_free(struct http_listener *listener)
{
	http_listener_stop(listener);
	list_remove(&listener->link);
	list_remove(&listener->all);
	evhttp_free(listener->evhttp);
	tls_unref(listener->door.tls);
	free(listener->address);
	free(listener);
}
