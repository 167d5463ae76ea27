/*
 * bounce_act.h - for the tests of bounces: a message in the queue, and what is done to it.
 */
#ifndef TESTS_UNIT_BOUNCE_ACT_H
#define TESTS_UNIT_BOUNCE_ACT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/queue/bounce_inside.h"
#include "tests/harness/site.h"

#define ACT_HEADER \
	"From: Anna <anna@example.org>\r\nTo: x@far.test\r\nSubject: the plan\r\n"                 \
	"Return-Receipt-To: anna@example.org\r\nDate: Tue, 14 Nov 2023 23:13:20 +0100\r\n\r\n"

/* What is put into the queue, and how its recipients end. */
struct act {
	struct store_job job;
	struct bounce_ground ground;
	struct queued queued; /* to be added; its id is 40000000 and more */
	const char *to;       /* recipients, blanks between */
	struct bounce bounce;
	uint32_t notify;
	unsigned code;
	bool transport;
	const char *original; /* not NULL: not in the queue at all */
	enum err err;
	bool done;
};

/* What ACT says of its recipients becomes bounces. */
void act_bounce(struct site *site, struct act *act);
/* A message of SENDER to TO is in the queue, and ends as ACT says. */
void act_queue_and_bounce(struct site *site, struct act *act, const char *sender);
/* With anna and a postmaster; MORE settings. */
void act_site_open(struct site *site, const char *more);
size_t act_inbox(struct site *site, const char *user);
/* Does the Nth message of her INBOX hold TEXT? */
bool act_says(struct site *site, const char *user, size_t n, const char *text);

#endif
