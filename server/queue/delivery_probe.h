/*
 * delivery_probe.h - a delivery without mail, for `route test`: connects, secures, logs in, and leaves. It may ask for
 * mail that waits at the server (ETRN, RFC 1985).
 *
 * It goes the way that mail goes, by the same code, and tells each step. Front loop.
 */
#ifndef SERVER_QUEUE_DELIVERY_PROBE_H
#define SERVER_QUEUE_DELIVERY_PROBE_H

#include "proto/smtp/smtp_client.h"
#include "server/host.h"

#define PROBE_STEPS_MAX 60    /* what is told; the rest is left out */
#define PROBE_ANSWER_MS 30000 /* for each answer, where a delivery waits longer */
#define PROBE_MS 90000	      /* then no other address is tried */
#define PROBE_TEXT_SIZE 400

struct delivery;

enum probe_state { PROBE_OK, PROBE_NOTE, PROBE_FAILED };

struct probe_step {
	const char *step; /* static */
	enum probe_state state;
	char host[PROBE_TEXT_SIZE], text[PROBE_TEXT_SIZE];
};

struct delivery_probe {
	/* Set by the caller, and alive until `done`. */
	struct span route, hop; /* a name or "lan:HOST:PORT"; the domain, where the route is direct */
	struct span etrn; /* domain, @domain or #node that mail is asked for; empty: not asked */
	void (*done)(struct delivery_probe *p);
	void *arg;

	struct probe_step steps[PROBE_STEPS_MAX];
	size_t count;
	bool ok; /* it was ready to take mail */
	bool asked;
	unsigned etrn_code; /* 0: no answer; its text is the step "ETRN" */
	int64_t until_ms;
};

/* False: there is no such route, and `done` will not come. */
bool delivery_probe_start(struct host *front, struct delivery_probe *p);

/* ---- for delivery.c ---- */

void delivery_probe_connected(struct delivery *d);
void delivery_probe_blamed(struct delivery *d); /* d->why says what is wrong */
void delivery_probe_ready(struct delivery *d);
bool delivery_probe_asks(struct delivery *d); /* true: an answer is waited for */
void delivery_probe_answered(struct delivery *d, struct smtp_answer answer);
void delivery_probe_end(void *delivery); /* by loop_post(), like outgoing_on_end() */
bool delivery_probe_is_over(const struct delivery *d); /* no time for another address */

#endif
