/*
 * sasl.c - the exchanges, a function a mechanism; each is called with its step counted from 1.
 */
#include "proto/sasl/sasl.h"

#include <string.h>

#include "proto/base/base64.h"
#include "proto/base/hex.h"
#include "proto/base/utf8.h"
#include "proto/sasl/scram.h"

#define CHALLENGE_MAX (2 * SASL_RESPONSE_MAX) /* bytes of base64 text */
#define CRAM_PROOF_SIZE 16
#define SCRAM_PROOF_SIZE 32
#define SCRAM_SALT_MAX 64
#define SCRAM_FIRST_MAX 1024 /* bytes of the client's first message */
#define SCRAM_NONCE_MAX 256  /* bytes of its nonce: what we answer fits a line of 512 */

/* The best first. */
static const struct {
	struct span name;
	enum sasl_mechanism mechanism;
} mechanisms[] = {
	{ { "SCRAM-SHA-256", 13 }, SASL_SCRAM_SHA_256 },
	{ { "CRAM-MD5", 8 }, SASL_CRAM_MD5 },
	{ { "PLAIN", 5 }, SASL_PLAIN },
	{ { "LOGIN", 5 }, SASL_LOGIN },
};

enum sasl_mechanism
sasl_find(struct span name)
{
	for (size_t i = 0; i < COUNT(mechanisms); i++)
		if (span_eq_nocase(name, mechanisms[i].name))
			return mechanisms[i].mechanism;
	return SASL_NONE;
}

enum err
sasl_put_names(unsigned set, struct buf *out)
{
	bool first = true;
	enum err err = OK;

	for (size_t i = 0; i < COUNT(mechanisms) && err == OK; i++) {
		if (!(set & SASL_BIT(mechanisms[i].mechanism)))
			continue;
		if (!first)
			err = buf_put_char(out, ' ');
		if (err == OK)
			err = buf_put(out, mechanisms[i].name);
		first = false;
	}
	return err;
}

void
sasl_init(struct sasl *s, enum sasl_mechanism mechanism, struct sasl_nonce *nonce)
{
	*s = (struct sasl){ .mechanism = mechanism };
	buf_init(&s->secret, SASL_RESPONSE_MAX);
	buf_init(&s->challenge, CHALLENGE_MAX);
	s->secret.wipes = s->challenge.wipes = true; /* also as they grow */
	if (mechanism != SASL_CRAM_MD5 && mechanism != SASL_SCRAM_SHA_256)
		return;
	ENSURE(nonce->len > 0);
	s->nonce = *nonce;
	nonce->len = 0;
}

void
sasl_fini(struct sasl *s)
{
	buf_wipe(&s->secret);
	buf_wipe(&s->challenge);
	explicit_bzero(s->proof, sizeof(s->proof));
	s->mechanism = SASL_NONE;
}

/* ---- what all share ---- */

/* TEXT as base64: what is sent next. */
static struct span
challenge_of(struct sasl *s, struct span text)
{
	buf_clear(&s->challenge);
	ENSURE(base64_put(&s->challenge, text) == OK); /* ours, and half as long as the room */
	return buf_span(&s->challenge);
}

static bool
is_text(struct span text)
{
	return span_find(text, '\0') == text.len && utf8_is_valid(text);
}

/* One exit for "good": sizes, no NUL, valid UTF-8. */
static enum err
check_login(const struct sasl_login *login, bool has_password)
{
	if (login->authzid.len > SASL_NAME_MAX || login->name.len > SASL_NAME_MAX ||
		login->password.len > SASL_PASSWORD_MAX)
		return ERR_LIMIT;
	if (login->name.len == 0 || (has_password && login->password.len == 0))
		return ERR_SYNTAX;
	return is_text(login->authzid) && is_text(login->name) && is_text(login->password)
		? OK
		: ERR_SYNTAX;
}

static enum sasl_turn
bad(enum err *why, enum err err)
{
	*why = err;
	return SASL_TURN_BAD;
}

/* The decoded response, appended to s->secret. */
static enum err
take_response(struct sasl *s, struct span response)
{
	if (span_eq(response, SPAN("*")))
		return ERR_DENIED;
	if (span_eq(response, SPAN("=")))
		return OK;
	return base64_decode(response, &s->secret);
}

/* ---- PLAIN, LOGIN ---- */

enum err
sasl_plain_parse(struct span message, struct sasl_login *login)
{
	struct span rest;

	*login = (struct sasl_login){ .mechanism = SASL_PLAIN };
	if (!span_cut(message, '\0', &login->authzid, &rest) ||
		!span_cut(rest, '\0', &login->name, &login->password))
		return ERR_SYNTAX;
	return check_login(login, true);
}

static enum sasl_turn
take_login(struct sasl *s, struct span *challenge, struct sasl_login *login, enum err *why)
{
	struct span all = buf_span(&s->secret);

	if (s->step == 1) {
		s->name_len = all.len;
		*challenge = SPAN("UGFzc3dvcmQ6"); /* "Password:" */
		return SASL_TURN_CHALLENGE;
	}
	*login = (struct sasl_login){
		.mechanism = SASL_LOGIN,
		.name = span_range(all, 0, s->name_len),
		.password = span_from(all, s->name_len),
	};
	*why = check_login(login, true);
	return *why == OK ? SASL_TURN_LOGIN : SASL_TURN_BAD;
}

/* ---- CRAM-MD5 ---- */

/* RFC 2195, 2: the challenge looks like a Message-ID; it is kept to be proved. */
static struct span
begin_cram(struct sasl *s, struct span host)
{
	struct span nonce = { s->nonce.text, s->nonce.len };

	ENSURE(buf_printf(&s->secret, "<%.*s@%.*s>", SPAN_FMT(nonce),
		       SPAN_FMT(span_range(host, 0, SASL_NAME_MAX))) == OK);
	s->final_at = buf_span(&s->secret).len;
	return challenge_of(s, buf_span(&s->secret));
}

static enum sasl_turn
take_cram(struct sasl *s, struct sasl_login *login, enum err *why)
{
	struct span all = buf_span(&s->secret), answer = span_from(all, s->final_at);
	size_t blank = span_find_last(answer, ' ');
	struct buf proof = { .bytes = s->proof, .size = CRAM_PROOF_SIZE, .max = CRAM_PROOF_SIZE };

	if (answer.len != blank + 1 + 2 * CRAM_PROOF_SIZE ||
		hex_decode(span_from(answer, blank + 1), &proof) != OK)
		return bad(why, ERR_SYNTAX);
	*login = (struct sasl_login){
		.mechanism = SASL_CRAM_MD5,
		.name = span_range(answer, 0, blank),
		.asked = span_range(all, 0, s->final_at),
		.proof = { s->proof, CRAM_PROOF_SIZE },
	};
	*why = check_login(login, false);
	return *why == OK ? SASL_TURN_LOGIN : SASL_TURN_BAD;
}

/* ---- SCRAM-SHA-256 ---- */

static enum sasl_turn
take_scram_first(struct sasl *s, struct sasl_login *login, enum err *why)
{
	struct span all = buf_span(&s->secret);
	char authzid[SASL_NAME_MAX];
	struct scram_first first;
	size_t authzid_len;
	enum err err = scram_first_parse(all, &first);

	if (err == OK && (all.len > SCRAM_FIRST_MAX || first.nonce.len > SCRAM_NONCE_MAX))
		err = ERR_LIMIT;
	if (err == OK)
		err = scram_name_decode(first.authzid, authzid, sizeof(authzid), &authzid_len);
	if (err == OK)
		err = scram_name_decode(first.name, s->name, sizeof(s->name), &s->name_len);
	if (err != OK)
		return bad(why, err == ERR_DENIED ? ERR_SYNTAX : err);
	*login = (struct sasl_login){ .mechanism = SASL_SCRAM_SHA_256,
		.name = { s->name, s->name_len } };
	if (authzid_len > 0 && !span_eq_nocase((struct span){ authzid, authzid_len }, login->name))
		return bad(why, ERR_SYNTAX); /* nobody acts for another */
	s->gs2_len = first.gs2.len;
	s->client_nonce_at = (size_t)(first.nonce.ptr - all.ptr);
	s->nonce_len = first.nonce.len;
	*why = check_login(login, false);
	return *why == OK ? SASL_TURN_KEYS : SASL_TURN_BAD;
}

/* ",r=CLIENTOURS,s=...,i=N," behind the client's first message: AuthMessage grows (RFC 5802, 3). */
struct span
sasl_give_keys(struct sasl *s, struct span salt, unsigned iterations)
{
	size_t begin = buf_span(&s->secret).len + 1;
	struct span client = span_range(buf_span(&s->secret), s->client_nonce_at,
		s->client_nonce_at + s->nonce_len);
	char copy[SCRAM_NONCE_MAX]; /* what it points into may move */

	ENSURE(client.len <= sizeof(copy) && salt.len <= SCRAM_SALT_MAX && iterations > 0);
	memcpy(copy, client.ptr, client.len);
	ENSURE(buf_printf(&s->secret, ",r=%.*s%.*s,s=", (int)client.len, copy, (int)s->nonce.len,
		       s->nonce.text) == OK); /* there is room: see the limits above */
	ENSURE(base64_put(&s->secret, salt) == OK);
	ENSURE(buf_printf(&s->secret, ",i=%u,", iterations) == OK);
	s->client_nonce_at = begin + 2;
	s->nonce_len += s->nonce.len;
	s->final_at = buf_span(&s->secret).len;
	return challenge_of(s, span_range(buf_span(&s->secret), begin, s->final_at - 1));
}

/* Does `c=` repeat the header, byte by byte (H67)? */
static bool
binding_holds(struct sasl *s, struct span binding)
{
	struct span gs2 = span_range(buf_span(&s->secret), 0, s->gs2_len);

	return span_eq(challenge_of(s, gs2), binding);
}

static enum sasl_turn
take_scram_final(struct sasl *s, struct sasl_login *login, enum err *why)
{
	struct span all = buf_span(&s->secret);
	struct span nonce = span_range(all, s->client_nonce_at, s->client_nonce_at + s->nonce_len);
	struct buf proof = { .bytes = s->proof, .size = SCRAM_PROOF_SIZE,
		.max = SCRAM_PROOF_SIZE };
	struct scram_final final;

	if (scram_final_parse(span_from(all, s->final_at), &final) != OK ||
		!span_eq(final.nonce, nonce) || !binding_holds(s, final.binding) ||
		base64_decode(final.proof, &proof) != OK || proof.len != SCRAM_PROOF_SIZE)
		return bad(why, ERR_SYNTAX);
	*login = (struct sasl_login){
		.mechanism = SASL_SCRAM_SHA_256,
		.name = { s->name, s->name_len },
		.asked = span_range(all, s->gs2_len, s->final_at + final.without_proof.len),
		.proof = { s->proof, SCRAM_PROOF_SIZE },
	};
	return SASL_TURN_LOGIN;
}

struct span
sasl_give_signature(struct sasl *s, struct span signature)
{
	struct buf text;
	struct span challenge;

	buf_init(&text, SASL_NAME_MAX);
	ENSURE(buf_put(&text, SPAN("v=")) == OK && base64_put(&text, signature) == OK);
	challenge = challenge_of(s, buf_span(&text));
	buf_fini(&text);
	buf_clear(&s->secret); /* the client has nothing more to say */
	return challenge;
}

static enum sasl_turn
take_scram(struct sasl *s, struct sasl_login *login, enum err *why)
{
	if (s->step == 1)
		return take_scram_first(s, login, why);
	if (s->step == 2)
		return take_scram_final(s, login, why);
	if (buf_span(&s->secret).len > 0)
		return bad(why, ERR_SYNTAX);
	*login = (struct sasl_login){ .mechanism = SASL_SCRAM_SHA_256,
		.name = { s->name, s->name_len } };
	return SASL_TURN_CONFIRMED;
}

/* ---- all of them ---- */

/* Nothing has come yet. */
static enum sasl_turn
begin(struct sasl *s, struct span host, struct span *challenge)
{
	*challenge = SPAN("");
	if (s->mechanism == SASL_LOGIN)
		*challenge = SPAN("VXNlcm5hbWU6"); /* "Username:" */
	else if (s->mechanism == SASL_CRAM_MD5)
		*challenge = begin_cram(s, host);
	return SASL_TURN_CHALLENGE;
}

enum sasl_turn
sasl_take(struct sasl *s, struct span response, struct span host, struct span *challenge,
	struct sasl_login *login, enum err *why)
{
	*challenge = SPAN("");
	if (!response.ptr)
		return begin(s, host, challenge);
	if (s->mechanism == SASL_CRAM_MD5 && s->final_at == 0)
		return bad(why, ERR_SYNTAX); /* RFC 4954, 4: the server begins */
	*why = take_response(s, response);
	if (*why != OK)
		return SASL_TURN_BAD;
	s->step++;
	switch (s->mechanism) {
	case SASL_LOGIN:
		return take_login(s, challenge, login, why);
	case SASL_CRAM_MD5:
		return take_cram(s, login, why);
	case SASL_SCRAM_SHA_256:
		return take_scram(s, login, why);
	default:
		*why = sasl_plain_parse(buf_span(&s->secret), login);
		return *why == OK ? SASL_TURN_LOGIN : SASL_TURN_BAD;
	}
}
