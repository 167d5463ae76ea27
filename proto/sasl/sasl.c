/*
 * sasl.c - PLAIN in one response, LOGIN in two.
 */
#include "proto/sasl/sasl.h"

#include "proto/base/base64.h"
#include "proto/base/utf8.h"

static const struct {
	struct span name;
	enum sasl_mechanism mechanism;
} mechanisms[] = {
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

void
sasl_init(struct sasl *s, enum sasl_mechanism mechanism)
{
	*s = (struct sasl){ .mechanism = mechanism };
	buf_init(&s->secret, SASL_RESPONSE_MAX);
}

void
sasl_fini(struct sasl *s)
{
	buf_wipe(&s->secret);
	s->mechanism = SASL_NONE;
}

/* One exit for "good": sizes, no NUL, valid UTF-8. */
static enum err
check_login(const struct sasl_login *login)
{
	const struct span *parts[] = { &login->authzid, &login->name, &login->password };

	if (login->authzid.len > SASL_NAME_MAX || login->name.len > SASL_NAME_MAX ||
		login->password.len > SASL_PASSWORD_MAX)
		return ERR_LIMIT;
	if (login->name.len == 0 || login->password.len == 0)
		return ERR_SYNTAX;
	for (size_t i = 0; i < COUNT(parts); i++)
		if (span_find(*parts[i], '\0') < parts[i]->len || !utf8_is_valid(*parts[i]))
			return ERR_SYNTAX;
	return OK;
}

enum err
sasl_plain_parse(struct span message, struct sasl_login *login)
{
	struct span rest;

	if (!span_cut(message, '\0', &login->authzid, &rest) ||
		!span_cut(rest, '\0', &login->name, &login->password))
		return ERR_SYNTAX;
	return check_login(login);
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

static enum parse
take_plain(struct sasl *s, struct sasl_login *login, enum err *why)
{
	*why = sasl_plain_parse(buf_span(&s->secret), login);
	return *why == OK ? PARSE_DONE : PARSE_BAD;
}

static enum parse
take_login(struct sasl *s, struct span *challenge, struct sasl_login *login, enum err *why)
{
	struct span all = buf_span(&s->secret);

	if (s->step == 1) {
		s->name_len = all.len;
		*challenge = SPAN("UGFzc3dvcmQ6"); /* "Password:" */
		return PARSE_MORE;
	}
	*login = (struct sasl_login){
		.name = span_range(all, 0, s->name_len),
		.password = span_from(all, s->name_len),
	};
	*why = check_login(login);
	return *why == OK ? PARSE_DONE : PARSE_BAD;
}

enum parse
sasl_take(struct sasl *s, struct span response, struct span *challenge, struct sasl_login *login,
	enum err *why)
{
	*challenge = SPAN("");
	if (!response.ptr) {
		if (s->mechanism == SASL_LOGIN)
			*challenge = SPAN("VXNlcm5hbWU6"); /* "Username:" */
		return PARSE_MORE;
	}
	*why = take_response(s, response);
	if (*why != OK)
		return PARSE_BAD;
	s->step++;
	if (s->mechanism == SASL_LOGIN)
		return take_login(s, challenge, login, why);
	return take_plain(s, login, why);
}
