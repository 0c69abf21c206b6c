/* A thread's handles: see transfer_thread.h. */
#include "work/transfer_thread.h"

#include "common/text.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

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
	return thread;
}

struct transfer_thread *
transfer_thread_get(void)
{
	pthread_once(&once, make_shared);
	struct transfer_thread *thread = pthread_getspecific(key);
	return thread ? thread : make_thread();
}

CURLSH *
transfer_thread_share(void)
{
	pthread_once(&once, make_shared);
	return share;
}
