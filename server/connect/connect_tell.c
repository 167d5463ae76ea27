/*
 * connect_tell.c - what is said of connections: the log (CON-17), and letters to the Main Administrator
 * about links (CON-14) and servers (CON-15) that do not answer, no more than one a day for each.
 */
#include <stdio.h>
#include <string.h>

#include "proto/base/text_fill.h"
#include "server/connect/connect_inside.h"
#include "server/queue/own_mail.h"

#define LETTER_MAX 2000

void
connection_log(const struct connection *c, enum log_level level, const char *what)
{
	log_put(c->all->host->log,
		&(struct log_line){ .level = level, .area = "connect", .text = what,
			.fields = { { "connection", span_of(c->name), 0 },
				{ "because", span_of(c->because), 0 } } });
}

void
connection_log_left_up(const struct connection *c, const char *why)
{
	log_put(c->all->host->log,
		&(struct log_line){ .level = LEVEL_WARNING, .area = "connect",
			.text = "the link was not taken down, look at the program `down`",
			.fields = { { "connection", span_of(c->name), 0 }, { "why", span_of(why), 0 } } });
}

static void
send_mail(struct host *host, const struct own_mail *mail)
{
	if (own_mail_send(host, mail) != OK)
		log_put(host->log, &(struct log_line){ .level = LEVEL_WARNING, .area = "connect",
					   .text = "no room for a letter",
					   .fields = { { "subject", mail->subject, 0 } } });
}

static void
send_letter(struct host *host, const char *subject, const char *text)
{
	send_mail(host, &(struct own_mail){ .subject = span_of(subject), .text = span_of(text) });
}

void
connection_tell_failure(struct connection *c)
{
	char subject[OWN_MAIL_SUBJECT_MAX], text[LETTER_MAX];

	if (!link_failures_add(&c->failures, connect_day(c->all)) || !c->all->host->conf->errors_link)
		return;
	snprintf(subject, sizeof(subject), "Connection %s: the link does not come up", c->name);
	snprintf(text, sizeof(text),
		"The link of connection %s did not come up, %u times in a row.\n\n"
		"The last attempt: %s\nIt was made because of: %s\n\n"
		"Mail that goes by it waits in the queue. You will not be told again before it has come up, "
		"or before tomorrow (errors.link).\n",
		c->name, c->failures.count, c->problem, c->because);
	send_letter(c->all->host, subject, text);
}

void
connection_tell_hook(struct connection *c, const char *program, const char *why)
{
	char subject[OWN_MAIL_SUBJECT_MAX], text[LETTER_MAX];
	int64_t day = connect_day(c->all);

	if (c->hook_told_day[c->hook] == day)
		return;
	c->hook_told_day[c->hook] = day;
	snprintf(subject, sizeof(subject), "Connection %s: the program %s failed", c->name, program);
	snprintf(text, sizeof(text),
		"The program that connections.%s.%s names %s.\n\nMail is sent and collected all the same. You "
		"will not be told again before tomorrow.\n",
		c->name, program, why);
	send_letter(c->all->host, subject, text);
}

/* ---- servers ---- */

static struct connect_told *
told_of(struct connect *all, struct span route)
{
	for (size_t i = 0; i < all->told_count; i++)
		if (span_eq_nocase(span_of(all->told[i].route), route))
			return &all->told[i];
	return NULL;
}

/* False: that was done today. */
static bool
may_tell(struct connect *all, struct span route, bool cut)
{
	struct connect_told *told = told_of(all, route);
	int64_t day = connect_day(all);

	if (!told && all->told_count == CONNECT_ROUTES_TOLD)
		all->told_count = 0; /* routes that are gone, mostly */
	if (!told) {
		told = &all->told[all->told_count++];
		*told = (struct connect_told){ 0 };
		snprintf(told->route, sizeof(told->route), "%.*s", SPAN_FMT(route));
	}
	if (told->day[cut] == day)
		return false;
	told->day[cut] = day;
	return true;
}

/* The subject is a text of the configuration (TRB-03). */
static void
send_filled(struct host *host, struct span words, struct span route, const char *text)
{
	struct arena arena;
	struct own_mail mail = { .text = span_of(text) };

	arena_init(&arena, NULL);
	mail.subject = text_fill(&arena, words, route, SPAN_NONE);
	send_mail(host, &mail);
	arena_reset(&arena);
}

void
connect_server_failed(
	struct host *front, const struct conf_route *route, bool cut, const char *why)
{
	struct connect *all = front->connect;
	const struct conf *conf = front->conf;
	char text[LETTER_MAX];

	if (!all || (!cut && !conf->errors_connection) || !may_tell(all, route->name, cut))
		return;
	snprintf(text, sizeof(text),
		"%s %.*s\n\n%s\n\nMail that goes by this route waits in the queue and is tried again. You will not "
		"be told again before mail has left by it, or before tomorrow%s.\n",
		cut ? "A server left in the middle of a message: route" : "No server could be reached: route",
		SPAN_FMT(route->name), why, cut ? "" : " (errors.connection)");
	send_filled(front, cut ? conf->texts_send_problem : conf->texts_send_unreached, route->name, text);
}

void
connect_tell_etrn(struct connect *all, const char *collector, const char *route, const char *why)
{
	char subject[OWN_MAIL_SUBJECT_MAX], text[LETTER_MAX];

	char key[CONNECTED_NAME_MAX + 12];

	snprintf(key, sizeof(key), "collector %s", collector);
	if (!all->host->conf->errors_connection || !may_tell(all, span_of(key), false))
		return;
	snprintf(subject, sizeof(subject), "Collector %s: mail that waits could not be asked for", collector);
	snprintf(text, sizeof(text),
		"ETRN by %s: %s\n\nThe next run asks again. You will not be told again before tomorrow "
		"(errors.connection).\n",
		route[0] ? route : "no route of the connection", why);
	send_letter(all->host, subject, text);
}

void
connect_server_answered(const struct host *front, const struct conf_route *route)
{
	struct connect_told *told = front->connect ? told_of(front->connect, route->name) : NULL;

	if (told)
		told->day[false] = told->day[true] = 0;
}
