/*
 * json.h - JSON documents (RFC 8259): a reader into a tree, a writer into a buf.
 *
 * The reader takes one whole document that is valid UTF-8 and builds a tree in an arena; strings
 * are decoded, numbers stay as written until they are asked for, so none loses digits. A \u0000, a
 * lone surrogate, a member named twice (looked for up to JSON_UNIQUE_MAX members of an object), and
 * any text after the document are ERR_SYNTAX. The work and the memory grow in step with the text;
 * nothing recurses.
 *
 * The writer keeps commas and nesting right and escapes everything (H11); its errors stick, so they
 * are checked once, at json_writer_end().
 */
#ifndef PROTO_BASE_JSON_H
#define PROTO_BASE_JSON_H

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/base/span.h"

#define JSON_TEXT_MAX 1048576 /* bytes in a document */
#define JSON_DEPTH_MAX 20     /* arrays and objects inside each other, in what is read */
#define JSON_PUT_DEPTH_MAX 31 /* the same, in what is written: a read one fits into one of ours */
#define JSON_ITEMS_MAX 65536  /* values in a document */
#define JSON_UNIQUE_MAX 64    /* members up to which an object is searched for doubles */

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_kind kind;
	bool truth;         /* JSON_BOOL */
	struct span name;   /* decoded; of a member of an object, else empty */
	struct span text;   /* JSON_STRING: decoded; JSON_NUMBER: as written */
	struct json *first; /* JSON_ARRAY, JSON_OBJECT: what it holds, in order, by `next` */
	struct json *next;
	size_t count; /* items or members */
};

/*
 * Read the document TEXT. *out and all it points to live in A.
 * ERR_SYNTAX or ERR_LIMIT, with *at the byte where the fault was seen (AT may be NULL).
 */
MUST_CHECK enum err json_parse(
	struct arena *a, struct span text, const struct json **out, size_t *at);

/* All of these take NULL for "absent", so that a path of finds needs one check, at its end. */
const struct json *json_find(const struct json *object, struct span name); /* or NULL */
const struct json *json_item(const struct json *array, size_t index);      /* or NULL */
bool json_is(const struct json *value, enum json_kind kind);
struct span json_text(const struct json *value); /* of a JSON_STRING; else ptr NULL */
bool json_truth(const struct json *value);       /* only for `true` */

/* A JSON_NUMBER without fraction and exponent. ERR_NOT_FOUND absent, ERR_SYNTAX, ERR_LIMIT. */
MUST_CHECK enum err json_u64(const struct json *value, uint64_t max, uint64_t *out);
MUST_CHECK enum err json_i64(const struct json *value, int64_t *out);

struct json_writer {
	struct buf *out;
	unsigned depth;
	uint32_t in_object; /* a bit a depth: object, not array */
	uint32_t not_first; /* a bit a depth: a comma is due */
	bool after_name;
	enum err err; /* the first one; later puts do nothing */
};

/* OUT stays the caller's. One writer writes one document, without line ends. */
void json_writer_init(struct json_writer *w, struct buf *out);
MUST_CHECK enum err json_writer_end(struct json_writer *w); /* ERR_LIMIT: OUT is full */

void json_put_object(struct json_writer *w); /* opens it; json_put_close() ends it */
void json_put_array(struct json_writer *w);
void json_put_close(struct json_writer *w);
void json_put_name(struct json_writer *w, struct span name); /* of the next value */

/* Invalid UTF-8 and NUL become U+FFFD, so that json_parse() reads it; controls are escaped. A span with ptr NULL is the empty string. */
void json_put_string(struct json_writer *w, struct span text);
void json_put_u64(struct json_writer *w, uint64_t value);
void json_put_i64(struct json_writer *w, int64_t value);
void json_put_bool(struct json_writer *w, bool value);
void json_put_null(struct json_writer *w);
void json_put_json(struct json_writer *w, const struct json *value); /* a tree; NULL is null */
void json_put_raw(struct json_writer *w, struct span json); /* already JSON, of our own making */

/* A member in one line: name and value. */
void json_put_member_string(struct json_writer *w, struct span name, struct span text);
void json_put_member_u64(struct json_writer *w, struct span name, uint64_t value);
void json_put_member_i64(struct json_writer *w, struct span name, int64_t value);
void json_put_member_bool(struct json_writer *w, struct span name, bool value);

#endif
