/*
 * smtp_talk.h - for the tests of the SMTP server machine: a client that says its lines, and a judge who answers for the
 * session.
 */
#ifndef TESTS_UNIT_SMTP_TALK_H
#define TESTS_UNIT_SMTP_TALK_H

#include "proto/smtp/smtp_server.h"
#include "tests/unit/test_proto.h"

struct smtp_talk {
	struct smtp_server machine;
	struct arena arena;
	struct buf out, text;
	unsigned ended, refused, resets, logins;
	bool closed;
	enum smtp_close why;
	unsigned refuse_every; /* every n-th RCPT gets 550 */
	unsigned rcpts;
};

#define X80 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define HELLO "EHLO client.example.net\r\n"
#define BEGIN "MAIL FROM:<bo@example.net>\r\n", "RCPT TO:<anna@example.org>\r\n", "DATA\r\n"

extern const struct smtp_server_config smtp_talk_config;

void smtp_talk_init(struct smtp_talk *t, const struct smtp_server_config *c);
void smtp_talk_fini(struct smtp_talk *t);
/* One read. What was used. */
size_t smtp_talk_read(struct smtp_talk *t, struct span in);
/* A client: what it sends, one string a turn, NULL at the end. In pieces of SIZE bytes. */
void smtp_talk_all(struct smtp_talk *t, const char *const *turns, size_t size);
/* The first digits of each reply line, final lines only: "220 250 354 ". */
void smtp_talk_check(size_t row, const struct smtp_talk *t, const char *want);

#endif
