/*
 * blocklist.c - whom the lists are asked about, and what their answers mean.
 */
#include "server/pipeline/blocklist.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "server/pipeline/stages.h"

struct network {
	unsigned char bytes[16];
	unsigned bits;
};

#define V4(a, b, bits) { { [10] = 0xff, 0xff, (a), (b) }, 96 + (bits) }

/* RFC 1918, 3927, 6598; RFC 4193, 4291: nobody lists them. */
static const struct network inside[] = {
	V4(127, 0, 8), V4(10, 0, 8), V4(172, 16, 12), V4(192, 168, 16), V4(169, 254, 16),
	V4(100, 64, 10), { { 0xfc }, 7 }, { { 0xfe, 0x80 }, 10 }, { { [15] = 1 }, 128 },
};
static const unsigned char test_entry[16] = { [10] = 0xff, 0xff, 127, 0, 0, 2 };

static bool
network_has(const struct network *network, const unsigned char ip[16])
{
	unsigned whole = network->bits / 8, rest = network->bits % 8;

	if (memcmp(network->bytes, ip, whole) != 0)
		return false;
	return rest == 0 || (network->bytes[whole] ^ ip[whole]) >> (8 - rest) == 0;
}

static bool
is_inside(const struct mail *mail)
{
	if (memcmp(mail->peer.ip, test_entry, 16) == 0)
		return false;
	for (size_t i = 0; i < COUNT(inside); i++)
		if (network_has(&inside[i], mail->peer.ip))
			return true;
	return mail->peer_is_lan;
}

/* May it send without a login by the lines of its service? */
static bool
is_trusted(const struct conf *conf, const struct mail *mail)
{
	struct access_decision decision;
	struct in6_addr address;

	memcpy(&address, mail->peer.ip, sizeof(address));
	decision = access_decide(mail->access, &address, mail->user);
	return mail->popped || decision.answer == ACCESS_ALLOW_NOAUTH ||
		(conf->smtp_relay_check == RELAY_CLIENT_IP && stage_is_relay_range(decision));
}

/* The line of smtp.blocklist_allow that spares the client; NULL: none. */
static const struct access_line *
allowed_by(const struct conf *conf, const struct mail *mail)
{
	struct access_decision decision;
	struct in6_addr address;

	memcpy(&address, mail->peer.ip, sizeof(address));
	decision = access_decide(conf->smtp_blocklist_allow, &address, SPAN_NONE);
	return decision.answer != ACCESS_DENY ? decision.line : NULL;
}

bool
blocklist_allows(const struct conf *conf, const struct mail *mail)
{
	return allowed_by(conf, mail) != NULL;
}

/* Somebody from outside on the port for the world, whether allowed or not. */
static bool
is_stranger(const struct conf *conf, const struct mail *mail)
{
	return conf->smtp_blocklists.count > 0 && mail->via == MAIL_VIA_MX && mail->user_id == 0 &&
		!mail->peer.is_unix && !is_inside(mail) && !is_trusted(conf, mail);
}

bool
blocklists_wanted(const struct conf *conf, const struct mail *mail)
{
	return is_stranger(conf, mail) && !allowed_by(conf, mail);
}

/* Line I, where an answer fits it; *ip is that answer. */
static bool
line_fits(const struct conf *conf, const struct mail *mail, size_t i, struct blocklist *list,
	const unsigned char **ip)
{
	const struct blocklist_fact *fact = &mail->blocklists[i];
	const char *why;

	if (blocklist_parse(conf->smtp_blocklists.items[i], list, &why) != OK)
		return false; /* conf_check.c has refused such a file */
	for (size_t k = 0; k < fact->count; k++) {
		*ip = fact->answers[k];
		if (blocklist_fits(list, *ip))
			return true;
	}
	return false;
}

static void
note_line(struct pipeline_ask *ask, size_t i, size_t *listed, struct plan *plan)
{
	struct blocklist list;
	const unsigned char *ip;
	char text[40];

	if (line_fits(ask->conf, ask->mail, i, &list, &ip)) {
		snprintf(text, sizeof(text), "%u.%u.%u.%u, %s", ip[0], ip[1], ip[2], ip[3],
			list.mark ? "mark" : "reject");
		plan_note(plan, NOTE_BLOCKLIST_LISTED, list.zone, span_of(text));
		++*listed;
	} else if (ask->mail->blocklists[i].failed) {
		plan_note(plan, NOTE_BLOCKLIST_SILENT, list.zone, SPAN_NONE);
	}
}

enum verdict
blocklists_at_mail(struct pipeline_ask *ask, struct plan *plan)
{
	const struct mail *mail = ask->mail;
	struct span peer = span_of(mail->peer.text);
	size_t listed = 0, count = ask->conf->smtp_blocklists.count;
	char text[24];

	if (!is_stranger(ask->conf, mail))
		return STAGE_NEXT;
	snprintf(text, sizeof(text), "%zu", count);
	if (allowed_by(ask->conf, mail)) {
		plan_note(plan, NOTE_BLOCKLIST_ALLOWED, peer, allowed_by(ask->conf, mail)->text);
	} else if (!mail->blocklists && !mail->asks_nobody) {
		return STAGE_WAIT;
	} else if (!mail->blocklists) {
		plan_note(plan, NOTE_BLOCKLIST_UNASKED, peer, span_of(text));
	} else {
		for (size_t i = 0; i < count; i++)
			note_line(ask, i, &listed, plan);
		if (listed == 0)
			plan_note(plan, NOTE_BLOCKLIST_CLEAR, peer, span_of(text));
	}
	return STAGE_NEXT;
}

/* RFC 5321, 4.5.1: who is listed by mistake must find somebody to tell. */
static bool
is_role(const struct pipeline_ask *ask)
{
	const struct address *to = &ask->recipient;

	return (span_eq_nocase(to->local_part, SPAN("postmaster")) ||
		       span_eq_nocase(to->local_part, SPAN("abuse"))) &&
		((to->flags & ADDRESS_NO_DOMAIN) ||
			conf_is_local(ask->conf, to->local_part, to->domain));
}

enum verdict
blocklists_at_rcpt(struct pipeline_ask *ask, struct plan *plan)
{
	struct blocklist list;
	const unsigned char *ip;
	size_t i = 0;

	if (!ask->mail->blocklists || !blocklists_wanted(ask->conf, ask->mail))
		return STAGE_NEXT;
	while (i < ask->conf->smtp_blocklists.count &&
		(!line_fits(ask->conf, ask->mail, i, &list, &ip) || list.mark))
		i++;
	if (i == ask->conf->smtp_blocklists.count)
		return STAGE_NEXT;
	if (is_role(ask)) {
		plan_note(plan, NOTE_BLOCKLIST_ROLE, ask->recipient.text, list.zone);
		return STAGE_NEXT;
	}
	plan_refuse(plan, 550, "5.7.1", "");
	plan->reply.text = list.text.len > 0 ? list.text :
		arena_printf(plan->arena, "%s is on the blocklist %.*s", ask->mail->peer.text,
			SPAN_FMT(list.zone));
	return STAGE_REJECT;
}

enum err
blocklists_put_marks(const struct conf *conf, const struct mail *mail, struct buf *out)
{
	struct blocklist list;
	const unsigned char *ip;
	enum err err = OK;

	if (!mail->blocklists || !blocklists_wanted(conf, mail))
		return OK;
	for (size_t i = 0; i < conf->smtp_blocklists.count && err == OK; i++)
		if (line_fits(conf, mail, i, &list, &ip) && list.mark)
			err = buf_printf(out, BLOCKLIST_FIELD ": %.*s %.*s\r\n", SPAN_FMT(list.zone),
				SPAN_FMT(list.text));
	return err;
}
