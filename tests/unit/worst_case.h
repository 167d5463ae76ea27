/*
 * worst_case.h - for test_worst_case.c: each does with IN what Postroom does with such bytes of a peer, and may write to OUT.
 */
#ifndef TESTS_UNIT_WORST_CASE_H
#define TESTS_UNIT_WORST_CASE_H

#include "proto/base/buf.h"
#include "tests/unit/test_proto.h"

#define MB ((size_t)1 << 20)
#define WORST_PIECE 4096 /* bytes that a read brings */

/* ---- worst_text.c ---- */

void worst_header_walk(struct span in, struct buf *out);
void worst_header_strip(struct span in, struct buf *out);
void worst_header_end(struct span in, struct buf *out);
void worst_mailboxes(struct span in, struct buf *out);
void worst_decode(struct span in, struct buf *out);
void worst_mime(struct span in, struct buf *out);
void worst_mime_base64(struct span in, struct buf *out);
void worst_quoted_printable(struct span in, struct buf *out);
void worst_html(struct span in, struct buf *out);
void worst_charset_utf8(struct span in, struct buf *out);
void worst_unfold(struct span in, struct buf *out);
void worst_stuffing(struct span in, struct buf *out);
void worst_printable(struct span in, struct buf *out);
void worst_base64(struct span in, struct buf *out);
void worst_nocase(struct span in, struct buf *out);

/* ---- worst_talk.c ---- */

void worst_smtp_commands(struct span in, struct buf *out);
void worst_smtp_text(struct span in, struct buf *out);
void worst_pop3(struct span in, struct buf *out);
void worst_imap_stranger(struct span in, struct buf *out);
void worst_imap_user(struct span in, struct buf *out);
void worst_imap_arguments(struct span in, struct buf *out);
void worst_imap_set(struct span in, struct buf *out);
void worst_imap_utf7(struct span in, struct buf *out);
void worst_json(struct span in, struct buf *out);

#endif
