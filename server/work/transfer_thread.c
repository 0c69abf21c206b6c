/* A thread's handles: see transfer_thread.h. */
#include "work/transfer_thread.h"

#include "common/text.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Connections that a thread keeps. */
#define CONNECTIONS_MAX 4L

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
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

static void
free_thread(void *arg)
{
	struct transfer_thread *thread = arg;

	curl_easy_cleanup(thread->easy);
	curl_multi_cleanup(thread->multi);
	free(thread->ca_file);
	free(thread);
}

/* Once a process; what is made here stays. */
static void
make_shared(void)
{
	int rc = pthread_key_create(&key, free_thread);

	assert(rc == 0);
	for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
		pthread_mutex_init(&share_locks[i], NULL);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(share = curl_share_init()))
		abort();
	curl_share_setopt(share, CURLSHOPT_LOCKFUNC, lock_share);
	curl_share_setopt(share, CURLSHOPT_UNLOCKFUNC, unlock_share);
	curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
	curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
}

/* Nothing but what was asked for: no redirects, proxies, decoding, signals or other protocols. */
static void
set_manners(struct transfer_thread *thread)
{
	CURL *easy = thread->easy;

	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_SHARE, share);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, thread->reason);
	if (thread->ca_file) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, thread->ca_file);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
}

static struct transfer_thread *
make_thread(void)
{
	struct transfer_thread *thread = xcalloc(1, sizeof *thread);

	thread->multi = curl_multi_init();
	thread->easy = curl_easy_init();
	if (!thread->multi || !thread->easy || pthread_setspecific(key, thread) != 0) {
		free_thread(thread);
		return NULL;
	}
	curl_multi_setopt(thread->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_MAX);
	set_manners(thread);
	return thread;
}

/* Which certificates the system trusts only a handle knows that was not told otherwise. */
static void
trust(struct transfer_thread *thread, const char *ca_file)
{
	if (ca_file ? thread->ca_file && strcmp(thread->ca_file, ca_file) == 0 : !thread->ca_file)
		return;
	free(thread->ca_file);
	thread->ca_file = xstrdup(ca_file);
	curl_easy_reset(thread->easy);
	set_manners(thread);
}

struct transfer_thread *
transfer_thread_get(const char *ca_file)
{
	pthread_once(&once, make_shared);
	struct transfer_thread *thread = pthread_getspecific(key);
	if (!thread)
		thread = make_thread();
	if (thread)
		trust(thread, ca_file);
	return thread;
}
