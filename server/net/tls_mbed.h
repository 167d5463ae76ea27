/*
 * tls_mbed.h - what the tls_mbed*.c files share; nobody else includes it.
 */
#ifndef SERVER_NET_TLS_MBED_H
#define SERVER_NET_TLS_MBED_H

#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "server/net/dialer.h"
#include "server/net/tls.h"

struct tls {
	struct tls_server *server; /* one of them */
	struct tls_client *client;
	bool verify, by_address;     /* client; the server was named by its address */
	struct dial_address address; /* which */
	struct buf *wire_in, *wire_out;
	int failure; /* the library's last code */
	mbedtls_ssl_context ssl;
};

void tls_mbed_rules(mbedtls_ssl_config *config); /* versions, suites, curves: H68 */
int tls_mbed_parse(mbedtls_x509_crt *chain, struct span pem);
struct tls *tls_mbed_open(
	const mbedtls_ssl_config *config, struct buf *wire_in, struct buf *wire_out);
bool tls_mbed_is_trusted(const struct tls *t);

#endif
