/*
 * sasl.h - the server's side of the SASL exchanges PLAIN (RFC 4616), LOGIN, CRAM-MD5 (RFC 2195) and
 * SCRAM-SHA-256 (RFC 5802, 7677).
 *
 *     PLAIN     C message                                         -> LOGIN
 *     LOGIN     S "Username:", C name, S "Password:", C password  -> LOGIN
 *     CRAM-MD5  S <nonce@host>, C name and digest                 -> LOGIN
 *     SCRAM     C first -> KEYS -> S first, C final               -> LOGIN -> S v=, C "" -> CONFIRMED
 *
 * The protocol machine brings base64 text in and takes challenges out. Whether a password or a proof
 * is right is not decided here, nor is anything hashed: the session looks at what it got with LOGIN,
 * and gives KEYS and the signature for `v=`. All that came lies in buffers that sasl_fini() wipes (H66).
 */
#ifndef PROTO_SASL_SASL_H
#define PROTO_SASL_SASL_H

#include "proto/base/buf.h"
#include "proto/base/span.h"

#define SASL_RESPONSE_MAX 2048 /* bytes of all decoded responses of one exchange */
#define SASL_NAME_MAX 255      /* bytes of an identity, RFC 4616 */
#define SASL_PASSWORD_MAX 256  /* bytes, as contract says */
#define SASL_NONCE_MAX 48      /* bytes of our part of a nonce */
#define SASL_PROOF_MAX 32      /* bytes: SHA-256, or the 16 of MD5 */

enum sasl_mechanism {
	SASL_NONE,
	SASL_PLAIN, /* also POP3's USER and PASS */
	SASL_LOGIN,
	SASL_CRAM_MD5,
	SASL_SCRAM_SHA_256,
	SASL_APOP, /* RFC 1939, 7: no SASL, but a proof like CRAM-MD5's */
	SASL_MECHANISMS
};

/* Sets of mechanisms. */
#define SASL_BIT(mechanism) (1u << (mechanism))
#define SASL_SEND_PASSWORD (SASL_BIT(SASL_PLAIN) | SASL_BIT(SASL_LOGIN))
/* Of passwords that we made: who listens gets nothing that can be guessed (H64). */
#define SASL_ALSO_IN_CLEAR (SASL_BIT(SASL_CRAM_MD5) | SASL_BIT(SASL_APOP))

struct sasl_login {
	enum sasl_mechanism mechanism;
	struct span authzid;  /* whom to act as; empty as a rule */
	struct span name;     /* whose password it is */
	struct span password; /* where it was sent */
	struct span asked;    /* CRAM-MD5, APOP: the challenge; SCRAM: AuthMessage */
	struct span proof;    /* the bytes of the digest, or of ClientProof */
};

/* Random text without ',', '<', '>' and '@', for one exchange: the session makes it. */
struct sasl_nonce {
	size_t len; /* 0: used up */
	char text[SASL_NONCE_MAX];
};

struct sasl {
	enum sasl_mechanism mechanism;
	unsigned step;
	size_t name_len;      /* LOGIN: the first part of `secret`; else of `name` */
	size_t gs2_len, final_at; /* SCRAM: offsets in `secret` */
	struct buf secret;    /* what came, and for SCRAM what was answered between */
	struct buf challenge; /* as it is sent */
	struct sasl_nonce nonce;
	size_t client_nonce_at, nonce_len; /* SCRAM: both parts, in `secret` */
	char name[SASL_NAME_MAX];
	char proof[SASL_PROOF_MAX];
};

enum sasl_turn {
	SASL_TURN_CHALLENGE, /* send *challenge (base64 text), come again with the response */
	SASL_TURN_KEYS,	     /* of login->name: sasl_give_keys() */
	SASL_TURN_LOGIN,     /* *login: is it right? For SCRAM then sasl_give_signature() */
	SASL_TURN_CONFIRMED, /* SCRAM: the client has seen our signature */
	SASL_TURN_BAD,	     /* *why: ERR_SYNTAX, malformed (H67); ERR_LIMIT; ERR_DENIED, cancelled */
};

enum sasl_mechanism sasl_find(struct span name); /* any letter case; SASL_NONE: unknown */
/* The names of those in SET in the order of preference, blanks between; "" for none. */
MUST_CHECK enum err sasl_put_names(unsigned set, struct buf *out);

/* NONCE, of which CRAM-MD5 and SCRAM need one, is used up. */
void sasl_init(struct sasl *s, enum sasl_mechanism mechanism, struct sasl_nonce *nonce);
void sasl_fini(struct sasl *s); /* wipes; may be called twice */

/*
 * The client's next response, base64 text; SPAN_NONE (ptr NULL) where there is none yet, so the
 * first call may come without an initial response. "=" is an empty initial response (RFC 4954, 4).
 * HOST is our name, for CRAM-MD5. Spans of *login and *challenge live until the next call.
 */
MUST_CHECK enum sasl_turn sasl_take(struct sasl *s, struct span response, struct span host,
	struct span *challenge, struct sasl_login *login, enum err *why);

/* After SASL_TURN_KEYS: the challenge with them. */
struct span sasl_give_keys(struct sasl *s, struct span salt, unsigned iterations);
/* After SASL_TURN_LOGIN of SCRAM: ServerSignature, for the client to check. */
struct span sasl_give_signature(struct sasl *s, struct span signature);

/* PLAIN's message, decoded: authzid NUL authcid NUL password, two NULs exactly. */
MUST_CHECK enum err sasl_plain_parse(struct span message, struct sasl_login *login);

#endif
