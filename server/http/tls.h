/*
 * TLS 1.2 and 1.3 for a listener: certificate, key and, where clients may show certificates, the authorities
 * that these must lead to.  A context never changes: new certificates make a new context, for new connections.
 * Loop thread only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct bufferevent;
struct event_base;
struct ssl_ctx_st;

/*
 * Reads the files (PEM) and checks that certificate and key belong together.  client_ca NULL: clients are not
 * asked for certificates.  -EINVAL and in *ret_why, for the caller to free, which file is wrong and how.
 */
__attribute__((warn_unused_result)) int tls_new(const char *certificate, const char *key,
	const char *client_ca, struct ssl_ctx_st **ret_tls, char **ret_why);
struct ssl_ctx_st *tls_ref(struct ssl_ctx_st *tls);
void tls_unref(struct ssl_ctx_st *tls); /* NULL is allowed */

/* Whether clients are asked for certificates. */
bool tls_asks_clients(const struct ssl_ctx_st *tls);

/* A bufferevent for a connection that is about to be accepted; NULL when memory is out. */
struct bufferevent *tls_bufferevent_new(struct ssl_ctx_st *tls, struct event_base *base);

/* The one common name in the subject of the client's certificate as UTF-8, in *ret_len bytes and a NUL, for the
 * caller to free; not checked otherwise.  NULL: the client has shown no certificate, or one without such a
 * name. */
char *tls_client_name(struct bufferevent *bev, size_t *ret_len);

/*
 * Writes to a connection whose output buffer is empty, past that buffer.  Returns how many bytes were written;
 * the caller adds the rest to the buffer next, in one piece.
 */
size_t tls_write(struct bufferevent *bev, const char *data, size_t len);

/* Sends close_notify, if that can be sent at once. */
void tls_say_goodbye(struct bufferevent *bev);
