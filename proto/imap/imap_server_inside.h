/*
 * imap_server_inside.h - what the files of the machine share; for nobody else.
 */
#ifndef PROTO_IMAP_IMAP_SERVER_INSIDE_H
#define PROTO_IMAP_IMAP_SERVER_INSIDE_H

#include "proto/imap/imap_server.h"

/* The one place where the state changes. */
void imap_server_enter(struct imap_server *m, enum imap_server_state state);
/* Raise an event; SETTLED with its reply; the same, and the end. */
void imap_server_raise(struct imap_server *m, struct imap_event *ev, enum imap_event_kind kind);
void imap_server_settle(struct imap_server *m, struct imap_event *ev, struct imap_reply reply);
void imap_server_settle_and_close(struct imap_server *m, struct imap_event *ev,
	struct imap_reply reply, enum imap_close why);
struct imap_reply imap_server_early_reply(void);

/* SETTLED with REPLY; after a message of APPEND it is ABORT. */
void imap_server_refuse(struct imap_server *m, struct imap_event *ev, struct imap_reply reply);

/* A line, or what has come of it. */
size_t imap_server_gather(struct imap_server *m, struct span in, struct imap_event *ev);
/* Bytes of a literal that is gathered; of one that is dropped. */
size_t imap_server_literal(struct imap_server *m, struct span in, struct imap_event *ev);
size_t imap_server_drop(struct imap_server *m, struct span in);
/* What is gathered, without the last CRLF. */
struct span imap_server_command(const struct imap_server *m);

/* A whole command. FOLLOWED: more bytes came with it. */
void imap_server_run(struct imap_server *m, struct imap_event *ev, bool followed);

/* "{123}" at the end of a line. */
struct imap_announcement {
	uint64_t size;
	size_t at; /* where it begins, with its '~' */
	bool waits, binary;
	bool absurd; /* over ten digits, and it will come */
};

/* Is there one, at the end of LINE? */
bool imap_announcement_find(struct span line, struct imap_announcement *out);

/* The next literal may be a message: the command so far is an APPEND with a mailbox. */
bool imap_server_is_append(const struct imap_server *m);
/* TEXT is the command up to the announcement. */
void imap_server_append_begin(struct imap_server *m, struct imap_event *ev, struct span text,
	const struct imap_announcement *literal);
void imap_server_append_tail(struct imap_server *m, struct imap_event *ev);
size_t imap_server_append_text(struct imap_server *m, struct span in, struct imap_event *ev);

unsigned imap_server_mechanisms(const struct imap_server *m); /* that may be used now */
bool imap_server_takes_password(const struct imap_server *m);  /* LOGIN */
void imap_server_do_login(struct imap_server *m, struct imap_event *ev);
void imap_server_do_authenticate(struct imap_server *m, struct imap_event *ev);
/* RESPONSE has come, or SPAN_NONE where the mechanism has yet to ask. */
void imap_server_go_on_with_auth(
	struct imap_server *m, struct imap_event *ev, struct span response);

#endif
