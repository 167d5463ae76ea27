/*
 * mime_footer.h - a text put at the foot of a message: into which parts, and what becomes of their bytes.
 *
 * The first text of the message gets it, in multipart/alternative each form of that text (SIG-04): the plain text
 * at the end of text/plain, the HTML before the closing body tag of text/html (SIG-05). What is encoded is
 * decoded at its end, extended and encoded again; a plain part that cannot say the text in its charset becomes
 * UTF-8, and what was 7bit quoted-printable (SIG-09); HTML says what is not ASCII by numbers. Nothing else of the
 * message changes. Signed and encrypted messages are left alone, and so is what cannot be read for sure.
 *
 * Pure: bytes of the message are asked of the caller, those of its end and of headers alone where that is enough.
 */
#ifndef PROTO_MIME_MIME_FOOTER_H
#define PROTO_MIME_MIME_FOOTER_H

#include "proto/base/arena.h"
#include "proto/mime/mime_derived.h"

#define MIME_FOOTER_SPOTS_MAX 8          /* texts of one message that get it */
#define MIME_FOOTER_PARTS_MAX 1000       /* parts that are looked at */
#define MIME_FOOTER_HEAD_MAX 65536       /* bytes of a part's header */
#define MIME_FOOTER_TAIL 65536           /* bytes at the end of HTML where its body tag is looked for */

/*
 * All of a message is done in one turn of a loop (H36), so its texts share what they may cost, in microseconds.
 * Measured with -O2, a MiB each: 9 to 14 ms to be encoded anew (7bit into quoted-printable, quoted-printable
 * without a hard line end), 40 to 80 ms to be made UTF-8 (ISO-8859-1 to UTF-7), 1.7 ms to have groups of base64
 * counted. So 100 KiB may change their charset, or 570 KiB their encoding, or 4 MB of base64 get it at their end,
 * in 8 ms at most; what is larger is left alone.
 */
#define MIME_FOOTER_MAX_US 8000
#define MIME_FOOTER_CONVERT_US 80 /* a KiB */
#define MIME_FOOTER_ENCODE_US 14
#define MIME_FOOTER_COUNT_US 2

/* SIZE bytes from OFFSET on, of the first byte of the message's header; *out lives as long as the answer. */
typedef enum err mime_footer_read(void *arg, uint64_t offset, uint64_t size, struct span *out);

struct mime_footer {
	struct arena *arena;
	const struct mime_derived *derived;
	struct span plain, html; /* UTF-8 with CRLF at each line's end (mime_footer_lines()); empty: no such text */
	mime_footer_read *read;
	void *arg;
};

/* Bytes that are replaced; AT counts from behind the message's header. */
struct mime_footer_edit {
	uint64_t at, size;
	struct span text;
};

struct mime_footer_result {
	struct mime_footer_edit edits[2 * MIME_FOOTER_SPOTS_MAX]; /* in order */
	size_t count;
	unsigned plain, html; /* parts that got it */
	const char *why;      /* static text, why one or all did not; NULL: all did */
	/* Where the message is one text and its header has to say something else of it: */
	struct span type, encoding; /* values of Content-Type and Content-Transfer-Encoding; empty: as they are */
	bool is_measured; /* it says how long the body was, or a sum of it: see mime_footer_put_header() */
};

/* Errors of read() alone. All memory is the arena's. */
MUST_CHECK enum err mime_footer_make(const struct mime_footer *footer, struct mime_footer_result *out);

/*
 * HEADER with TYPE and ENCODING in place of what it says, where they are not empty; without Content-MD5 and
 * Content-Length, which tell of other bytes. ERR_LIMIT, ERR_SYNTAX.
 */
MUST_CHECK enum err mime_footer_put_header(
	struct span header, struct span type, struct span encoding, struct buf *out);

/* ---- forms of the text: mime_footer_text.c ---- */

/* TEXT in UTF-8 with CRLF at the end of each line; controls are left out. In A. */
struct span mime_footer_lines(struct arena *a, struct span text);
/* The one form made from the other: escaped with line breaks; tags taken out. In A. */
struct span mime_footer_html_of(struct arena *a, struct span plain);
struct span mime_footer_plain_of(struct arena *a, struct span html);
/* TEXT for HTML: its special characters as entities. In A. */
struct span mime_footer_escape(struct arena *a, struct span text);
/* What is not ASCII as numbers, so that it is the same in every charset. In A. */
struct span mime_footer_numbers(struct arena *a, struct span html);

#endif
