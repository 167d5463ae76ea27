/*
 * imap_args.h - the arguments of one command, walked from front to back (RFC 9051, 9).
 *
 * imap_server.h gathers a whole command, its literals in place, before anything here is asked: so a
 * cursor never waits. Each imap_take_x() takes one x from the front and says true; where no x stands
 * there it says false and the cursor is where it was, so alternatives may be tried in turn. A handler
 * is then one chain:
 *
 *     if (!imap_take_space(c) || !imap_take_astring(c, &name) || !imap_take_end(c))
 *             return imap_bad_arguments(s);
 *
 * Lists: imap_take_open(c), then items with imap_take_space(c) between, then imap_take_close(c).
 * Over IMAP_DEPTH_MAX or IMAP_ARGUMENTS_MAX everything says false (H23); imap_cursor_err() knows.
 *
 * Spans point into the command, or, where a quoted string had escapes, into the arena. Letter case
 * of keywords, flags and NIL does not count.
 */
#ifndef PROTO_IMAP_IMAP_ARGS_H
#define PROTO_IMAP_IMAP_ARGS_H

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/imap/imap_seqset.h"
#include "proto/mail/mail_date.h"

#define IMAP_DEPTH_MAX 20       /* lists inside each other (H23) */
#define IMAP_ARGUMENTS_MAX 1000 /* atoms, strings, numbers, sets of one command (H23) */
#define IMAP_FLAG_NAME_MAX 255  /* bytes of a keyword */

struct imap_cursor {
	struct span rest; /* what is not taken yet, without the line's CRLF */
	struct arena *arena;
	unsigned depth, arguments;
	bool over; /* a limit of H23 */
};

void imap_cursor_init(struct imap_cursor *c, struct span text, struct arena *a);
/* Why a take said false: ERR_LIMIT or ERR_SYNTAX. */
enum err imap_cursor_err(const struct imap_cursor *c);

bool imap_at_end(const struct imap_cursor *c);
MUST_CHECK bool imap_take_end(const struct imap_cursor *c); /* the same, for the end of a chain */
MUST_CHECK bool imap_take_char(struct imap_cursor *c, char want); /* punctuation */
MUST_CHECK bool imap_take_space(struct imap_cursor *c);
MUST_CHECK bool imap_take_open(struct imap_cursor *c);  /* ( */
MUST_CHECK bool imap_take_close(struct imap_cursor *c); /* ) */
bool imap_next_is(const struct imap_cursor *c, char want);

/* WORD, and after it no more atom characters. */
MUST_CHECK bool imap_take_word(struct imap_cursor *c, struct span word);

MUST_CHECK bool imap_take_atom(struct imap_cursor *c, struct span *out);
MUST_CHECK bool imap_take_string(struct imap_cursor *c, struct span *out);  /* quoted or literal */
MUST_CHECK bool imap_take_astring(struct imap_cursor *c, struct span *out); /* atom or string */
MUST_CHECK bool imap_take_nstring(struct imap_cursor *c, struct span *out); /* NIL: ptr is NULL */
/* A pattern of LIST: as astring, but % and * may stand in it bare. */
MUST_CHECK bool imap_take_list_mailbox(struct imap_cursor *c, struct span *out);
/* An astring whose bytes go to OUT instead, which its owner wipes (H66). False also where it is full. */
MUST_CHECK bool imap_take_secret(struct imap_cursor *c, struct buf *out);

MUST_CHECK bool imap_take_number(struct imap_cursor *c, uint32_t *out);
MUST_CHECK bool imap_take_nz_number(struct imap_cursor *c, uint32_t *out);
MUST_CHECK bool imap_take_number64(struct imap_cursor *c, uint64_t *out); /* 63 bits, RFC 9051, 9 */

/* "1:4,7,*", or "$" (RFC 9051, 6.4.4.1): see imap_seqset.h. In the arena. */
MUST_CHECK bool imap_take_seqset(struct imap_cursor *c, struct imap_seqset *out);

/* The bits are those of the store's FLAG_SEEN and so on. */
#define IMAP_FLAG_SEEN (1u << 0)
#define IMAP_FLAG_ANSWERED (1u << 1)
#define IMAP_FLAG_FLAGGED (1u << 2)
#define IMAP_FLAG_DELETED (1u << 3)
#define IMAP_FLAG_DRAFT (1u << 4)
#define IMAP_FLAG_RECENT (1u << 5) /* nobody may set it (RFC 3501, 2.3.2): callers look */

struct imap_flags {
	unsigned flags; /* IMAP_FLAG_ bits */
	struct span *keywords;
	size_t count;
};

/* "(\Seen $Junk)", also "()". An unknown flag with a backslash is no flag. */
MUST_CHECK bool imap_take_flag_list(struct imap_cursor *c, struct imap_flags *out);
/* The same, or flags with spaces between (RFC 9051, store-att-flags). */
MUST_CHECK bool imap_take_flags(struct imap_cursor *c, struct imap_flags *out);

/* date: "1-Feb-1994", quoted or not; *day counts from 1970-01-01. */
MUST_CHECK bool imap_take_date(struct imap_cursor *c, int64_t *day);
/* date-time: "\"17-Jul-1996 02:44:25 -0700\"", always quoted. */
MUST_CHECK bool imap_take_date_time(struct imap_cursor *c, struct mail_date *out);

/* Skip one value of whatever kind: atom, string, list of values (tagged-ext-val). */
MUST_CHECK bool imap_skip_value(struct imap_cursor *c);

/* Is it an atom character (RFC 9051, ATOM-CHAR)? */
bool imap_is_atom_char(char c);

#endif
