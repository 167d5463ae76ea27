/*
 * imap_cmd_login.c - the greeting, logins, and the commands that need no folder: CAPABILITY, NOOP,
 * LOGOUT, ID, ENABLE.
 */
#include <stdlib.h>

#include "conf/conf.h"
#include "proto/base/version.h"
#include "proto/imap/imap_requests.h"
#include "server/imap/imap_session.h"
#include "server/session/login_proof.h"

#define IMAP_BAD_COMMANDS_MAX 20 /* in a row, then BYE */
#define CAPABILITIES_MAX 2048	 /* bytes */

/* ---- logging in ---- */

/* IMP-03: no password may be sent, unless TLS is good enough. */
static unsigned
mechanisms_of(const struct session *s)
{
	unsigned all = login_mechanisms(s->conf) & ~SASL_BIT(SASL_APOP);

	if (s->conf->imap_require_cram_md5 &&
		!(s->conf->imap_tls_satisfies && session_is_secure(s)))
		return all & ~SASL_SEND_PASSWORD;
	return all;
}

struct imap_server_config
imap_machine_config(struct imap_session *imap)
{
	struct session *s = &imap->session;

	return (struct imap_server_config){
		.message_size = (uint64_t)s->conf->limits_message_size,
		.bad_commands = IMAP_BAD_COMMANDS_MAX,
		.auth_failures = (unsigned)s->conf->limits_auth_failures,
		.starttls = session_can_tls(s),
		.mechanisms = mechanisms_of(s),
		.login_in_clear = peer_is_loopback(&s->peer), /* H67 */
		.hostname = imap->machine.config.hostname.len > 0 ? imap->machine.config.hostname
			    : imap->user_id			  ? SPAN_NONE
			    : host_name_at(s->conf, s->stream.io.fd, &s->arena),
		.arena = &s->command,
	};
}

/* "CAPABILITY IMAP4rev2 ..." as a code of a reply. */
static struct span
capability_code(struct imap_session *imap)
{
	char room[CAPABILITIES_MAX];
	struct buf out = { .bytes = room, .size = sizeof(room), .max = sizeof(room) };

	if (buf_put(&out, SPAN("CAPABILITY ")) != OK || imap_put_capabilities(imap, &out) != OK)
		return SPAN_NONE;
	return arena_copy(imap_arena(imap), buf_span(&out));
}

void
imap_on_connect(struct imap_session *imap)
{
	struct imap_reply reply = imap->session.conf->privacy_anonymise /* SVC-05 */
		? IMAP_OK("Ready")
		: IMAP_OK("Postroom");

	reply.code = capability_code(imap); /* RFC 9051, 7.1 */
	imap_answer(imap, reply);
}

static void
answer_login(struct imap_session *imap, enum err result, uint64_t user_id, struct span name)
{
	static const struct imap_reply refusals[] = {
		[ERR_DENIED] = { IMAP_STATUS_NO, { "AUTHENTICATIONFAILED", 20 },
			{ "Wrong name or password", 22 } }, /* RFC 5530, 3 */
		[ERR_LIMIT] = { IMAP_STATUS_NO, { "LIMIT", 5 },
			{ "Too many sessions of this user", 30 } },
		[ERR_BUSY] = { IMAP_STATUS_NO, { "UNAVAILABLE", 11 },
			{ "Not now, please try again", 25 } },
	};
	struct imap_reply reply = IMAP_OK("Logged in");

	if (result == OK)
		result = session_take_user(&imap->session, user_id, name);
	if (result != OK) {
		imap_answer(imap,
			refusals[result == ERR_DENIED || result == ERR_LIMIT ? result : ERR_BUSY]);
		return;
	}
	imap->user_id = user_id;
	shared_person_came(imap->session.host->shared, user_id); /* SCH-06 */
	reply.code = capability_code(imap);
	imap_answer(imap, reply);
	arena_reset(&imap->session.arena); /* an idle session holds no memory (H34) */
	imap->machine.config.hostname = SPAN_NONE;
}

static void
on_login(struct session *s, enum err result, uint64_t user_id, struct span name)
{
	struct imap_session *imap = imap_of(s);
	struct span signature = login_signature(imap->login);

	imap->login = NULL;
	if (session_is_closing(s))
		return;
	if (result == OK && signature.len > 0) { /* he is in when he has seen it */
		imap->proven = (struct login_proven){ user_id, arena_copy(&s->arena, name) };
		imap_answer(imap, imap_server_signature(&imap->machine, signature));
	} else {
		answer_login(imap, result, user_id, name);
	}
	session_resume(s);
}

void
imap_on_keys(struct imap_session *imap, struct span name)
{
	struct scram_key key;

	login_keys(&imap->session, name, &key);
	imap_answer(imap,
		imap_server_keys(&imap->machine, (struct span){ key.salt, sizeof(key.salt) },
			key.iterations));
	explicit_bzero(&key, sizeof(key));
}

void
imap_on_credentials(struct imap_session *imap, const struct sasl_login *credentials)
{
	session_set_doing(&imap->session, "AUTH");
	session_wait(&imap->session);
	imap->login = login_begin(&imap->session, USER_IMAP, credentials, on_login);
}

void
imap_on_confirmed(struct imap_session *imap)
{
	answer_login(imap, OK, imap->proven.user_id, imap->proven.name);
}

/* ---- commands ---- */

enum imap_turn
imap_cmd_capability(struct imap_session *imap, struct imap_cursor *args)
{
	struct buf *out = imap_out(imap);

	if (!imap_take_end(args))
		return imap_bad_arguments(imap, args);
	imap_put(buf_put(out, SPAN("* CAPABILITY ")));
	imap_put(imap_put_capabilities(imap, out));
	imap_put(buf_put(out, SPAN("\r\n")));
	return imap_end(imap, IMAP_OK("That is all"));
}

/* The dispatcher tells the news. Also CHECK: what is acknowledged is on disk. */
enum imap_turn
imap_cmd_noop(struct imap_session *imap, struct imap_cursor *args)
{
	return imap_take_end(args) ? imap_end(imap, IMAP_OK("Done")) : imap_bad_arguments(imap, args);
}

enum imap_turn
imap_cmd_logout(struct imap_session *imap, struct imap_cursor *args)
{
	if (!imap_take_end(args))
		return imap_bad_arguments(imap, args);
	imap_server_end(&imap->machine, IMAP_CLOSE_LOGOUT);
	return imap_end(imap, IMAP_OK("Goodbye"));
}

/* What a log wants to know. SPAN_NONE: it was not said. */
static struct span
id_value(const struct imap_id *id, struct span name)
{
	for (size_t i = 0; i < id->count; i++)
		if (span_eq_nocase(id->pairs[i].name, name))
			return id->pairs[i].value;
	return SPAN_NONE;
}

enum imap_turn
imap_cmd_id(struct imap_session *imap, struct imap_cursor *args)
{
	struct buf *out = imap_out(imap);
	struct imap_id id;

	if (!imap_take_id(args, &id))
		return imap_bad_arguments(imap, args);
	session_log(&imap->session, LEVEL_DEBUG, .text = "client",
		.fields = { { "name", id_value(&id, SPAN("name")), 0 },
			{ "version", id_value(&id, SPAN("version")), 0 } });
	if (imap->session.conf->privacy_anonymise) /* SVC-05 */
		imap_put(buf_put(out, SPAN("* ID NIL\r\n")));
	else
		imap_put(buf_put(out,
			SPAN("* ID (\"name\" \"Postroom\" \"version\" \"" POSTROOM_VERSION "\")\r\n")));
	return imap_end(imap, IMAP_OK("Thank you"));
}

/* RFC 9051, 6.3.1; what is unknown is passed over. */
static const struct {
	const char *name;
	unsigned bits;
} can_enable[] = {
	{ "CONDSTORE", IMAP_ENABLED_CONDSTORE },			 /* RFC 7162, 3.1 */
	{ "QRESYNC", IMAP_ENABLED_QRESYNC | IMAP_ENABLED_CONDSTORE },	 /* RFC 7162, 3.2.3 */
	{ "UTF8=ACCEPT", IMAP_ENABLED_UTF8 },				 /* RFC 6855, 3 */
	{ "IMAP4rev2", IMAP_ENABLED_REV2 },
};

enum imap_turn
imap_cmd_enable(struct imap_session *imap, struct imap_cursor *args)
{
	struct buf *out = imap_out(imap);
	unsigned named = 0;
	bool uses_condstore = false;
	struct span name;

	do {
		if (!imap_take_space(args) || !imap_take_atom(args, &name))
			return imap_bad_arguments(imap, args);
		for (size_t i = 0; i < COUNT(can_enable); i++)
			if (span_eq_nocase(name, span_of(can_enable[i].name)))
				named |= 1u << i;
	} while (!imap_at_end(args));
	imap_put(buf_put(out, SPAN("* ENABLED")));
	for (size_t i = 0; i < COUNT(can_enable); i++) {
		if (!(named & (1u << i)) ||
			(imap->enabled & can_enable[i].bits) == can_enable[i].bits)
			continue;
		if (can_enable[i].bits & IMAP_ENABLED_CONDSTORE)
			uses_condstore = true;
		imap->enabled |= can_enable[i].bits & ~(unsigned)IMAP_ENABLED_CONDSTORE;
		imap_put(buf_put_char(out, ' '));
		imap_put(buf_put(out, span_of(can_enable[i].name)));
	}
	imap_put(buf_put(out, SPAN("\r\n")));
	if (uses_condstore)
		imap_use_condstore(imap);
	return imap_end(imap, IMAP_OK("Done"));
}
