/*
 * sasl_client.c - what is said to a server that asks who we are.
 *
 * A row of `mechanisms` has one function for each turn of its exchange.
 */
#include "proto/sasl/sasl_client.h"

#include <string.h>

#include "proto/base/ascii.h"
#include "proto/base/base64.h"
#include "proto/base/hex.h"

#define SCRAM_GS2 "n,,"   /* no channel binding, no other identity */
#define SCRAM_BOUND "biws" /* the same in base64 */

enum { STEP_FIRST, STEP_SECOND, STEP_LAST, STEP_OVER };

typedef enum sasl_client_turn turn_fn(struct sasl_client *c, const char **why);

static enum sasl_client_turn
bad(const char **why, const char *text)
{
	*why = text;
	return SASL_CLIENT_BAD;
}

static enum sasl_client_turn
put(struct sasl_client *c, const struct span *parts, size_t count, const char **why)
{
	for (size_t i = 0; i < count; i++)
		if (buf_put(&c->plain, parts[i]) != OK)
			return bad(why, "the name and the secret are too long");
	return SASL_CLIENT_RESPONSE;
}
#define PUT(c, why, ...)                                                                           \
	put(c, (const struct span[]){ __VA_ARGS__ }, COUNT(((const struct span[]){ __VA_ARGS__ })), why)

/* RFC 4616, 2 */
static enum sasl_client_turn
plain_first(struct sasl_client *c, const char **why)
{
	return PUT(c, why, SPAN("\0"), c->account.name, SPAN("\0"), c->account.password);
}

static enum sasl_client_turn
login_name(struct sasl_client *c, const char **why)
{
	return PUT(c, why, c->account.name);
}

static enum sasl_client_turn
login_password(struct sasl_client *c, const char **why)
{
	return PUT(c, why, c->account.password);
}

static enum sasl_client_turn
xoauth2_first(struct sasl_client *c, const char **why)
{
	return PUT(c, why, SPAN("user="), c->account.name, SPAN("\1auth=Bearer "),
		c->account.password, SPAN("\1\1"));
}

/* RFC 7628, 3.1 */
static enum sasl_client_turn
oauthbearer_first(struct sasl_client *c, const char **why)
{
	struct buf port;
	enum sasl_client_turn turn = SASL_CLIENT_BAD;

	buf_init(&port, 16);
	if (buf_put_u64(&port, c->account.port) == OK)
		turn = PUT(c, why, SPAN("n,a="), c->account.name, SPAN(",\1host="), c->account.host,
			SPAN("\1port="), buf_span(&port), SPAN("\1auth=Bearer "),
			c->account.password, SPAN("\1\1"));
	buf_fini(&port);
	return turn;
}

/* The server says what it did not like; it wants to hear one word before it says no (RFC 7628, 3.2.3). */
static enum sasl_client_turn
token_refused(struct sasl_client *c, const char **why)
{
	return PUT(c, why, c->mechanism == SASL_CLIENT_OAUTHBEARER ? SPAN("\1") : SPAN(""));
}

static enum sasl_client_turn
cram_challenged(struct sasl_client *c, const char **why)
{
	if (buf_span(&c->challenge).len == 0)
		return bad(why, "an empty challenge of CRAM-MD5");
	c->task = (struct sasl_task){ .mechanism = c->mechanism, .text = buf_span(&c->challenge) };
	return SASL_CLIENT_PROVE;
}

/* ---- SCRAM (RFC 5802, 5.1) ---- */

static enum err
put_saslname(struct buf *out, struct span name)
{
	enum err err = OK;

	for (size_t i = 0; i < name.len && err == OK; i++)
		err = name.ptr[i] == '=' ? buf_put(out, SPAN("=3D"))
			: name.ptr[i] == ',' ? buf_put(out, SPAN("=2C"))
					     : buf_put_char(out, name.ptr[i]);
	return err;
}

static struct span
nonce_of(const struct sasl_client *c)
{
	return (struct span){ c->nonce.text, c->nonce.len };
}

static enum sasl_client_turn
scram_first(struct sasl_client *c, const char **why)
{
	if (buf_put(&c->text, SPAN("n=")) != OK || put_saslname(&c->text, c->account.name) != OK ||
		buf_put(&c->text, SPAN(",r=")) != OK || buf_put(&c->text, nonce_of(c)) != OK)
		return bad(why, "the name is too long for SCRAM");
	return PUT(c, why, SPAN(SCRAM_GS2), buf_span(&c->text));
}

/* The value of the attribute LETTER at the front of *REST, and the comma behind it. */
static bool
scram_take(struct span *rest, char letter, struct span *value)
{
	struct span part;

	if (!span_cut(*rest, ',', &part, rest))
		*rest = SPAN_NONE;
	if (part.len < 2 || part.ptr[0] != letter || part.ptr[1] != '=')
		return false;
	*value = span_from(part, 2);
	return true;
}

/* "r=NONCE,s=SALT,i=COUNT" becomes the task, and AuthMessage in `text`. */
static enum sasl_client_turn
scram_challenged(struct sasl_client *c, const char **why)
{
	struct span first = buf_span(&c->challenge), rest = first, nonce, salt, count;
	size_t text_len;
	uint64_t iterations;

	if (!scram_take(&rest, 'r', &nonce) || !scram_take(&rest, 's', &salt) ||
		!scram_take(&rest, 'i', &count) ||
		span_u64(count, SASL_CLIENT_ITERATIONS_MAX, &iterations) != OK || iterations == 0)
		return bad(why, "a challenge that is not SCRAM's");
	if (!span_starts(nonce, nonce_of(c)) || nonce.len == c->nonce.len)
		return bad(why, "a nonce that is not ours"); /* H67: compared whole */
	if (buf_put_char(&c->text, ',') != OK || buf_put(&c->text, first) != OK ||
		buf_put_char(&c->text, ',') != OK)
		return bad(why, "a challenge that is too long");
	c->final_at = buf_span(&c->text).len;
	if (buf_put(&c->text, SPAN("c=" SCRAM_BOUND ",r=")) != OK || buf_put(&c->text, nonce) != OK)
		return bad(why, "a challenge that is too long");
	text_len = buf_span(&c->text).len;
	if (base64_decode(salt, &c->text) != OK || buf_span(&c->text).len == text_len)
		return bad(why, "a salt that is not base64");
	c->task = (struct sasl_task){ .mechanism = c->mechanism,
		.text = span_range(buf_span(&c->text), 0, text_len),
		.salt = span_from(buf_span(&c->text), text_len),
		.iterations = (unsigned)iterations };
	return SASL_CLIENT_PROVE;
}

/* "v=SIGNATURE": it knows the password, too. */
static enum sasl_client_turn
scram_signed(struct sasl_client *c, const char **why)
{
	struct span rest = buf_span(&c->challenge), value;
	unsigned different = 0;
	struct buf shown;
	bool right;

	buf_init(&shown, SASL_PROOF_MAX);
	right = scram_take(&rest, 'v', &value) && base64_decode(value, &shown) == OK &&
		buf_span(&shown).len == SASL_PROOF_MAX;
	for (size_t i = 0; right && i < SASL_PROOF_MAX; i++)
		different |= (unsigned char)(buf_span(&shown).ptr[i] ^ c->signature[i]);
	buf_fini(&shown);
	if (!right || different)
		return bad(why, "the server does not know the password");
	return PUT(c, why, SPAN(""));
}

/* ---- the table ---- */

static const struct {
	const char *name;
	turn_fn *turns[STEP_OVER]; /* the first is the initial response; NULL there: it has none */
} mechanisms[SASL_CLIENT_MECHANISMS] = {
	[SASL_CLIENT_NONE] = { "", { NULL } },
	[SASL_CLIENT_SCRAM_SHA_256] = { "SCRAM-SHA-256", { scram_first, scram_challenged, scram_signed } },
	[SASL_CLIENT_CRAM_MD5] = { "CRAM-MD5", { NULL, cram_challenged } },
	[SASL_CLIENT_OAUTHBEARER] = { "OAUTHBEARER", { oauthbearer_first, token_refused } },
	[SASL_CLIENT_XOAUTH2] = { "XOAUTH2", { xoauth2_first, token_refused } },
	[SASL_CLIENT_PLAIN] = { "PLAIN", { plain_first } },
	[SASL_CLIENT_LOGIN] = { "LOGIN", { NULL, login_name, login_password } },
};

const char *
sasl_client_name(enum sasl_client_mechanism mechanism)
{
	ENSURE((size_t)mechanism < COUNT(mechanisms));
	return mechanisms[mechanism].name;
}

enum sasl_client_mechanism
sasl_client_find(struct span word)
{
	for (unsigned i = SASL_CLIENT_NONE + 1; i < SASL_CLIENT_MECHANISMS; i++)
		if (span_eq_nocase(word, span_of(mechanisms[i].name)))
			return (enum sasl_client_mechanism)i;
	return SASL_CLIENT_NONE;
}

enum sasl_client_mechanism
sasl_client_best(unsigned set)
{
	for (unsigned i = SASL_CLIENT_NONE + 1; i < SASL_CLIENT_MECHANISMS; i++)
		if (set & SASL_CLIENT_BIT(i))
			return (enum sasl_client_mechanism)i;
	return SASL_CLIENT_NONE;
}

/* ---- the exchange ---- */

static struct buf *const *
bufs_of(struct sasl_client *c, struct buf *list[4])
{
	list[0] = &c->text;
	list[1] = &c->challenge;
	list[2] = &c->plain;
	list[3] = &c->response;
	return list;
}

void
sasl_client_init(struct sasl_client *c, enum sasl_client_mechanism mechanism,
	const struct sasl_account *account, const struct sasl_nonce *nonce)
{
	struct buf *list[4];

	*c = (struct sasl_client){ .mechanism = mechanism, .account = *account };
	if (nonce)
		c->nonce = *nonce;
	bufs_of(c, list);
	for (size_t i = 0; i < COUNT(list); i++) {
		buf_init(list[i], SASL_CLIENT_SECRET_MAX * 2);
		list[i]->wipes = true;
	}
	c->challenge.max = SASL_CLIENT_CHALLENGE_MAX;
}

void
sasl_client_fini(struct sasl_client *c)
{
	struct buf *list[4];

	bufs_of(c, list);
	for (size_t i = 0; i < COUNT(list); i++)
		buf_wipe(list[i]);
	explicit_bzero(c->signature, sizeof(c->signature));
}

/* What is in `plain`, as text. */
static enum sasl_client_turn
encode(struct sasl_client *c, struct span *response, const char **why)
{
	buf_clear(&c->response);
	if (base64_put(&c->response, buf_span(&c->plain)) != OK)
		return bad(why, "the name and the secret are too long");
	*response = buf_span(&c->response);
	if (!response->ptr)
		*response = SPAN("");
	return SASL_CLIENT_RESPONSE;
}

enum sasl_client_turn
sasl_client_next(
	struct sasl_client *c, struct span challenge, struct span *response, const char **why)
{
	turn_fn *turn = c->step < STEP_OVER ? mechanisms[c->mechanism].turns[c->step] : NULL;
	bool initial = c->step++ == STEP_FIRST;
	enum sasl_client_turn result;

	*response = SPAN_NONE;
	if (initial && !turn && !challenge.ptr)
		return SASL_CLIENT_RESPONSE;
	if (initial && challenge.ptr) /* it did not take the initial response, or there is none */
		turn = turn ? turn : mechanisms[c->mechanism].turns[c->step++];
	if (!turn)
		return bad(why, "one challenge too many");
	buf_clear(&c->plain);
	buf_clear(&c->challenge);
	if (c->mechanism != SASL_CLIENT_LOGIN && base64_decode(challenge, &c->challenge) != OK)
		return bad(why, "a challenge that is not base64, or too long");
	result = turn(c, why);
	return result == SASL_CLIENT_RESPONSE ? encode(c, response, why) : result;
}

static enum sasl_client_turn
prove_cram(struct sasl_client *c, struct span proof, const char **why)
{
	enum sasl_client_turn turn = PUT(c, why, c->account.name, SPAN(" "));

	return turn == SASL_CLIENT_RESPONSE && hex_put(&c->plain, proof) != OK
		? bad(why, "the name is too long")
		: turn;
}

/* "c=biws,r=NONCE,p=PROOF": the end of AuthMessage, and what was worked out from it. */
static enum sasl_client_turn
prove_scram(struct sasl_client *c, struct span proof, const char **why)
{
	enum sasl_client_turn turn = PUT(c, why, span_from(c->task.text, c->final_at), SPAN(",p="));

	return turn == SASL_CLIENT_RESPONSE && base64_put(&c->plain, proof) != OK
		? bad(why, "the proof is too long")
		: turn;
}

enum sasl_client_turn
sasl_client_prove(struct sasl_client *c, struct span proof, struct span signature,
	struct span *response, const char **why)
{
	enum sasl_client_turn turn;

	buf_clear(&c->plain);
	if (c->mechanism == SASL_CLIENT_CRAM_MD5) {
		turn = prove_cram(c, proof, why);
	} else {
		ENSURE(signature.len == sizeof(c->signature));
		memcpy(c->signature, signature.ptr, signature.len);
		turn = prove_scram(c, proof, why);
	}
	return turn == SASL_CLIENT_RESPONSE ? encode(c, response, why) : turn;
}

bool
sasl_client_is_settled(const struct sasl_client *c)
{
	return c->mechanism != SASL_CLIENT_SCRAM_SHA_256 || c->step > STEP_LAST;
}

static bool
joins(char a, char b)
{
	return ascii_is_alnum(a) && ascii_is_alnum(b);
}

/* Does WORD begin at AT of SAID, and is it no part of a longer word? */
static bool
is_word_at(struct span said, size_t at, struct span word)
{
	size_t end = at + word.len;

	return word.len > 0 && span_starts(span_from(said, at), word) &&
		(at == 0 || !joins(said.ptr[at - 1], said.ptr[at])) &&
		(end == said.len || !joins(said.ptr[end - 1], said.ptr[end]));
}

/* How many bytes of SAID from AT on are a secret; all that follow, where a mark in its place would tell it. */
static size_t
hidden_at(const struct sasl_client *c, struct span said, size_t at)
{
	const struct span secrets[] = { c->account.password, buf_span(&c->response) };
	size_t hidden = 0;

	for (size_t i = 0; i < COUNT(secrets); i++) {
		struct span secret = secrets[i];

		if (secret.len < SASL_CLIENT_SHORT && is_word_at(said, at, secret))
			return said.len - at;
		if (secret.len >= SASL_CLIENT_SHORT && secret.len > hidden && span_starts(span_from(said, at), secret))
			hidden = secret.len;
	}
	return hidden;
}

size_t
sasl_client_copy_said(const struct sasl_client *c, struct span said, char *to, size_t room)
{
	char text[SASL_CLIENT_SAID_MAX];
	size_t len = 0, at = 0;

	while (at < said.len && len + 3 <= sizeof(text)) {
		size_t skip = hidden_at(c, said, at);

		if (skip == 0)
			text[len++] = said.ptr[at];
		else
			len += span_copy_clean(SPAN("***"), text + len, sizeof(text) - len);
		at += skip > 0 ? skip : 1;
	}
	return span_copy_clean((struct span){ text, len }, to, room);
}
