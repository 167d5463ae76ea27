/*
 * collect_tell.c - see collect_tell.h.
 */
#include "server/collect/collect_tell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/base/text_fill.h"
#include "server/collect/collect_inside.h"
#include "server/log.h"
#include "server/queue/own_mail.h"

#define DAY_MS INT64_C(86400000)
#define SUBJECT_MAX OWN_MAIL_SUBJECT_MAX

/* ---- likely causes ---- */

/* F-TRB-1: what the system says, or we, and what it mostly comes from. */
static const struct cause {
	int error;	   /* its text is looked for; 0: WORDS */
	const char *words;
	const char *text;
} causes[] = {
	{ ENOTSOCK, NULL, "This is harmless where the server is just being shut down." },
	{ EAFNOSUPPORT, NULL,
		"The server has an address of a kind that this machine cannot use. Look at the address of the "
		"server, and at the network of this machine." },
	{ EADDRINUSE, NULL,
		"Another program on this machine, perhaps another mail program, holds that address and port." },
	{ EADDRNOTAVAIL, NULL,
		"The address cannot be used from this machine, or all of its ports to that server are in use." },
	{ ECONNABORTED, NULL,
		"The connection was closed because of a failure on the way: the link failed, or somebody took it "
		"down." },
	{ ECONNRESET, NULL,
		"Something outside cut the connection: the server itself, the link, or a firewall or proxy." },
	{ 0, "the connection broke",
		"Something outside cut the connection: the server itself, the link, or a firewall or proxy." },
	{ ETIMEDOUT, NULL,
		"The provider has trouble, a proxy on the way is slow, or the link is faulty." },
	{ ECONNREFUSED, NULL,
		"No mail server listens at that address and port, it is too busy to take connections, or a firewall "
		"refuses them. Look at server, port and tls of the collector." },
	{ EHOSTUNREACH, NULL, "There is no way to that machine now: look at the link and at the routing." },
	{ ENETUNREACH, NULL, "There is no way to that network now: look at the link and at the routing." },
	{ 0, "has no address",
		"There is no machine of that name. It may be mistyped, or the provider's name servers have trouble." },
	{ 0, "no answer from the name servers",
		"The name servers cannot be reached or are slow: look at the link and at the name servers of this "
		"machine." },
	{ 0, "the server closed the connection",
		"This server did not close it. Some providers do so where the mailbox is empty or when they are too "
		"busy; a firewall, a proxy or a virus scanner on the way may do it too." },
	{ 0, "no answer in time",
		"The connection was idle for as long as `timeout` of the collector says. The provider may be slow, or "
		"the link is faulty." },
	{ 0, "too slow:",
		"The line is worse than 64 kbit/s that many share, or a proxy or virus scanner on the way lets bytes through "
		"one by one." },
};

static const char *
cause_of(const char *why)
{
	struct span text = span_of(why);

	for (size_t i = 0; i < COUNT(causes); i++) {
		const char *words = causes[i].error ? strerror(causes[i].error) : causes[i].words;

		if (span_find_span_nocase(text, span_of(words)) < text.len)
			return causes[i].text;
	}
	return NULL;
}

/* What helps, by the kind of the fault and the last command. */
static const char *
advice_of(const struct source_problem *problem)
{
	static const char *const texts[] = {
		[SOURCE_NO_TLS] =
			"The server offers no TLS as the collector wants it, or has a certificate that nobody "
			"here vouches for: look at tls and tls_ca of the collector.",
		[SOURCE_NO_LOGIN] =
			"Look at username, password and auth of the collector: `collect test` logs in and "
			"fetches nothing.",
		[SOURCE_LOCKED] =
			"Somebody else is in the mailbox, another collector or another site perhaps. It is tried "
			"again the next time.",
		[SOURCE_REFUSED] = "Mostly the provider's server has trouble: ask there if it goes on.",
		[SOURCE_NONSENSE] = "Look whether server, port and kind of the collector are right.",
		[SOURCE_OWN] = "This is trouble of this machine, not of the provider.",
	};
	struct span command = span_of(problem->command);

	if (span_starts_nocase(command, SPAN("*ENV"))) /* TRB-08 */
		return "The last command was *ENV, which most providers do not know: switch that option off "
		       "(collect set NAME demon_env=no).";
	return (size_t)problem->fault < COUNT(texts) ? texts[problem->fault] : NULL;
}

/* ---- the step ---- */

const char *
collect_failed_step(const struct conf_collector *c, const struct collection_end *end)
{
	static const char *const ways[] = { [SOURCE_BEGUN] = "connect", [SOURCE_WANTS_TOKEN] = "token",
		[SOURCE_LOOKS_UP] = "name", [SOURCE_DIALS] = "connect" };
	static const char *const logins[] = { "USER", "PASS", "APOP", "AUTH", "LOGIN" };
	static const struct { const char *why, *step; } own[] = { { "tls_ca", "encryption" }, { "the password", "login" } };
	const struct source_problem *p = &end->problem;
	struct span command = span_of(p->command);

	if (c->kind == COLLECTOR_SPOOL && !end->logged_in)
		return "folder";
	if (p->fault == SOURCE_NO_TLS)
		return "encryption";
	for (size_t i = 0; i < COUNT(own) && p->fault == SOURCE_OWN; i++)
		if (span_starts(span_of(end->why), span_of(own[i].why)))
			return own[i].step;
	if (p->way != SOURCE_CONNECTED)
		return ways[p->way];
	if (end->logged_in || span_eq(command, SPAN("SELECT")) || span_eq(command, SPAN("STAT")))
		return "mailbox";
	for (size_t i = 0; i < COUNT(logins); i++)
		if (span_starts(command, span_of(logins[i])))
			return "login";
	return p->fault == SOURCE_NO_LOGIN ? "login" : "greeting";
}

/* ---- the letter ---- */

enum collect_letter
collect_letter_of(const struct collection_end *end)
{
	if (!end->failed || end->stopped)
		return COLLECT_NO_LETTER;
	return end->problem.fault == SOURCE_NO_CONNECTION || end->problem.fault == SOURCE_NO_TLS
		? COLLECT_UNREACHED : COLLECT_PROBLEM;
}

static const char *
protocol_of(const struct conf_collector *c)
{
	return c->kind == COLLECTOR_IMAP ? "IMAP" : c->kind == COLLECTOR_SPOOL ? "File" : "POP3";
}

static enum err
put_paragraph(struct buf *text, const char *paragraph)
{
	return paragraph ? buf_printf(text, "\n%s\n", paragraph) : OK;
}

/* What both sides said, each where there is something. */
static enum err
put_session(struct buf *text, const struct source_problem *p)
{
	enum err err = OK;

	if (p->answer[0])
		err = buf_printf(text, "\nThe received answer was: \"%s\"\n", p->answer);
	if (err == OK && p->command[0])
		err = buf_printf(text, "%sThe last command sent was: \"%s\"\n", p->answer[0] ? "" : "\n", p->command);
	if (err == OK && p->remote[0])
		err = buf_printf(text, "\nServer: %s%s%s\n", p->remote, p->tls[0] ? ", " : "", p->tls);
	return err;
}

static enum err
put_unsure(struct buf *text, const struct source_problem *p)
{
	return put_paragraph(text, p->removed_unsure
		? "Messages were to be removed from the server, and it is not known whether they are. They are "
		  "not fetched again." : NULL);
}

/* Those of single messages, and all but the one that ended it. */
static enum err
put_errors(struct buf *text, const struct collect_report *r)
{
	bool begun = false;
	enum err err = OK;

	for (size_t i = 0; i < r->error_count && err == OK; i++) {
		if (strcmp(r->errors[i], r->end->why) == 0)
			continue;
		err = buf_printf(text, "%s  %s\n", begun ? "" : "\nIt also said:\n", r->errors[i]);
		begun = true;
	}
	return err;
}

static enum err
put_head(const struct collect_report *r, enum collect_letter letter, struct buf *text)
{
	const struct conf_collector *c = r->collector;

	if (letter == COLLECT_UNREACHED)
		return buf_printf(text, "%s client not started - could not connect to server %.*s (%u)\n%s\n",
			protocol_of(c), SPAN_FMT(c->name), r->place, r->end->why);
	return buf_printf(text, "Error with %s client %.*s (%u)\n%s\n", protocol_of(c), SPAN_FMT(c->name), r->place,
		r->end->why);
}

enum err
collect_letter_put(const struct collect_report *r, struct buf *subject, struct buf *text)
{
	enum collect_letter letter = collect_letter_of(r->end);
	struct span words = letter == COLLECT_UNREACHED ? r->conf->texts_collect_unreached
							: r->conf->texts_collect_problem;
	const struct source_problem *p = &r->end->problem;
	struct arena arena;
	enum err err;

	arena_init(&arena, NULL);
	err = buf_put(subject, text_fill(&arena, words, span_of(protocol_of(r->collector)), r->collector->name));
	arena_reset(&arena);
	if (err == OK)
		err = put_head(r, letter, text);
	if (err == OK)
		err = put_paragraph(text, cause_of(r->end->why));
	if (err == OK)
		err = put_paragraph(text, advice_of(p));
	if (err == OK)
		err = put_session(text, p);
	if (err == OK)
		err = put_unsure(text, p);
	if (err == OK)
		err = put_errors(text, r);
	if (err == OK)
		err = buf_printf(text, "\nIt was started because of: %s\n\nWhat was not fetched stays on the server "
			"and is tried again. You will not be told of this again before a collection has gone well, "
			"or before tomorrow%s.\n", r->because,
			letter == COLLECT_UNREACHED ? " (errors.connection)" : "");
	return err;
}

/* ---- once ---- */

static int64_t
day_of(const struct collect *all)
{
	int64_t now_ms = host_now_ms(all->host);

	return (now_ms + (int64_t)host_zone_minutes(now_ms) * 60000) / DAY_MS;
}

/* False: the same was told today and nothing went well since, or enough was told today. */
static bool
may_tell(struct collector *c, const char *why)
{
	int64_t day = day_of(c->all);

	if (c->told_day != day)
		c->told_count = 0;
	else if (strcmp(c->told, why) == 0 || c->told_count >= COLLECT_LETTERS_DAY)
		return false;
	c->told_day = day;
	c->told_count++;
	snprintf(c->told, sizeof(c->told), "%s", why);
	return true;
}

static void
send_letter(struct collector *c, const struct collect_report *r)
{
	struct buf subject, text;
	struct own_mail mail = { .to = SPAN_NONE };
	enum err err;

	buf_init(&subject, SUBJECT_MAX);
	buf_init(&text, COLLECT_LETTER_MAX);
	err = collect_letter_put(r, &subject, &text);
	mail.subject = buf_span(&subject);
	mail.text = buf_span(&text);
	if (err == OK)
		err = own_mail_send(c->all->host, &mail);
	if (err != OK)
		log_put(c->all->host->log, &(struct log_line){ .level = LEVEL_WARNING, .area = "collect",
			.text = "no room for a letter", .fields = { { "collector", span_of(c->name), 0 } } });
	buf_fini(&subject);
	buf_fini(&text);
}

void
collect_tell(struct collector *c, const struct collection_end *end)
{
	const struct conf_collector *conf = collector_conf(c);
	struct collect_report r = { .conf = c->all->host->conf, .collector = conf, .place = (unsigned)c->place + 1,
		.end = end, .because = c->because };
	enum collect_letter letter = collect_letter_of(end);

	if (!end->failed)
		c->told[0] = '\0';
	if (letter == COLLECT_NO_LETTER || !conf || (letter == COLLECT_UNREACHED && !r.conf->errors_connection) ||
		!may_tell(c, end->why))
		return;
	if (c->result) {
		r.errors = c->result->errors;
		r.error_count = c->result->error_count;
	}
	send_letter(c, &r);
}
