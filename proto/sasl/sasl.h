/*
 * sasl.h - the server's side of the SASL exchanges PLAIN (RFC 4616) and LOGIN.
 *
 * The protocol machine brings base64 text in and takes challenges out; when the exchange is done
 * the credentials lie in one buffer that sasl_fini() wipes (H66). Who the person is, is not decided
 * here.
 */
#ifndef PROTO_SASL_SASL_H
#define PROTO_SASL_SASL_H

#include "proto/base/buf.h"
#include "proto/base/span.h"

#define SASL_RESPONSE_MAX 2048 /* bytes of decoded credentials in one exchange */
#define SASL_NAME_MAX 255      /* bytes of an identity, RFC 4616 */
#define SASL_PASSWORD_MAX 256  /* bytes, as contract says */

enum sasl_mechanism { SASL_NONE, SASL_PLAIN, SASL_LOGIN };

struct sasl_login {
	struct span authzid;  /* whom to act as; empty as a rule */
	struct span name;     /* whose password it is */
	struct span password; /* dies with sasl_fini() */
};

struct sasl {
	enum sasl_mechanism mechanism;
	unsigned step;
	size_t name_len; /* LOGIN: the first part of `secret` */
	struct buf secret;
};

enum sasl_mechanism sasl_find(struct span name); /* any letter case; SASL_NONE: unknown */

void sasl_init(struct sasl *s, enum sasl_mechanism mechanism);
void sasl_fini(struct sasl *s); /* wipes; may be called twice */

/*
 * The client's next response, base64 text; SPAN_NONE (ptr NULL) where there is none yet, so the
 * first call may come without an initial response. "=" is an empty initial response (RFC 4954, 4).
 *
 * PARSE_DONE  *login is filled; its spans live until sasl_fini().
 * PARSE_MORE  send *challenge (base64 text, static; empty for PLAIN) and come again.
 * PARSE_BAD   *why: ERR_SYNTAX, not base64 or not what the mechanism says (H67); ERR_LIMIT, too
 *             long; ERR_DENIED, the client cancelled with "*".
 */
MUST_CHECK enum parse sasl_take(struct sasl *s, struct span response, struct span *challenge,
	struct sasl_login *login, enum err *why);

/* PLAIN's message, decoded: authzid NUL authcid NUL password, two NULs exactly. */
MUST_CHECK enum err sasl_plain_parse(struct span message, struct sasl_login *login);

#endif
