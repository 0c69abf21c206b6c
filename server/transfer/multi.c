/*
 * One thread's libcurl multi handle.
 *
 * libcurl is called only for sockets that are ready and for times that it has asked for: a pass costs what
 * happens in it, not the number of connections.
 */
#include "transfer/multi.h"

#include "common/clock.h"
#include "common/text.h"

#include <errno.h>
#include <stdlib.h>

struct transfer_multi {
	CURLM *curl;
	struct transfer_sockets sockets;
	int64_t due_ms;	     /* when libcurl wants to be called; INT64_MAX: it does not, 0: at once */
	unsigned most;	     /* connections and idle handles */
	struct list handles; /* struct transfer_handle, idle */
	unsigned handle_count;
};

static int
on_timer(CURLM *curl, long after_ms, void *arg)
{
	struct transfer_multi *multi = arg;

	if (after_ms > 0)
		multi->due_ms = clock_mono_ms() + after_ms;
	else
		multi->due_ms = after_ms < 0 ? INT64_MAX : 0;
	return 0;
}

static int
on_want(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct transfer_multi *multi = arg;
	uint32_t events = what == CURL_POLL_IN	    ? EPOLLIN
			  : what == CURL_POLL_OUT   ? EPOLLOUT
			  : what == CURL_POLL_INOUT ? EPOLLIN | EPOLLOUT
						    : 0;

	transfer_sockets_want(&multi->sockets, fd, events);
	return 0;
}

static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer_multi *multi = arg;
	int fd =
		transfer_sockets_open(&multi->sockets, address->family, address->socktype, address->protocol);

	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int
on_close(void *arg, curl_socket_t fd)
{
	struct transfer_multi *multi = arg;

	return transfer_sockets_close(&multi->sockets, fd);
}

static void
on_ready(void *arg, int fd, uint32_t events)
{
	struct transfer_multi *multi = arg;
	int running;

	curl_multi_socket_action(multi->curl, fd,
		(events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0),
		&running);
}

/* One transfer at a time per connection, also in HTTP/2: a broken connection then fails one call only, and
 * closing it makes the server give up the call (this libcurl leaves an abandoned stream open). */
static CURLM *
make_curl(struct transfer_multi *multi)
{
	CURLM *curl = curl_multi_init();

	if (!curl)
		return NULL;
	curl_multi_setopt(curl, CURLMOPT_MAXCONNECTS, (long)multi->most);
	curl_multi_setopt(curl, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	curl_multi_setopt(curl, CURLMOPT_SOCKETFUNCTION, on_want);
	curl_multi_setopt(curl, CURLMOPT_SOCKETDATA, multi);
	curl_multi_setopt(curl, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(curl, CURLMOPT_TIMERDATA, multi);
	return curl;
}

static void
free_handles(struct transfer_multi *multi)
{
	while (!list_is_empty(&multi->handles)) {
		struct transfer_handle *handle =
			container_of(multi->handles.next, struct transfer_handle, link);
		list_remove(&handle->link);
		transfer_handle_free(handle);
	}
	multi->handle_count = 0;
}

int
transfer_multi_new(unsigned most, struct transfer_multi **ret_multi)
{
	struct transfer_multi *multi = xcalloc(1, sizeof *multi);

	multi->most = most;
	multi->due_ms = INT64_MAX;
	list_init(&multi->handles);
	transfer_handle_init_library();
	int rc = transfer_sockets_init(&multi->sockets);
	if (rc == 0 && !(multi->curl = make_curl(multi)))
		rc = -ENOMEM;
	if (rc < 0) {
		transfer_multi_free(multi);
		return rc;
	}
	*ret_multi = multi;
	return 0;
}

void
transfer_multi_free(struct transfer_multi *multi)
{
	if (!multi)
		return;
	free_handles(multi);
	if (multi->curl)
		curl_multi_cleanup(multi->curl);
	transfer_sockets_fini(&multi->sockets);
	free(multi);
}

bool
transfer_multi_is_stale(const struct transfer_multi *multi)
{
	return transfer_sockets_are_gone(&multi->sockets);
}

void
transfer_multi_forget(struct transfer_multi *multi)
{
	CURLM *curl = multi->handle_count > 0 ? make_curl(multi) : NULL;

	if (!curl)
		return;
	free_handles(multi);
	curl_multi_cleanup(multi->curl);
	multi->curl = curl;
	multi->due_ms = INT64_MAX;
}

/* Returns an idle handle, if possible one last used for the same peer; NULL: there is none. */
static struct transfer_handle *
find_handle(struct transfer_multi *multi, const struct transfer_peer *peer)
{
	struct transfer_handle *handle = NULL;

	list_for_each(node, &multi->handles) {
		handle = container_of(node, struct transfer_handle, link);
		if (handle->peer == peer->number)
			break;
	}
	return handle;
}

struct transfer_handle *
transfer_multi_take_handle(struct transfer_multi *multi, const struct transfer_peer *peer)
{
	struct transfer_handle *handle = find_handle(multi, peer);

	if (handle) {
		list_remove(&handle->link);
		multi->handle_count--;
	} else if (!(handle = transfer_handle_new())) {
		return NULL;
	}
	if (transfer_handle_set_peer(handle, peer)) {
		curl_easy_setopt(handle->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
		curl_easy_setopt(handle->easy, CURLOPT_OPENSOCKETDATA, multi);
		curl_easy_setopt(handle->easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
		curl_easy_setopt(handle->easy, CURLOPT_CLOSESOCKETDATA, multi);
	}
	return handle;
}

void
transfer_multi_give_handle(struct transfer_multi *multi, struct transfer_handle *handle)
{
	if (multi->handle_count == multi->most) {
		transfer_handle_free(handle);
		return;
	}
	list_add_head(&multi->handles, &handle->link);
	multi->handle_count++;
}

bool
transfer_multi_add(struct transfer_multi *multi, struct transfer_handle *handle)
{
	return curl_multi_add_handle(multi->curl, handle->easy) == CURLM_OK;
}

void
transfer_multi_abort(struct transfer_multi *multi, struct transfer_handle *handle)
{
	curl_easy_setopt(handle->easy, CURLOPT_FORBID_REUSE, 1L);
	curl_multi_remove_handle(multi->curl, handle->easy);
	curl_easy_setopt(handle->easy, CURLOPT_FORBID_REUSE, 0L);
}

void
transfer_multi_go_on(struct transfer_multi *multi)
{
	int running;

	if (multi->due_ms > 0 && (multi->due_ms == INT64_MAX || multi->due_ms > clock_mono_ms()))
		return;
	multi->due_ms = INT64_MAX;
	curl_multi_socket_action(multi->curl, CURL_SOCKET_TIMEOUT, 0, &running);
}

struct transfer_handle *
transfer_multi_next_ended(struct transfer_multi *multi, CURLcode *ret_code)
{
	CURLMsg *message;
	int left;

	do
		message = curl_multi_info_read(multi->curl, &left);
	while (message && message->msg != CURLMSG_DONE);
	if (!message)
		return NULL;
	CURLcode code = message->data.result;
	CURL *easy = message->easy_handle;
	curl_multi_remove_handle(multi->curl, easy);
	*ret_code = code;
	return transfer_handle_of(easy);
}

unsigned
transfer_multi_wait(struct transfer_multi *multi, int64_t most_ms)
{
	int64_t left_ms = multi->due_ms;

	if (left_ms != 0 && left_ms != INT64_MAX)
		left_ms -= clock_mono_ms();
	if (most_ms > left_ms)
		most_ms = left_ms > 0 ? left_ms : 0;
	return transfer_sockets_wait(&multi->sockets, most_ms, on_ready, multi);
}

void
transfer_multi_wake(struct transfer_multi *multi)
{
	transfer_sockets_wake(&multi->sockets);
}
