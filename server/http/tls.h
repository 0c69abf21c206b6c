/*
 * TLS 1.2 and 1.3 for a listener: certificate, key and, where clients may show certificates, the authorities
 * that theirs lead to.  What was made stays as it is; new certificates are a new one, which new connections
 * get.  Loop thread only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct bufferevent;
struct event_base;
struct ssl_ctx_st;

/*
 * Reads the files (PEM) and checks that certificate and key belong together.  client_ca NULL: clients are
 * asked for no certificate.  -EINVAL and in *ret_why, for the caller to free, which file is wrong and how.
 */
__attribute__((warn_unused_result)) int tls_new(const char *certificate, const char *key,
	const char *client_ca, struct ssl_ctx_st **ret_tls, char **ret_why);
struct ssl_ctx_st *tls_ref(struct ssl_ctx_st *tls);
void tls_unref(struct ssl_ctx_st *tls); /* NULL is allowed */

/* Whether clients are asked for certificates. */
bool tls_asks_clients(const struct ssl_ctx_st *tls);

/* A bufferevent for a connection that is to be accepted; NULL when memory is out. */
struct bufferevent *tls_bufferevent_new(struct ssl_ctx_st *tls, struct event_base *base);

/* The common name in the subject of the client's certificate, for the caller to free; NULL: it has shown
 * none, or that has no one good name. */
char *tls_client_name(struct bufferevent *bev);

/*
 * Writes to a connection whose output buffer is empty, past that buffer.  Answers how many bytes went; the
 * rest, from there on and in one piece, is to be added to the buffer next.
 */
size_t tls_write(struct bufferevent *bev, const char *data, size_t len);

/* Tells the client that nothing more comes, if it can be told at once. */
void tls_say_goodbye(struct bufferevent *bev);
