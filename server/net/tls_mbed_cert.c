/*
 * tls_mbed_cert.c - a certificate of our own making, for a server that was given none.
 */
#include "server/net/tls.h"

#include <mbedtls/bignum.h>
#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "proto/base/ascii.h"
#include "server/net/random.h"

#define GOOD_FOR_YEARS 10
#define HOSTNAME_MAX 250   /* bytes; with its tags it fits a DER length of one byte */
#define COMMON_NAME_MAX 64 /* bytes (RFC 5280, A.1) */
#define PEM_MAX 4096
#define SERIAL_SIZE 16

static int
cert_random(void *arg, unsigned char *out, size_t size)
{
	(void)arg;
	random_fill(out, size);
	return 0;
}

static bool
name_is_plain(struct span name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if (!ascii_is_alnum(c) && c != '-' && c != '.')
			return false;
	}
	return name.len > 0 && name.len <= HOSTNAME_MAX;
}

static int
make_key(mbedtls_pk_context *key)
{
	int rc = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));

	if (rc != 0)
		return rc;
	return mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key), cert_random,
		NULL);
}

static int
set_serial(mbedtls_x509write_cert *cert, mbedtls_mpi *serial)
{
	unsigned char bytes[SERIAL_SIZE];

	random_fill(bytes, sizeof(bytes));
	bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40); /* positive, of full length */
#if MBEDTLS_VERSION_MAJOR >= 3
	(void)serial;
	return mbedtls_x509write_crt_set_serial_raw(cert, bytes, sizeof(bytes));
#else
	if (mbedtls_mpi_read_binary(serial, bytes, sizeof(bytes)) != 0)
		return -1;
	return mbedtls_x509write_crt_set_serial(cert, serial);
#endif
}

/* subjectAltName: SEQUENCE { [2] dNSName } in DER (RFC 5280, 4.2.1.6) */
static int
set_alt_name(mbedtls_x509write_cert *cert, struct span name)
{
	unsigned char der[HOSTNAME_MAX + 8], *at = der + sizeof(der);
	size_t body = name.len;

	at -= name.len;
	memcpy(at, name.ptr, name.len);
	for (int level = 0; level < 2; level++) {
		*--at = (unsigned char)body;
		if (body > 127) {
			*--at = 0x81; /* the length is in one more byte */
			body++;
		}
		*--at = level == 0 ? 0x82 : 0x30;
		body += 2;
	}
	return mbedtls_x509write_crt_set_extension(cert, MBEDTLS_OID_SUBJECT_ALT_NAME,
		MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), 0, at,
		(size_t)(der + sizeof(der) - at));
}

static int
set_validity(mbedtls_x509write_cert *cert, int64_t now_s)
{
	time_t from_s = (time_t)(now_s - 86400); /* a peer's clock may be a little behind */
	struct tm from, to;
	char from_text[16], to_text[16];

	gmtime_r(&from_s, &from);
	to = from;
	to.tm_year += GOOD_FOR_YEARS;
	if (to.tm_mon == 1 && to.tm_mday == 29)
		to.tm_mday = 28;
	strftime(from_text, sizeof(from_text), "%Y%m%d%H%M%S", &from);
	strftime(to_text, sizeof(to_text), "%Y%m%d%H%M%S", &to);
	return mbedtls_x509write_crt_set_validity(cert, from_text, to_text);
}

static int
fill(mbedtls_x509write_cert *cert, mbedtls_pk_context *key, mbedtls_mpi *serial,
	struct span hostname, int64_t now_s)
{
	char name[COMMON_NAME_MAX + 4];
	struct span common = hostname.len <= COMMON_NAME_MAX ? hostname : SPAN("postroom");

	snprintf(name, sizeof(name), "CN=%.*s", SPAN_FMT(common));
	mbedtls_x509write_crt_set_version(cert, MBEDTLS_X509_CRT_VERSION_3);
	mbedtls_x509write_crt_set_md_alg(cert, MBEDTLS_MD_SHA256);
	mbedtls_x509write_crt_set_subject_key(cert, key);
	mbedtls_x509write_crt_set_issuer_key(cert, key);
	if (mbedtls_x509write_crt_set_subject_name(cert, name) != 0 ||
		mbedtls_x509write_crt_set_issuer_name(cert, name) != 0 ||
		set_serial(cert, serial) != 0 || set_validity(cert, now_s) != 0 ||
		mbedtls_x509write_crt_set_basic_constraints(cert, 0, -1) != 0)
		return -1;
	return set_alt_name(cert, hostname);
}

static enum err
write_texts(mbedtls_x509write_cert *cert, mbedtls_pk_context *key, struct buf *certificate_out,
	struct buf *key_out)
{
	unsigned char text[PEM_MAX];
	enum err err = ERR_IO;

	if (mbedtls_x509write_crt_pem(cert, text, sizeof(text), cert_random, NULL) == 0)
		err = buf_put(certificate_out, span_of((const char *)text));
	if (err == OK)
		err = mbedtls_pk_write_key_pem(key, text, sizeof(text)) == 0 ?
			buf_put(key_out, span_of((const char *)text)) :
			ERR_IO;
	explicit_bzero(text, sizeof(text));
	return err;
}

enum err
tls_self_signed(struct span hostname, int64_t now_s, struct buf *certificate, struct buf *key)
{
	mbedtls_x509write_cert cert;
	mbedtls_pk_context pair;
	mbedtls_mpi serial;
	enum err err = ERR_IO;

	if (!name_is_plain(hostname))
		return ERR_SYNTAX;
	mbedtls_x509write_crt_init(&cert);
	mbedtls_pk_init(&pair);
	mbedtls_mpi_init(&serial);
	if (make_key(&pair) == 0 && fill(&cert, &pair, &serial, hostname, now_s) == 0)
		err = write_texts(&cert, &pair, certificate, key);
	mbedtls_mpi_free(&serial);
	mbedtls_pk_free(&pair);
	mbedtls_x509write_crt_free(&cert);
	return err;
}
