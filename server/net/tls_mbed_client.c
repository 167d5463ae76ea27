/*
 * tls_mbed_client.c - the client's side: roots, names, and what is wrong with a certificate.
 *
 * The library only looks, and we decide: so an opportunistic session can say why it is not verified. The
 * name is always set: without it mbedTLS 2.28.3 takes any valid certificate (CVE-2025-27809, H68). It
 * knows host names only; a server that was named by its address is compared here.
 */
#include <mbedtls/version.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if MBEDTLS_VERSION_MAJOR >= 3
#include <psa/crypto.h>
#endif

#include "server/net/tls_mbed.h"

#define NAME_MAX_SIZE 256 /* bytes of a host name and its 0 */
/* [7] iPAddress of a GeneralName (RFC 5280, 4.2.1.6) */
#define SAN_IP_ADDRESS (MBEDTLS_ASN1_CONTEXT_SPECIFIC | 7)

struct tls_client {
	_Atomic unsigned holds;
	mbedtls_ssl_config config;
	mbedtls_x509_crt roots;
};

static size_t
count_roots(const mbedtls_x509_crt *roots)
{
	size_t count = 0;

	for (; roots && roots->raw.len > 0; roots = roots->next)
		count++;
	return count;
}

struct tls_client *
tls_client_open(struct span roots, size_t *count)
{
	struct tls_client *c = calloc(1, sizeof(*c));

	ENSURE(c);
#if MBEDTLS_VERSION_MAJOR >= 3
	ENSURE(psa_crypto_init() == PSA_SUCCESS);
#endif
	c->holds = 1;
	mbedtls_ssl_config_init(&c->config);
	mbedtls_x509_crt_init(&c->roots);
	if (roots.len > 0)
		(void)tls_mbed_parse(&c->roots, roots); /* those it cannot read are passed over */
	*count = count_roots(&c->roots);
	ENSURE(mbedtls_ssl_config_defaults(&c->config, MBEDTLS_SSL_IS_CLIENT,
		       MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) == 0);
	tls_mbed_rules(&c->config);
	mbedtls_ssl_conf_authmode(&c->config, MBEDTLS_SSL_VERIFY_OPTIONAL);
	mbedtls_ssl_conf_ca_chain(&c->config, &c->roots, NULL);
	return c;
}

struct tls_client *
tls_client_hold(struct tls_client *c)
{
	atomic_fetch_add(&c->holds, 1);
	return c;
}

void
tls_client_release(struct tls_client **cp)
{
	struct tls_client *c = *cp;

	if (!c)
		return;
	*cp = NULL;
	if (atomic_fetch_sub(&c->holds, 1) != 1)
		return;
	mbedtls_ssl_config_free(&c->config);
	mbedtls_x509_crt_free(&c->roots);
	free(c);
}

/*
 * Is CERTIFICATE for the address that was called? Only an iPAddress says so, byte by byte (RFC 9110,
 * 4.3.5): neither the common name nor a dNSName that is spelled like an address.
 */
static bool
names_address(const mbedtls_x509_crt *certificate, const struct tls *t)
{
	const mbedtls_x509_sequence *at = &certificate->subject_alt_names;
	const unsigned char *ip = t->address.ip;

	for (; at && at->buf.p; at = at->next) {
		if (at->buf.tag != SAN_IP_ADDRESS)
			continue;
		if (at->buf.len == 4 && dial_address_is_ipv4(&t->address) && memcmp(at->buf.p, ip + 12, 4) == 0)
			return true;
		if (at->buf.len == 16 && memcmp(at->buf.p, ip, 16) == 0)
			return true;
	}
	return false;
}

/* The library looked at each certificate of the chain; DEPTH 0 is the server's own. */
static int
look_at_address(void *arg, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
	if (depth == 0 && !names_address(certificate, arg))
		*flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
	return 0;
}

struct tls *
tls_connect(struct tls_client *client, struct span name, bool verify, struct buf *wire_in,
	struct buf *wire_out)
{
	struct tls *t = tls_mbed_open(&client->config, wire_in, wire_out);
	char text[NAME_MAX_SIZE];

	t->client = tls_client_hold(client);
	t->verify = verify;
	if (name.len == 0 || name.len >= sizeof(text) || span_has_control(name, SPAN(""))) {
		t->failure = MBEDTLS_ERR_SSL_BAD_INPUT_DATA;
		return t;
	}
	memcpy(text, name.ptr, name.len);
	text[name.len] = '\0';
	t->by_address = dial_address_parse(name, 0, &t->address);
	if (t->by_address)
		mbedtls_ssl_set_verify(&t->ssl, look_at_address, t);
	if (t->failure == 0) /* RFC 6066, 3: no address there */
		t->failure = mbedtls_ssl_set_hostname(&t->ssl, t->by_address ? NULL : text);
	return t;
}

bool
tls_mbed_is_trusted(const struct tls *t)
{
	return t->client && mbedtls_ssl_get_verify_result(&t->ssl) == 0;
}

const char *
tls_distrust(const struct tls *t, char *text, size_t size)
{
	const struct {
		uint32_t flag;
		const char *why;
	} reasons[] = {
		{ MBEDTLS_X509_BADCERT_EXPIRED, "the certificate has expired" },
		{ MBEDTLS_X509_BADCERT_FUTURE, "the certificate is not valid yet" },
		{ MBEDTLS_X509_BADCERT_REVOKED, "the certificate was revoked" },
		{ MBEDTLS_X509_BADCERT_CN_MISMATCH,
			t->by_address ? "the certificate is not for this address"
					   : "the certificate is for another name" },
		{ MBEDTLS_X509_BADCERT_NOT_TRUSTED, "nobody we know vouches for the certificate" },
		{ UINT32_MAX, "the certificate is not good enough" },
	};
	uint32_t flags = mbedtls_ssl_get_verify_result(&t->ssl);
	const char *why = "";

	if (t->failure != 0 && t->failure != MBEDTLS_ERR_X509_CERT_VERIFY_FAILED)
		why = "no certificate was seen";
	for (size_t i = 0; !why[0] && flags != 0 && i < COUNT(reasons); i++)
		if (flags & reasons[i].flag)
			why = reasons[i].why;
	snprintf(text, size, "%s", why);
	return text;
}
