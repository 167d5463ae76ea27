/*
 * fuzz_sasl.c - responses, a line each; the first byte chooses the mechanism (H67). With its high bit
 * the lines are not base64 yet, so that the grammars behind it are reached.
 */
#include "proto/base/base64.h"
#include "proto/sasl/scram.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_nonce.h"

static const enum sasl_mechanism mechanisms[] = { SASL_PLAIN, SASL_LOGIN, SASL_CRAM_MD5,
	SASL_SCRAM_SHA_256 };

/* True: another response may come. */
static bool
step(struct sasl *s, struct span response)
{
	struct sasl_login login = { .mechanism = SASL_NONE };
	struct span challenge;
	enum err why;

	switch (sasl_take(s, response, SPAN("mail.example.org"), &challenge, &login, &why)) {
	case SASL_TURN_CHALLENGE:
		return true;
	case SASL_TURN_KEYS:
		ENSURE(sasl_give_keys(s, SPAN("0123456789abcdef"), 4096).len < 500);
		return true;
	case SASL_TURN_LOGIN:
		ENSURE(login.name.len > 0 && login.name.len <= SASL_NAME_MAX);
		ENSURE(login.password.len > 0 || login.proof.len > 0);
		if (login.mechanism != SASL_SCRAM_SHA_256)
			return false;
		(void)sasl_give_signature(s, login.proof);
		return true;
	default:
		return false;
	}
}

FUZZ(in, a, out)
{
	struct scram_first first;
	struct scram_final final;
	struct sasl_login login;
	struct sasl_nonce nonce;
	struct span line, rest;
	struct sasl s;
	bool more;

	if (in.len == 0)
		return;
	(void)!sasl_plain_parse(in, &login);
	(void)!scram_first_parse(in, &first);
	(void)!scram_final_parse(in, &final);
	fuzz_nonce(&nonce);
	sasl_init(&s, mechanisms[in.ptr[0] & 3], &nonce);
	more = (in.ptr[0] & 4) ? step(&s, SPAN_NONE) : true;
	for (rest = span_from(in, 1); more && span_next_line(&rest, &line);) {
		buf_clear(out);
		if ((in.ptr[0] & 0x80) && base64_put(out, line) == OK)
			line = buf_span(out).ptr ? buf_span(out) : SPAN("");
		more = step(&s, line);
	}
	sasl_fini(&s);
}
