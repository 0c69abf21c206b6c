/* TLS for listeners, with OpenSSL: the settings of a context, the reading of its files, one connection. */
#include "http/tls.h"

#include "common/id.h"
#include "common/text.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

/* For TLS 1.2: ciphers with forward secrecy and authenticated encryption. */
#define CIPHERS \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define GROUPS "X25519:P-256:P-384"

/* How long a session can be resumed. */
#define SESSION_S 3600

/* Takes the mistake in a file from OpenSSL. */
static int
fail(const char *file, const char *what, char **ret_why)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	*ret_why = reason ? xasprintf("%s: %s: %s", file, what, reason) : xasprintf("%s: %s", file, what);
	ERR_clear_error();
	return -EINVAL;
}

/* We speak HTTP/1.1 only, and a client that offers other protocols only is refused (RFC 7301). */
static int
on_alpn(SSL *ssl, const unsigned char **ret_chosen, unsigned char *ret_len, const unsigned char *offered,
	unsigned offered_len, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, ret_len, ours, sizeof ours - 1, offered, offered_len) !=
		OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*ret_chosen = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static int
no_password(char *buffer, int size, int for_writing, void *arg)
{
	(void)buffer;
	(void)size;
	(void)for_writing;
	(void)arg;
	return 0; /* else OpenSSL asks on the terminal */
}

static void
set_up(SSL_CTX *tls)
{
	uint8_t context[16];

	SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
	SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
	if (SSL_CTX_set_cipher_list(tls, CIPHERS) != 1 || SSL_CTX_set1_groups_list(tls, GROUPS) != 1)
		abort();
	/* Sessions are kept by the clients, in tickets under keys of this context alone. */
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_timeout(tls, SESSION_S);
	random_bytes(context, sizeof context);
	SSL_CTX_set_session_id_context(tls, context, sizeof context);
	SSL_CTX_set_alpn_select_cb(tls, on_alpn, NULL);
	SSL_CTX_set_default_passwd_cb(tls, no_password);
}

static int
load(SSL_CTX *tls, const char *certificate, const char *key, const char *client_ca, char **ret_why)
{
	if (SSL_CTX_use_certificate_chain_file(tls, certificate) != 1)
		return fail(certificate, "is no certificate that can be used", ret_why);
	if (SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1) {
		/* OpenSSL compares the key with the certificate while it loads it. */
		bool other = ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_X509;
		return fail(key, other ? "is not the key of the certificate" : "is no key that can be used",
			ret_why);
	}
	if (SSL_CTX_check_private_key(tls) != 1)
		return fail(key, "is not the key of the certificate", ret_why);
	if (!client_ca)
		return 0;
	STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(client_ca);
	if (!names || SSL_CTX_load_verify_file(tls, client_ca) != 1) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return fail(client_ca, "holds no certificates that can be used", ret_why);
	}
	SSL_CTX_set_client_CA_list(tls, names);
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_verify_depth(tls, 5);
	return 0;
}

int
tls_new(const char *certificate, const char *key, const char *client_ca, SSL_CTX **ret_tls, char **ret_why)
{
	ERR_clear_error();
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

	if (!tls)
		abort();
	set_up(tls);
	int rc = load(tls, certificate, key, client_ca, ret_why);
	if (rc < 0)
		SSL_CTX_free(tls);
	else
		*ret_tls = tls;
	return rc;
}

SSL_CTX *
tls_ref(SSL_CTX *tls)
{
	SSL_CTX_up_ref(tls);
	return tls;
}

void
tls_unref(SSL_CTX *tls)
{
	SSL_CTX_free(tls);
}

bool
tls_asks_clients(const SSL_CTX *tls)
{
	return SSL_CTX_get_verify_mode(tls) != SSL_VERIFY_NONE;
}

struct bufferevent *
tls_bufferevent_new(SSL_CTX *tls, struct event_base *base)
{
	SSL *ssl = SSL_new(tls);

	if (!ssl)
		return NULL;
	struct bufferevent *bev = bufferevent_openssl_socket_new(
		base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (!bev)
		SSL_free(ssl);
	return bev;
}

char *
tls_client_name(struct bufferevent *bev, size_t *ret_len)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);
	X509 *certificate = ssl ? SSL_get0_peer_certificate(ssl) : NULL;
	unsigned char *name = NULL;

	if (!certificate || SSL_get_verify_result(ssl) != X509_V_OK)
		return NULL;
	X509_NAME *subject = X509_get_subject_name(certificate);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
		return NULL;
	int len = ASN1_STRING_to_UTF8(&name, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	if (len < 0)
		return NULL;
	char *copy = xcalloc((size_t)len + 1, 1);
	memcpy(copy, name, (size_t)len);
	OPENSSL_free(name);
	*ret_len = (size_t)len;
	return copy;
}

/* If the write would block, the bufferevent makes it again with the same bytes at another place, which libevent
 * has allowed (SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER). */
size_t
tls_write(struct bufferevent *bev, const char *data, size_t len)
{
	size_t written = 0;
	int rc = SSL_write_ex(bufferevent_openssl_get_ssl(bev), data, len, &written);

	if (rc != 1)
		ERR_clear_error();
	return rc == 1 ? written : 0;
}

void
tls_say_goodbye(struct bufferevent *bev)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);

	if (ssl && SSL_is_init_finished(ssl))
		SSL_shutdown(ssl);
	ERR_clear_error();
}
