/*
 * journal_report.h - a message with its envelope, as one mail server tells another that keeps a journal.
 *
 * The report, as Exchange writes it (JRN-05, Q-36): multipart/mixed, the envelope as lines of text, then the
 * original, byte for byte, as message/rfc822.
 *
 *     Sender: anna@example.org                         the reverse-path; <> is the null one
 *     Subject: the original's, decoded
 *     Message-Id: <1@example.org>
 *     To: bo@example.org                               a recipient whom the header names: To, Cc, Bcc
 *     Recipient: carl@example.org                      one whom it does not name
 *     To: dora@example.org, Expanded: all@example.org  behind a list or group; Forwarded: behind one who forwards
 *
 * The plain copy is the original behind X-Envelope-From, X-Envelope-Count (how many lines follow) and one
 * X-Envelope-To for each recipient.
 *
 * Values in, values out; every text may come from a stranger, and none of it can begin a line of ours (H11).
 */
#ifndef PROTO_MAIL_JOURNAL_REPORT_H
#define PROTO_MAIL_JOURNAL_REPORT_H

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/mail/mail_date.h"

#define JOURNAL_TEXT_MAX (1u << 20)	/* bytes of the lines; recipients beyond it are counted, not named */
#define JOURNAL_RECIPIENTS_MAX 20000	/* that are read */
#define JOURNAL_VALUE_MAX 900		/* bytes of a value of a line; the rest is cut */
#define JOURNAL_WRAP_MAX (3u << 20)	/* bytes around the original: the lines in base64, and the header */
#define JOURNAL_PLAIN_LINES 200	/* fields of the header that are looked at for X-Envelope lines */

enum journal_word { JOURNAL_TO, JOURNAL_CC, JOURNAL_BCC, JOURNAL_RECIPIENT, JOURNAL_WORDS };
extern const char *const journal_word_texts[JOURNAL_WORDS];

enum journal_way { JOURNAL_DIRECT, JOURNAL_EXPANDED, JOURNAL_FORWARDED };

struct journal_recipient {
	enum journal_word word;
	enum journal_way way;
	struct span address;
	struct span source; /* the list, or who forwards; of JOURNAL_DIRECT none */
};

struct journal_envelope {
	struct span sender; /* empty: the null one */
	struct span subject, message_id;
	const struct journal_recipient *recipients;
	size_t count;
};

/* ---- writing ---- */

/* Append the lines. ERR_LIMIT: OUT is full. */
MUST_CHECK enum err journal_envelope_put(struct buf *out, const struct journal_envelope *envelope);

struct journal_report {
	struct span from, to;	/* addresses of the report, without brackets */
	struct span message_id; /* of the report, without brackets */
	struct span boundary;	/* letters and digits that the original does not hold: random ones */
	struct mail_date date;
	struct span trace; /* whole Received fields of the original: what runs in a circle ends (H16) */
	struct journal_envelope envelope;
};

/* Append the report's header, with its empty line, and what stands before the original. ERR_LIMIT, ERR_SYNTAX. */
MUST_CHECK enum err journal_report_put(
	struct buf *header, struct buf *front, const struct journal_report *report);
/* And what stands behind it. */
MUST_CHECK enum err journal_report_put_end(struct buf *out, struct span boundary);

/* The X-Envelope lines of a plain copy. ERR_LIMIT. */
MUST_CHECK enum err journal_plain_put(struct buf *out, const struct journal_envelope *envelope);

/* ---- reading ---- */

/*
 * Read the lines of a report, decoded; unknown ones are passed over, and addresses that are none. Spans of *out
 * point into TEXT or live in A. ERR_SYNTAX: it has no Sender line, or nobody got it.
 */
MUST_CHECK enum err journal_envelope_parse(
	struct arena *a, struct span text, struct journal_envelope *out);

/*
 * Read the X-Envelope lines of a plain copy, also as others call them: X-Envelope-Sender, X-Envelope-Recipient(s),
 * X-Journal-Sender, X-Journal-Recipient; several addresses in a line too. They stand together, behind nothing but
 * trace fields. *from and *to: where they are in HEADER. ERR_SYNTAX: it has none.
 */
MUST_CHECK enum err journal_plain_parse(struct arena *a, struct span header,
	struct journal_envelope *out, size_t *from, size_t *to);

#endif
