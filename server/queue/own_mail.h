/*
 * own_mail.h - a message that the server itself writes: a welcome, an alarm, a warning.
 *
 * From Mailer_Daemon at the default domain (LOC-01), with an empty return address, so that nothing
 * ever answers it (RFC 3834, 2 and 5), and "Auto-Submitted: auto-generated"; or from a person, in whose name an
 * administrator writes, as any letter of his (USR-47). It goes through the
 * pipeline and intake as any other message does, and leaves a trace.
 *
 *     own_mail_send --> waits --> pipeline, intake --> on disk --> done(OK)
 *                         ^             |
 *                         +-- no room --+-- nobody has that name --> done(ERR_NOT_FOUND)
 *                         |
 *                         +-- the server ends --> done(ERR_BUSY)
 *
 * `done` of each letter that was taken comes, once: behind own_mails_close() none is left.
 */
#ifndef SERVER_QUEUE_OWN_MAIL_H
#define SERVER_QUEUE_OWN_MAIL_H

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "server/host.h"

struct txn;

#define OWN_MAIL_WAITING_MAX 256   /* on one loop; the next one is refused */
#define OWN_MAIL_UNDER_WAY_MAX 8   /* of these, in the hands of intake */
#define OWN_MAIL_TEXT_MAX 65536    /* bytes of text */
#define OWN_MAIL_NAMES_MAX 100     /* of one letter; a group is one name */
#define OWN_MAIL_TO_MAX 10         /* that its To field names; of more it names none */
#define OWN_MAIL_SUBJECT_MAX 512   /* bytes */
#define OWN_MAIL_RETRY_MS 5000     /* where there is no room, a full disk for instance */
#define OWN_MAIL_TRIES_MAX 120     /* ten minutes; then it is given up and logged */

struct own_mail {
	struct span to;      /* a user's name, or an address; empty: the Main Administrator (ADM-01) */
	const struct span *also; /* names of users, groups and lists beside it */
	size_t also_count;
	struct span from;    /* a person's address, the return address too; empty: Mailer_Daemon */
	struct span subject; /* UTF-8; controls become blanks (H11) */
	struct span text;    /* UTF-8, lines end in LF; any text is safe */
	/*
	 * What must be on disk if the letter is, and not without it: in its transaction, on the writer's thread, once for each
	 * try; ERR_LIMIT ends the letter, nothing is written then. May be NULL.
	 */
	enum err (*beside)(void *arg, struct txn *txn);
	/*
	 * On the loop, later, or in own_mails_end(): it is on disk, or why not (logged); ERR_DENIED: for some of several;
	 * ERR_BUSY: the server ends. May be NULL.
	 */
	void (*done)(void *arg, enum err result);
	void *arg;
};

/*
 * Write it, without waiting; all is copied. On the loop thread of HOST, any loop. ERR_BUSY: too many
 * wait, `done` does not come. ERR_LIMIT: a text over OWN_MAIL_TEXT_MAX.
 */
MUST_CHECK enum err own_mail_send(struct host *host, const struct own_mail *mail);

size_t own_mail_waiting(const struct host *host); /* those under way included */

/* The server is told to stop, on the loop of HOST: what waits for room is given up, so that nobody waits for it. */
void own_mails_hurry(struct host *host);
/* No loop runs any more, and the store is open: what still waits is given up, and nothing more is taken (ERR_BUSY). */
void own_mails_end(struct host *host);
/* With the host, behind own_mails_end() and the last commit. May be NULL. */
void own_mails_close(struct own_mails **all);

/*
 * The whole message as intake takes it, for own_mail.c and its test: header, empty line, text with CRLF
 * lines under 998 bytes (RFC 5322, 2.1.1). Pure.
 */
struct own_mail_header {
	struct span from, to, message_id; /* addresses; message_id without its brackets */
	bool by_person; /* no robot wrote it */
	int64_t now_ms;
	int zone_minutes;
};
MUST_CHECK enum err own_mail_put(struct buf *out, const struct own_mail *mail,
	const struct own_mail_header *header);
bool own_mail_is_ascii(const struct own_mail *mail);

#endif
