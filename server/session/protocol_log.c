/*
 * protocol_log.c - which lines of a session go into the log (LOG-03).
 */
#include "server/session/protocol_log.h"

#include "conf/conf.h"
#include "proto/pop3/pop3_command.h"
#include "proto/smtp/smtp_command.h"
#include "server/services.h"

bool
protocol_log_is_on(const struct session *s)
{
	const struct conf_list *names = &s->conf->log_protocols;

	for (size_t i = 0; i < names->count; i++)
		if (span_eq(names->items[i], span_of(s->service->name)))
			return true;
	return false;
}

/* Does the line begin with a command of one of the protocols? */
static bool
is_command(struct span line)
{
	struct span verb = span_range(line, 0, span_find_any(line, SPAN(" \r\n")));

	for (unsigned i = SMTP_VERB_UNKNOWN + 1; i < SMTP_VERBS; i++)
		if (span_eq_nocase(verb, smtp_verb_name((enum smtp_verb)i)))
			return true;
	for (unsigned i = POP3_VERB_UNKNOWN + 1; i < POP3_VERBS; i++)
		if (span_eq_nocase(verb, pop3_verb_name((enum pop3_verb)i)))
			return true;
	return false;
}

static void
put_lines(const struct session *s, bool from_peer, struct span lines)
{
	struct span line;

	while (span_next_line(&lines, &line))
		log_protocol(s->host->log, s->class->name, s->name, from_peer, line);
}

void
protocol_log_line(const struct session *s, bool from_peer, struct span line)
{
	if (protocol_log_is_on(s))
		put_lines(s, from_peer, line);
}

void
protocol_log_peer(const struct session *s, struct span lines, bool secret)
{
	if (lines.len > 0 && protocol_log_is_on(s))
		put_lines(s, true, secret || !is_command(lines) ? SPAN("***") : lines);
}

size_t
protocol_log_mark(struct session *s)
{
	return buf_span(stream_out(&s->stream)).len;
}

void
protocol_log_own(struct session *s, size_t mark, bool secret)
{
	struct span lines = span_from(buf_span(stream_out(&s->stream)), mark);

	if (protocol_log_is_on(s))
		put_lines(s, false, secret ? SPAN("***") : lines);
}
