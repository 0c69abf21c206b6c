/* libcurl's easy handles, and what all of them share. */
#include "transfer/handle.h"

#include "common/text.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A certificate file is read again when its last reading is older than this, in seconds. */
#define CERTIFICATES_FRESH_S 60L

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLSH *share;
static pthread_mutex_t share_locks[CURL_LOCK_DATA_LAST];

static void
lock_share(CURL *easy, curl_lock_data data, curl_lock_access access, void *arg)
{
	pthread_mutex_lock(&share_locks[data]);
}

static void
unlock_share(CURL *easy, curl_lock_data data, void *arg)
{
	pthread_mutex_unlock(&share_locks[data]);
}

/* Called once per process; the share is never freed. */
static void
make_shared(void)
{
	for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
		pthread_mutex_init(&share_locks[i], NULL);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(share = curl_share_init()))
		abort();
	curl_share_setopt(share, CURLSHOPT_LOCKFUNC, lock_share);
	curl_share_setopt(share, CURLSHOPT_UNLOCKFUNC, unlock_share);
	curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
	curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
}

void
transfer_handle_init_library(void)
{
	pthread_once(&once, make_shared);
}

uint64_t
transfer_peer_number(void)
{
	static _Atomic uint64_t last;

	return atomic_fetch_add(&last, 1) + 1;
}

struct transfer_handle *
transfer_handle_new(void)
{
	transfer_handle_init_library();
	CURL *easy = curl_easy_init();

	if (!easy)
		return NULL;
	struct transfer_handle *handle = xcalloc(1, sizeof *handle);
	handle->easy = easy;
	list_init(&handle->link);
	return handle;
}

void
transfer_handle_free(struct transfer_handle *handle)
{
	curl_easy_cleanup(handle->easy);
	curl_url_cleanup(handle->url);
	free(handle);
}

struct transfer_handle *
transfer_handle_of(CURL *easy)
{
	char *private = NULL;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
	return (struct transfer_handle *)(void *)private;
}

/* Switches off what libcurl would do by itself: redirects, proxies, decoding, signals, other protocols. */
static void
set_manners(struct transfer_handle *handle)
{
	CURL *easy = handle->easy;

	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_SHARE, share);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, handle->reason);
	curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, CERTIFICATES_FRESH_S);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, handle);
}

/* The origin is parsed once per peer, not for each exchange. */
static void
set_origin(struct transfer_handle *handle, const char *origin)
{
	curl_url_cleanup(handle->url);
	handle->url = curl_url();
	if (!handle->url || curl_url_set(handle->url, CURLUPART_URL, origin, 0) != CURLUE_OK)
		abort();
	curl_easy_setopt(handle->easy, CURLOPT_CURLU, handle->url);
}

/* Whether the host of a parsed origin is an IP address, which needs no name lookup. */
static bool
is_address(CURLU *origin)
{
	char *host = NULL;
	struct in_addr address;

	if (curl_url_get(origin, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		return false;
	bool is = *host == '[' || inet_pton(AF_INET, host, &address) == 1;
	curl_free(host);
	return is;
}

/* Without names to look up, libcurl need not search its cache for old ones after each exchange. */
static void
set_names(struct transfer_handle *handle)
{
	if (is_address(handle->url))
		curl_easy_setopt(handle->easy, CURLOPT_DNS_CACHE_TIMEOUT, -1L);
}

/* An https peer without a ca_file keeps libcurl's default, the certificates that the system trusts.  A plain
 * http peer has none: libcurl would copy the file names for each exchange. */
static void
set_certificates(CURL *easy, const struct transfer_peer *peer)
{
	if (!peer->ca_file && strncmp(peer->origin, "https:", 6) == 0)
		return;
	curl_easy_setopt(easy, CURLOPT_CAINFO, peer->ca_file);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
}

bool
transfer_handle_set_peer(struct transfer_handle *handle, const struct transfer_peer *peer)
{
	CURL *easy = handle->easy;

	if (handle->peer == peer->number)
		return false;
	if (handle->peer != 0)
		curl_easy_reset(easy);
	handle->peer = peer->number;
	handle->has_callbacks = false;
	*handle->method = '\0';
	set_manners(handle);
	set_certificates(easy, peer);
	set_origin(handle, peer->origin);
	set_names(handle);
	/* Without a limit of ours libcurl has one: an operation may run for hours, but connecting ends with it. */
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)peer->connect_timeout_ms);
	return true;
}
