/*
 * tls.h - TLS on buffers; hides the library (tls_mbed.c).
 *
 * A struct tls reads what came from the socket from one buffer and writes what goes there to
 * another. It knows no descriptor, so a handshake step can run on a worker while the loop does
 * something else: lend the tls and both buffers, touch none of them meanwhile.
 *
 * Both sides: TLS 1.2 at least, ECDHE with AEAD only, X25519 then P-256, ChaCha20 first, no
 * renegotiation, session tickets whose keys change by themselves (H68).
 */
#ifndef SERVER_NET_TLS_H
#define SERVER_NET_TLS_H

#include "proto/base/buf.h"

struct tls_server; /* certificate, key, ticket keys; counted, since sessions outlive a reload */
struct tls_client; /* the roots that vouch for the servers we call; counted likewise */
struct tls;	   /* one connection */

enum tls_step { TLS_DONE, TLS_WANT_MORE, TLS_CLOSED, TLS_FAILED };

/*
 * CERTIFICATE (a chain) and KEY are PEM texts. ERR_SYNTAX with *why (static text) where one cannot
 * be read or they do not belong together. The first caller holds one count.
 */
MUST_CHECK enum err tls_server_open(struct span certificate, struct span key,
	struct tls_server **out, const char **why);
struct tls_server *tls_server_hold(struct tls_server *server);
void tls_server_release(struct tls_server **server); /* any thread */
int64_t tls_server_expires(const struct tls_server *server); /* Unix seconds */

/*
 * A new self-signed certificate for HOSTNAME, ECDSA on P-256, good for ten years, as PEM texts.
 * ERR_SYNTAX where the name cannot stand in a certificate.
 */
MUST_CHECK enum err tls_self_signed(struct span hostname, int64_t now_s, struct buf *certificate,
	struct buf *key);

/* ROOTS: PEM texts; *count are those that could be read. With none, no server can be verified. */
struct tls_client *tls_client_open(struct span roots, size_t *count);
struct tls_client *tls_client_hold(struct tls_client *client);
void tls_client_release(struct tls_client **client); /* any thread */

/*
 * The client's side of a connection to NAME, which the certificate must be for: a host name, or a
 * literal address (dial_address_parse()), which one of its iPAddress must be (RFC 5280, 4.2.1.6).
 * VERIFY: a handshake with one that is not, or that nobody vouches for, fails; without it
 * tls_distrust() says so (H68). NAME is copied.
 */
struct tls *tls_connect(struct tls_client *client, struct span name, bool verify,
	struct buf *wire_in, struct buf *wire_out);
/* After the handshake: "" where the certificate is good, else why not, in TEXT; SIZE 200 is enough. */
const char *tls_distrust(const struct tls *t, char *text, size_t size);

struct tls *tls_open(struct tls_server *server, struct buf *wire_in, struct buf *wire_out);
void tls_close(struct tls **t);

enum tls_step tls_handshake(struct tls *t); /* as far as wire_in reaches; may take 10 ms */
/* DONE: *got bytes are in INTO. WANT_MORE: all of wire_in is used up, also inside the library. */
enum tls_step tls_read(struct tls *t, char *into, size_t size, size_t *got);
enum tls_step tls_write(struct tls *t, struct span bytes); /* all of it, into wire_out */
void tls_close_notify(struct tls *t);
const char *tls_failure(const struct tls *t, char *text, size_t size); /* why it failed */

const char *tls_version(const struct tls *t);
const char *tls_cipher(const struct tls *t);
const char *tls_library(void); /* "mbed TLS 2.28.3": said in `status`; a warning below 3.6 */

#endif
