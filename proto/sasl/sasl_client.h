/*
 * sasl_client.h - the client's side of PLAIN, LOGIN, CRAM-MD5, SCRAM-SHA-256, XOAUTH2 and OAUTHBEARER
 * (RFC 4616, 2195, 5802, 7677, 7628).
 *
 *     begin -> RESPONSE -> (challenge) -> RESPONSE or PROVE -> ... -> the server's own verdict
 *
 * Nothing is hashed here: PROVE says what the holder shall work out of the password. Responses and
 * challenges are base64 text, as SMTP, POP3 and IMAP carry them. What was given is not copied but must
 * live as long as the exchange; what was made of it is wiped by sasl_client_fini() (H66).
 */
#ifndef PROTO_SASL_SASL_CLIENT_H
#define PROTO_SASL_SASL_CLIENT_H

#include "proto/sasl/sasl.h"

#define SASL_CLIENT_SECRET_MAX 16384   /* bytes of a response, base64 not counted: tokens are long */
#define SASL_CLIENT_CHALLENGE_MAX 4096 /* bytes of a decoded challenge */
#define SASL_CLIENT_SAID_MAX 1024 /* bytes of what a server said that are looked at */
#define SASL_CLIENT_SHORT 4 /* bytes; a shorter secret stands in many words */
#define SASL_CLIENT_ITERATIONS_MAX 1000000 /* of SCRAM: more is an attack on our time */

enum sasl_client_mechanism {
	SASL_CLIENT_NONE,
	SASL_CLIENT_SCRAM_SHA_256,
	SASL_CLIENT_CRAM_MD5,
	SASL_CLIENT_OAUTHBEARER,
	SASL_CLIENT_XOAUTH2,
	SASL_CLIENT_PLAIN,
	SASL_CLIENT_LOGIN,
	SASL_CLIENT_MECHANISMS
};
#define SASL_CLIENT_BIT(mechanism) (1u << (mechanism))
/* They show the secret to whoever listens: under TLS only, unless the route says otherwise. */
#define SASL_CLIENT_SHOWS_SECRET                                                                   \
	(SASL_CLIENT_BIT(SASL_CLIENT_OAUTHBEARER) | SASL_CLIENT_BIT(SASL_CLIENT_XOAUTH2) |         \
		SASL_CLIENT_BIT(SASL_CLIENT_PLAIN) | SASL_CLIENT_BIT(SASL_CLIENT_LOGIN))
#define SASL_CLIENT_WITH_TOKEN                                                                     \
	(SASL_CLIENT_BIT(SASL_CLIENT_OAUTHBEARER) | SASL_CLIENT_BIT(SASL_CLIENT_XOAUTH2))

const char *sasl_client_name(enum sasl_client_mechanism mechanism); /* "SCRAM-SHA-256" */
/* The mechanism of one word of a server's list, any letter case; SASL_CLIENT_NONE: not known here. */
enum sasl_client_mechanism sasl_client_find(struct span word);
/* The best of SET, as the enum is ordered. */
enum sasl_client_mechanism sasl_client_best(unsigned set);

struct sasl_account {
	struct span name;
	struct span password; /* or the access token, for OAUTHBEARER and XOAUTH2 */
	struct span host;     /* of the server, for OAUTHBEARER */
	unsigned port;
};

/* What is to be proved. Spans live until sasl_client_prove(). */
struct sasl_task {
	enum sasl_client_mechanism mechanism;
	struct span text; /* CRAM-MD5: the challenge; SCRAM: AuthMessage (RFC 5802, 3) */
	struct span salt; /* SCRAM */
	unsigned iterations;
};

struct sasl_client {
	enum sasl_client_mechanism mechanism;
	struct sasl_account account;
	struct sasl_nonce nonce; /* for SCRAM */
	unsigned step;
	struct buf text;      /* SCRAM: the messages so far */
	struct buf challenge; /* decoded */
	struct buf plain, response;
	size_t final_at;      /* in `text`: client-final-message-without-proof */
	char signature[SASL_PROOF_MAX]; /* that the server must show (SCRAM) */
	struct sasl_task task;
};

enum sasl_client_turn {
	SASL_CLIENT_RESPONSE, /* send *response */
	SASL_CLIENT_PROVE,    /* client->task: work it out, then sasl_client_prove() */
	SASL_CLIENT_BAD,      /* *why: what the server said makes no sense (static text); cancel with "*" */
};

/* NONCE is needed for SCRAM alone; ACCOUNT's spans must outlive C. */
void sasl_client_init(struct sasl_client *c, enum sasl_client_mechanism mechanism,
	const struct sasl_account *account, const struct sasl_nonce *nonce);
void sasl_client_fini(struct sasl_client *c); /* wipes; may be called twice */

/*
 * The initial response, or the answer to a challenge (base64 text; SPAN_NONE: the server has said
 * nothing yet). An empty *response of the first call: this mechanism has no initial one.
 */
MUST_CHECK enum sasl_client_turn sasl_client_next(
	struct sasl_client *c, struct span challenge, struct span *response, const char **why);

/*
 * PROOF: of CRAM-MD5 the 16 bytes of HMAC-MD5, of SCRAM the 32 of ClientProof, with ServerSignature
 * that the server will have to show. The response with it.
 */
MUST_CHECK enum sasl_client_turn sasl_client_prove(struct sasl_client *c, struct span proof,
	struct span signature, struct span *response, const char **why);

/* After the server said yes: did SCRAM's show that it knows the password? True for all others. */
bool sasl_client_is_settled(const struct sasl_client *c);

/*
 * What a server said, for people: as span_copy_clean(), but "***" where it repeats the secret, or the last response
 * (H66: some show the line that they do not understand). A SHORT secret is looked for as a word, and what is behind it
 * is left out as well: "not *** good password" would tell that it is `a`.
 */
size_t sasl_client_copy_said(const struct sasl_client *c, struct span said, char *to, size_t room);

#endif
