/*
 * tls_mbed.c - tls.h by mbedTLS 2.28 or 3.6; with the other tls_mbed_*.c all that knows the library.
 *
 * What is shared between handshakes on several workers is read-only after tls_server_open(), or
 * locked by the library (ticket keys). Random bytes come from the system at each call, so there is
 * no generator to share (H79).
 */
#include "server/net/tls.h"

#include <mbedtls/ecp.h>
#include <mbedtls/error.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#if MBEDTLS_VERSION_MAJOR >= 3
#include <psa/crypto.h>
#endif
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/net/random.h"
#include "server/net/tls_mbed.h"

#define TICKET_LIFETIME_S 86400 /* the key changes after it; the one before is kept as long */

struct tls_server {
	_Atomic unsigned holds;
	mbedtls_ssl_config config;
	mbedtls_x509_crt chain;
	mbedtls_pk_context key;
	mbedtls_ssl_ticket_context tickets;
};

/* ECDHE with AEAD only; ChaCha20 first: 288 MB/s against 217 for AES-128-GCM (measured) (H68) */
static const int suites[] = {
#if MBEDTLS_VERSION_MAJOR >= 3
	MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
	MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
#endif
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	0,
};

#if MBEDTLS_VERSION_MAJOR >= 3
static const uint16_t groups[] = { MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
	MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE };
#else
static const mbedtls_ecp_group_id groups[] = { MBEDTLS_ECP_DP_CURVE25519,
	MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_NONE };
#endif

static int
tls_random(void *arg, unsigned char *out, size_t size)
{
	(void)arg;
	random_fill(out, size);
	return 0;
}

/* ---- the server's side ---- */

/* How many could not be read; negative: the library's code, none could. */
int
tls_mbed_parse(mbedtls_x509_crt *chain, struct span pem)
{
	char *text = strndup(pem.ptr, pem.len); /* the parser wants a final 0 and counts it */
	int rc;

	ENSURE(text);
	rc = mbedtls_x509_crt_parse(chain, (const unsigned char *)text, strlen(text) + 1);
	free(text);
	return rc;
}

static enum err
parse_key(mbedtls_pk_context *key, struct span pem)
{
	char *text = strndup(pem.ptr, pem.len);
	size_t size = text ? strlen(text) + 1 : 0;
	int rc;

	ENSURE(text);
#if MBEDTLS_VERSION_MAJOR >= 3
	rc = mbedtls_pk_parse_key(key, (const unsigned char *)text, size, NULL, 0, tls_random,
		NULL);
#else
	rc = mbedtls_pk_parse_key(key, (const unsigned char *)text, size, NULL, 0);
#endif
	explicit_bzero(text, size);
	free(text);
	return rc == 0 ? OK : ERR_SYNTAX;
}

static bool
key_fits(struct tls_server *v)
{
#if MBEDTLS_VERSION_MAJOR >= 3
	return mbedtls_pk_check_pair(&v->chain.pk, &v->key, tls_random, NULL) == 0;
#else
	return mbedtls_pk_check_pair(&v->chain.pk, &v->key) == 0;
#endif
}

/*
 * The library fills a table of the key's curve at the first signature. Made here, before workers
 * share the key, it is only read by them.
 */
static void
warm_key(struct tls_server *v)
{
	unsigned char hash[32] = { 1 }, signature[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
	size_t len = 0;

#if MBEDTLS_VERSION_MAJOR >= 3
	int rc = mbedtls_pk_sign(&v->key, MBEDTLS_MD_SHA256, hash, sizeof(hash), signature,
		sizeof(signature), &len, tls_random, NULL);
#else
	int rc = mbedtls_pk_sign(&v->key, MBEDTLS_MD_SHA256, hash, sizeof(hash), signature, &len,
		tls_random, NULL);
#endif
	(void)rc; /* a key that cannot sign fails each handshake, which says so */
}

void
tls_mbed_rules(mbedtls_ssl_config *config)
{
	mbedtls_ssl_conf_rng(config, tls_random, NULL);
	mbedtls_ssl_conf_ciphersuites(config, suites);
	mbedtls_ssl_conf_renegotiation(config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#if MBEDTLS_VERSION_MAJOR >= 3
	mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
	mbedtls_ssl_conf_groups(config, groups);
#else
	mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3,
		MBEDTLS_SSL_MINOR_VERSION_3); /* TLS 1.2 */
	mbedtls_ssl_conf_curves(config, groups);
#endif
}

static enum err
set_up(struct tls_server *v)
{
	if (mbedtls_ssl_config_defaults(&v->config, MBEDTLS_SSL_IS_SERVER,
		    MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0)
		return ERR_IO;
	tls_mbed_rules(&v->config);
	if (mbedtls_ssl_conf_own_cert(&v->config, &v->chain, &v->key) != 0)
		return ERR_IO;
	if (mbedtls_ssl_ticket_setup(&v->tickets, tls_random, NULL, MBEDTLS_CIPHER_AES_256_GCM,
		    TICKET_LIFETIME_S) != 0)
		return ERR_IO;
	mbedtls_ssl_conf_session_tickets_cb(&v->config, mbedtls_ssl_ticket_write,
		mbedtls_ssl_ticket_parse, &v->tickets);
	return OK;
}

enum err
tls_server_open(struct span certificate, struct span key, struct tls_server **out,
	const char **why)
{
	struct tls_server *v = calloc(1, sizeof(*v));

	ENSURE(v);
#if MBEDTLS_VERSION_MAJOR >= 3
	ENSURE(psa_crypto_init() == PSA_SUCCESS);
#endif
	v->holds = 1;
	mbedtls_ssl_config_init(&v->config);
	mbedtls_x509_crt_init(&v->chain);
	mbedtls_pk_init(&v->key);
	mbedtls_ssl_ticket_init(&v->tickets);
	*why = NULL;
	if (certificate.len == 0 || tls_mbed_parse(&v->chain, certificate) != 0)
		*why = "the certificate cannot be read";
	else if (key.len == 0 || parse_key(&v->key, key) != OK)
		*why = "the key cannot be read";
	else if (!key_fits(v))
		*why = "the key is not the certificate's";
	else if (set_up(v) != OK)
		*why = "the TLS library refuses the settings";
	if (*why) {
		tls_server_release(&v);
		return ERR_SYNTAX;
	}
	warm_key(v);
	*out = v;
	return OK;
}

struct tls_server *
tls_server_hold(struct tls_server *v)
{
	atomic_fetch_add(&v->holds, 1);
	return v;
}

void
tls_server_release(struct tls_server **vp)
{
	struct tls_server *v = *vp;

	if (!v)
		return;
	*vp = NULL;
	if (atomic_fetch_sub(&v->holds, 1) != 1)
		return;
	mbedtls_ssl_ticket_free(&v->tickets);
	mbedtls_ssl_config_free(&v->config);
	mbedtls_pk_free(&v->key);
	mbedtls_x509_crt_free(&v->chain);
	free(v);
}

int64_t
tls_server_expires(const struct tls_server *v)
{
	const mbedtls_x509_time *t = &v->chain.valid_to;
	struct tm tm = { .tm_year = t->year - 1900, .tm_mon = t->mon - 1, .tm_mday = t->day,
		.tm_hour = t->hour, .tm_min = t->min, .tm_sec = t->sec };

	return timegm(&tm);
}

/* ---- one connection ---- */

static int
wire_receive(void *arg, unsigned char *into, size_t size)
{
	struct tls *t = arg;
	struct span have = buf_span(t->wire_in);
	size_t n = have.len < size ? have.len : size;

	if (n == 0)
		return MBEDTLS_ERR_SSL_WANT_READ;
	memcpy(into, have.ptr, n);
	buf_consume(t->wire_in, n);
	return (int)n;
}

static int
wire_send(void *arg, const unsigned char *bytes, size_t size)
{
	struct tls *t = arg;

	if (buf_put(t->wire_out, (struct span){ (const char *)bytes, size }) != OK)
		return MBEDTLS_ERR_SSL_WANT_WRITE;
	return (int)size;
}

/* A connection by the rules of CONFIG, which is whose: the caller says. */
struct tls *
tls_mbed_open(const mbedtls_ssl_config *config, struct buf *wire_in, struct buf *wire_out)
{
	struct tls *t = calloc(1, sizeof(*t));

	ENSURE(t);
	t->wire_in = wire_in;
	t->wire_out = wire_out;
	mbedtls_ssl_init(&t->ssl);
	t->failure = mbedtls_ssl_setup(&t->ssl, config);
	mbedtls_ssl_set_bio(&t->ssl, t, wire_send, wire_receive, NULL);
	return t;
}

struct tls *
tls_open(struct tls_server *server, struct buf *wire_in, struct buf *wire_out)
{
	struct tls *t = tls_mbed_open(&server->config, wire_in, wire_out);

	t->server = tls_server_hold(server);
	return t;
}

void
tls_close(struct tls **tp)
{
	struct tls *t = *tp;

	if (!t)
		return;
	*tp = NULL;
	mbedtls_ssl_free(&t->ssl);
	tls_server_release(&t->server);
	tls_client_release(&t->client);
	free(t);
}

static enum tls_step
step_of(struct tls *t, int rc)
{
	if (rc >= 0)
		return TLS_DONE;
	if (rc == MBEDTLS_ERR_SSL_WANT_READ || rc == MBEDTLS_ERR_SSL_CRYPTO_IN_PROGRESS)
		return TLS_WANT_MORE;
	if (rc == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
		return TLS_CLOSED;
	t->failure = rc;
	return TLS_FAILED;
}

enum tls_step
tls_handshake(struct tls *t)
{
	enum tls_step step;

	if (t->failure != 0)
		return TLS_FAILED;
	step = step_of(t, mbedtls_ssl_handshake(&t->ssl));
	if (step != TLS_DONE || !t->verify || tls_mbed_is_trusted(t))
		return step;
	t->failure = MBEDTLS_ERR_X509_CERT_VERIFY_FAILED;
	return TLS_FAILED;
}

enum tls_step
tls_read(struct tls *t, char *into, size_t size, size_t *got)
{
	int rc = mbedtls_ssl_read(&t->ssl, (unsigned char *)into, size);

	*got = rc > 0 ? (size_t)rc : 0;
	return rc == 0 ? TLS_CLOSED : step_of(t, rc);
}

enum tls_step
tls_write(struct tls *t, struct span bytes)
{
	while (bytes.len > 0) {
		int rc = mbedtls_ssl_write(&t->ssl, (const unsigned char *)bytes.ptr, bytes.len);

		if (rc <= 0) {
			t->failure = rc;
			return TLS_FAILED; /* the wire buffer has room by its owner's promise */
		}
		bytes = span_from(bytes, (size_t)rc);
	}
	return TLS_DONE;
}

void
tls_close_notify(struct tls *t)
{
	int rc = mbedtls_ssl_close_notify(&t->ssl);

	if (rc != 0)
		t->failure = rc;
}

const char *
tls_failure(const struct tls *t, char *text, size_t size)
{
	mbedtls_strerror(t->failure, text, size);
	return text;
}

const char *
tls_version(const struct tls *t)
{
	return mbedtls_ssl_get_version(&t->ssl);
}

const char *
tls_cipher(const struct tls *t)
{
	return mbedtls_ssl_get_ciphersuite(&t->ssl);
}

const char *
tls_library(void)
{
	return MBEDTLS_VERSION_STRING_FULL;
}
