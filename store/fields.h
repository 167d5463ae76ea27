/*
 * fields.h - records whose fields are rows of a table: one row for code, record, command
 * line and the documentation.
 *
 * A struct such as struct user is described by an array of struct field. From it come the encoding
 * (a tag, a length, the bytes; what equals the default is left out), the decoding, "set KEY=VALUE"
 * and the text that `show` prints. A tag is never used for a second purpose: old records carry it.
 *
 * How a kind lies in the struct and how it is written as text:
 *
 *   FIELD_TEXT    struct span   as it is; control characters are refused
 *   FIELD_LIST    struct span   "a;b": parts by ';', blanks around them dropped, empty ones too
 *   FIELD_FLAG    bool          yes no (also on off, true false, 1 0)
 *   FIELD_TRI     uint8_t       enum tri: unset on off
 *   FIELD_COUNT   uint64_t      decimal, at most MAX
 *   FIELD_WORD    uint8_t       index into WORDS
 *   FIELD_BITS    uint32_t      "pop3,imap": bit N is word N of WORDS; "all" and "none" too
 *   FIELD_TIME    int64_t       milliseconds since 1970, UTC
 *   FIELD_ID      uint64_t      the id of another row; its text is the business of that row's table
 *   FIELD_BYTES   struct span   opaque; never text
 */
#ifndef STORE_FIELDS_H
#define STORE_FIELDS_H

#include <stddef.h>

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "store/record.h"

enum field_kind {
	FIELD_TEXT,
	FIELD_LIST,
	FIELD_FLAG,
	FIELD_TRI,
	FIELD_COUNT,
	FIELD_WORD,
	FIELD_BITS,
	FIELD_TIME,
	FIELD_ID,
	FIELD_BYTES,
};

enum tri { TRI_UNSET, TRI_ON, TRI_OFF };

enum field_flag {
	FIELD_SETTABLE = 1, /* `set KEY=VALUE` may change it */
	FIELD_SECRET = 2,   /* never printed, never logged */
	FIELD_SHOWN = 4,    /* `show --json` prints it */
};

struct field {
	const char *name;
	uint8_t tag;  /* in the record, 1..255 */
	uint8_t kind; /* enum field_kind */
	uint8_t flags;
	size_t offset;            /* of the member in its struct */
	uint64_t max;             /* largest number, or most bytes of text */
	const char *const *words; /* FIELD_WORD, FIELD_BITS: names, ended by NULL */
};

/* For the tables: a row of an X list, `STRUCT` being the struct's name. */
#define FIELD_ROW(STRUCT, name, tag, kind, max, words, flags)                                      \
	{ #name, tag, kind, flags, offsetof(struct STRUCT, name), max, words },

/* A table of them, with the struct that holds the defaults. */
struct field_table {
	const struct field *fields;
	size_t count;
	const void *defaults;
	size_t size; /* of the struct */
};

/* NULL where there is no such key. Names compare exactly. */
const struct field *field_find(const struct field_table *table, struct span name);

/*
 * Set FIELD of OBJECT from text. Text is copied into ARENA. ERR_SYNTAX where it is no value of that
 * kind, ERR_LIMIT over the maximum, ERR_DENIED where the field is not settable; *object is then
 * unchanged. FIELD_ID is ERR_DENIED here: its owner resolves the name.
 */
MUST_CHECK enum err field_set(
	const struct field *field, void *object, struct span value, struct arena *arena);

/* The value as text, into OUT; nothing for FIELD_SECRET and FIELD_BYTES. ERR_LIMIT from OUT. */
MUST_CHECK enum err field_put_text(const struct field *field, const void *object, struct buf *out);

/* Plain look at a value, for those who print numbers as numbers. The kind must fit (asserted). */
struct span field_span(const struct field *field, const void *object);
uint64_t field_number(const struct field *field, const void *object);

/*
 * Is every value within its bounds, and every text free of control characters? ERR_LIMIT,
 * ERR_SYNTAX; *WHICH (may be NULL) is then the field at fault.
 */
MUST_CHECK enum err fields_check(
	const struct field_table *table, const void *object, const struct field **which);

/* Room that the fields of OBJECT take in a record, at most. */
size_t fields_size_max(const struct field_table *table, const void *object);
/* Put the fields that differ from the defaults; an overflow shows when OUT is sealed. */
void fields_encode(const struct field_table *table, const void *object, struct record_out *out);
/*
 * Start from the defaults and take all that IN holds; spans point into it. ERR_CORRUPT for an
 * unknown tag, a length beyond the record, a number that is too long or over its maximum.
 */
MUST_CHECK enum err fields_decode(
	const struct field_table *table, struct record_in *in, void *object);
/* Copy every text of OBJECT into ARENA. */
void fields_copy(const struct field_table *table, void *object, struct arena *arena);

/* How many characters a text has that is UTF-8 (RFC 3629, 3). */
size_t field_characters(struct span text);
/* The parts of a FIELD_LIST value one by one; *rest starts as the value. False at the end. */
bool field_list_next(struct span *rest, struct span *part);

#endif
