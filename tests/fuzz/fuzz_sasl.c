/* fuzz_sasl.c - responses, a line each; the first byte chooses the mechanism (H67). */
#include "proto/sasl/sasl.h"
#include "tests/fuzz/fuzz.h"

FUZZ(in, a, out)
{
	struct span challenge, line, rest;
	struct sasl_login login;
	struct sasl s;
	enum err why;

	if (in.len == 0)
		return;
	(void)!sasl_plain_parse(in, &login);
	sasl_init(&s, in.ptr[0] & 1 ? SASL_PLAIN : SASL_LOGIN);
	for (rest = span_from(in, 1); span_next_line(&rest, &line);)
		if (sasl_take(&s, line, &challenge, &login, &why) != PARSE_MORE)
			break;
	sasl_fini(&s);
}
