/*
 * delivery_probe.c - what a test of a route is told of its delivery.
 */
#include "server/queue/delivery_probe.h"

#include <stdio.h>

#include "server/generation.h"
#include "server/net/loop.h"
#include "server/net/tls.h"
#include "server/queue/delivery.h"
#include "server/queue/outgoing_inside.h"

/* ---- steps ---- */

static struct probe_step *
add(struct delivery *d, const char *step, enum probe_state state)
{
	struct delivery_probe *p = d->probe;
	struct probe_step *s = &p->steps[p->count];

	if (p->count >= PROBE_STEPS_MAX)
		return NULL;
	p->count++;
	s->step = step;
	s->state = state;
	snprintf(s->host, sizeof(s->host), "%s", d->remote);
	s->text[0] = '\0';
	return s;
}

void
delivery_probe_connected(struct delivery *d)
{
	struct probe_step *s = add(d, "connect", PROBE_OK);

	if (s)
		snprintf(s->text, sizeof(s->text), "connected");
}

void
delivery_probe_blamed(struct delivery *d)
{
	const char *stage = d->why.stage ? d->why.stage : "connect";
	struct probe_step *s = add(d, stage, PROBE_FAILED);

	if (s && d->why.code > 0)
		snprintf(s->text, sizeof(s->text), "%u %.*s", d->why.code, SPAN_FMT(d->why.text));
	else if (s)
		snprintf(s->text, sizeof(s->text), "%.*s", SPAN_FMT(d->why.text));
}

/* "PIPELINING, 8BITMIME, SIZE 10240000" */
static void
tell_hello(struct delivery *d)
{
	static const struct {
		enum smtp_extension bit;
		const char *name;
	} names[] = {
		{ SMTP_EXT_PIPELINING, "PIPELINING" },
		{ SMTP_EXT_8BITMIME, "8BITMIME" },
		{ SMTP_EXT_SMTPUTF8, "SMTPUTF8" },
		{ SMTP_EXT_CHUNKING, "CHUNKING" },
		{ SMTP_EXT_DSN, "DSN" },
	};
	const struct smtp_extensions *e = &d->smtp.extensions;
	struct probe_step *s = add(d, d->smtp.ehlo ? "EHLO" : "HELO", PROBE_OK);
	size_t n = 0;

	for (size_t i = 0; s && i < COUNT(names); i++)
		if (e->offered & names[i].bit)
			n += (size_t)snprintf(s->text + n, sizeof(s->text) - n, "%s%s", n ? ", " : "",
				names[i].name);
	if (s && e->size > 0)
		n += (size_t)snprintf(s->text + n, sizeof(s->text) - n, "%sSIZE %llu", n ? ", " : "",
			(unsigned long long)e->size);
	if (s && n == 0)
		snprintf(s->text, sizeof(s->text), "no extensions");
}

static void
tell_tls(struct delivery *d)
{
	bool secure = stream_is_secure(&d->stream);
	char why[200] = ""; /* why nobody should believe the certificate */
	struct probe_step *s;

	if (secure)
		stream_tls_distrust(&d->stream, why, sizeof(why));
	s = add(d, "TLS", secure && !why[0] ? PROBE_OK : PROBE_NOTE);
	if (s)
		snprintf(s->text, sizeof(s->text), "%s", d->tls);
}

static void
tell_login(struct delivery *d)
{
	struct probe_step *s = add(d, "AUTH", d->smtp.authenticated ? PROBE_OK : PROBE_NOTE);

	if (s && d->smtp.authenticated)
		snprintf(s->text, sizeof(s->text), "logged in as %.*s by %s",
			SPAN_FMT(d->smtp.config.account.name), sasl_client_name(d->smtp.sasl.mechanism));
	else if (s)
		snprintf(s->text, sizeof(s->text), "not asked for: the route has no username");
}

void
delivery_probe_ready(struct delivery *d)
{
	struct probe_step *s;

	d->probe->ok = true;
	tell_hello(d);
	tell_tls(d);
	tell_login(d);
	if (d->probe->etrn.len > 0)
		return;
	s = add(d, "QUIT", PROBE_OK);
	if (s)
		snprintf(s->text, sizeof(s->text), "left again, nothing was sent");
}

bool
delivery_probe_asks(struct delivery *d)
{
	struct delivery_probe *p = d->probe;

	if (p->etrn.len == 0 || p->asked)
		return false;
	p->asked = true;
	smtp_client_etrn(&d->smtp, p->etrn, stream_out(&d->stream));
	return true;
}

void
delivery_probe_answered(struct delivery *d, struct smtp_answer answer)
{
	bool good = answer.code >= 250 && answer.code <= 253; /* RFC 1985, 5.3 */
	struct probe_step *s = add(d, "ETRN", good ? PROBE_OK : PROBE_FAILED);

	d->probe->etrn_code = answer.code;
	if (s)
		snprintf(s->text, sizeof(s->text), "%u %.*s", answer.code, SPAN_FMT(answer.text));
}

bool
delivery_probe_is_over(const struct delivery *d)
{
	return loop_now_ms(d->host->loop) > d->probe->until_ms;
}

/* ---- life ---- */

void
delivery_probe_end(void *arg)
{
	struct delivery *d = arg;
	struct delivery_probe *p = d->probe;

	list_remove(&d->all_link);
	delivery_free(&d);
	p->done(p);
}

bool
delivery_probe_start(struct host *front, struct delivery_probe *p)
{
	struct outgoing *all = front->outgoing;
	struct delivery *d = delivery_new();

	if (!outgoing_route(all, d, p->route)) {
		delivery_free(&d);
		return false;
	}
	p->until_ms = loop_now_ms(front->loop) + PROBE_MS;
	d->probe = p;
	d->all = all;
	d->front = d->host = front;
	d->generation = generation_hold(front->generation);
	d->roots = tls_client_hold(all->roots);
	d->hop = arena_copy(&d->arena, p->hop);
	list_append(&all->probes, &d->all_link);
	loop_post(front->loop, delivery_start, d);
	return true;
}
