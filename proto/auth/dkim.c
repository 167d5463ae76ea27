/*
 * dkim.c - the DKIM-Signature field: which fields it covers, their canonical form, and its own text.
 */
#include "proto/auth/dkim.h"

#include "proto/base/ascii.h"
#include "proto/base/base64.h"
#include "proto/mail/header.h"

#define FIELD_NAME SPAN("DKIM-Signature")

static const struct span algorithm_names[DKIM_ALGORITHMS] = {
	[DKIM_RSA_SHA256] = { "rsa-sha256", 10 },
	[DKIM_ED25519_SHA256] = { "ed25519-sha256", 14 },
};
static const struct span canon_names[] = {
	[DKIM_SIMPLE] = { "simple", 6 },
	[DKIM_RELAXED] = { "relaxed", 7 },
};

struct span
dkim_algorithm_name(enum dkim_algorithm algorithm)
{
	return algorithm_names[algorithm];
}

bool
dkim_name_is_valid(struct span name, size_t max)
{
	struct span rest = name, label;
	bool more = true;

	if (name.len == 0 || name.len > max)
		return false;
	while (more) {
		more = span_cut(rest, '.', &label, &rest);
		if (label.len == 0 || label.len > 63 || label.ptr[0] == '-' ||
			label.ptr[label.len - 1] == '-')
			return false;
		for (size_t i = 0; i < label.len; i++)
			if (!ascii_is_alnum(label.ptr[i]) && label.ptr[i] != '-' &&
				label.ptr[i] != '_')
				return false;
	}
	return true;
}

/* ---- canonical header ---- */

/* Runs of blanks and folds become one blank; none at either end. */
static void
relaxed_value(struct span value, dkim_hash *hash, void *arg)
{
	struct span rest = span_trim_folds(value);
	size_t len;

	while (rest.len > 0) {
		len = span_find_any(rest, SPAN(" \t\r\n"));
		if (len > 0)
			hash(arg, span_range(rest, 0, len));
		rest = span_from(rest, len);
		for (len = 0; len < rest.len && (ascii_is_blank(rest.ptr[len]) ||
							rest.ptr[len] == '\r' || rest.ptr[len] == '\n');
			len++)
			;
		if (rest.len > len && len > 0)
			hash(arg, SPAN(" "));
		rest = span_from(rest, len);
	}
}

/* RELAXED without the CRLF at its end, which the signature's own field does not have. */
static void
relaxed_field(struct span raw, dkim_hash *hash, void *arg)
{
	struct span name, value;
	char c;

	span_cut(raw, ':', &name, &value);
	name = span_trim_folds(name);
	for (size_t i = 0; i < name.len; i++) {
		c = ascii_lower(name.ptr[i]);
		hash(arg, (struct span){ &c, 1 });
	}
	hash(arg, SPAN(":"));
	relaxed_value(value, hash, arg);
}

void
dkim_header_canon(enum dkim_canon canon, struct span raw, dkim_hash *hash, void *arg)
{
	if (canon == DKIM_SIMPLE) {
		hash(arg, raw);
		return;
	}
	relaxed_field(raw, hash, arg);
	hash(arg, SPAN("\r\n"));
}

/* ---- which fields ---- */

struct chosen {
	struct span name;
	struct span raw; /* ptr NULL: signed as not there */
};

struct choice {
	struct span header;
	struct chosen fields[DKIM_FIELDS_MAX];
	size_t count;
	bool full;
};

static void
choose(struct choice *c, struct span name, struct span raw)
{
	if (c->count == DKIM_FIELDS_MAX)
		c->full = true;
	else
		c->fields[c->count++] = (struct chosen){ name, raw };
}

/* Fields of one name stand in h= from the last to the first (RFC 6376, 5.4.2). */
static void
choose_name(struct choice *c, struct span name, bool oversign)
{
	struct span rest = c->header;
	struct header_field field;
	size_t first = c->count, last;

	while (header_next(&rest, &field))
		if (span_eq_nocase(field.name, name))
			choose(c, name, field.raw);
	for (last = c->count; last > first + 1; first++) {
		struct chosen other = c->fields[--last];

		c->fields[last] = c->fields[first];
		c->fields[first] = other;
	}
	if (oversign)
		choose(c, name, SPAN_NONE);
}

static bool
is_among(const struct span *names, size_t count, struct span name)
{
	for (size_t i = 0; i < count; i++)
		if (span_eq_nocase(names[i], name))
			return true;
	return false;
}

static bool
field_name_is_valid(struct span name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!ascii_is_alnum(name.ptr[i]) && name.ptr[i] != '-')
			return false;
	return name.len > 0 && name.len <= 64;
}

static enum err
choose_all(struct choice *c, const struct dkim_names *n)
{
	if (n->name_count > DKIM_NAMES_MAX || n->oversigned_count > DKIM_NAMES_MAX)
		return ERR_LIMIT;
	choose_name(c, SPAN("From"), true);
	if (!c->fields[0].raw.ptr)
		return ERR_SYNTAX; /* RFC 6376, 5.4: From must be signed */
	for (size_t i = 0; i < n->oversigned_count; i++) {
		if (!field_name_is_valid(n->oversigned[i]))
			return ERR_SYNTAX;
		if (!span_eq_nocase(n->oversigned[i], SPAN("From")) &&
			!is_among(n->oversigned, i, n->oversigned[i]))
			choose_name(c, n->oversigned[i], true);
	}
	for (size_t i = 0; i < n->name_count; i++) {
		if (!field_name_is_valid(n->names[i]))
			return ERR_SYNTAX;
		if (!span_eq_nocase(n->names[i], SPAN("From")) &&
			!is_among(n->names, i, n->names[i]) &&
			!is_among(n->oversigned, n->oversigned_count, n->names[i]))
			choose_name(c, n->names[i], false);
	}
	return c->full ? ERR_LIMIT : OK;
}

/* ---- the field's text ---- */

struct folded {
	struct buf *out;
	size_t column;
};

/* One piece that is not divided; a fold goes before it where the line would be too long. */
static void
put_word(struct folded *f, struct span word)
{
	if (f->column + 1 + word.len > DKIM_LINE_MAX && f->column > 1) {
		(void)!buf_put(f->out, SPAN("\r\n\t"));
		f->column = 1;
	} else if (f->column > 1) {
		(void)!buf_put_char(f->out, ' ');
		f->column++;
	}
	(void)!buf_put(f->out, word);
	f->column += word.len;
}

/* The same behind what stands there, without a blank between. */
static void
put_joined(struct folded *f, struct span word)
{
	if (f->column + word.len > DKIM_LINE_MAX) {
		(void)!buf_put(f->out, SPAN("\r\n\t"));
		f->column = 1;
	}
	(void)!buf_put(f->out, word);
	f->column += word.len;
}

static void
put_tag(struct folded *f, struct arena *a, const char *tag, struct span value)
{
	put_word(f, arena_printf(a, "%s=%.*s;", tag, SPAN_FMT(value)));
}

static void
put_names(struct folded *f, struct arena *a, const struct choice *c)
{
	put_word(f, arena_printf(a, "h=%.*s:", SPAN_FMT(c->fields[0].name)));
	for (size_t i = 1; i < c->count; i++) /* From stands there twice at the least */
		put_joined(f, arena_printf(a, "%.*s%s", SPAN_FMT(c->fields[i].name),
			i + 1 < c->count ? ":" : ";"));
}

static void
put_tags(const struct dkim_signing *s, const struct choice *c, struct arena *a, struct buf *field)
{
	struct folded f = { .out = field, .column = FIELD_NAME.len + 1 };
	struct buf hash;

	(void)!buf_put(field, FIELD_NAME);
	(void)!buf_put_char(field, ':');
	put_tag(&f, a, "v", SPAN("1"));
	put_tag(&f, a, "a", algorithm_names[s->algorithm]);
	put_tag(&f, a, "c", arena_printf(a, "%.*s/%.*s", SPAN_FMT(canon_names[s->header_canon]),
		SPAN_FMT(canon_names[s->body_canon])));
	put_tag(&f, a, "d", s->domain);
	put_tag(&f, a, "s", s->selector);
	if (s->time_s > 0)
		put_word(&f, arena_printf(a, "t=%lld;", (long long)s->time_s));
	if (s->expires_s > 0)
		put_word(&f, arena_printf(a, "x=%lld;", (long long)s->expires_s));
	put_names(&f, a, c);
	buf_init(&hash, 64);
	(void)!base64_put(&hash,
		(struct span){ (const char *)s->body_hash, sizeof(s->body_hash) });
	put_tag(&f, a, "bh", buf_span(&hash));
	buf_fini(&hash);
	(void)!buf_put(field, SPAN("\r\n\tb="));
}

static enum err
begin(const struct dkim_signing *s, struct choice *c, struct arena *a, struct buf *field,
	dkim_hash *hash, void *arg)
{
	size_t before = buf_span(field).len;
	enum err err = choose_all(c, &s->sign);

	if (err != OK)
		return err;
	put_tags(s, c, a, field);
	if (field->overflow)
		return ERR_LIMIT;
	for (size_t i = 0; i < c->count; i++)
		if (c->fields[i].raw.ptr)
			dkim_header_canon(s->header_canon, c->fields[i].raw, hash, arg);
	/* last the field itself, without a value of b= and without a line end (RFC 6376, 3.7) */
	if (s->header_canon == DKIM_SIMPLE)
		hash(arg, span_from(buf_span(field), before));
	else
		relaxed_field(span_from(buf_span(field), before), hash, arg);
	return OK;
}

enum err
dkim_field_begin(const struct dkim_signing *s, struct span header, struct buf *field,
	dkim_hash *hash, void *arg)
{
	struct arena a;
	struct choice *c;
	enum err err;

	if (!dkim_name_is_valid(s->domain, 253) ||
		!dkim_name_is_valid(s->selector, DKIM_SELECTOR_MAX))
		return ERR_SYNTAX;
	arena_init(&a, NULL);
	c = ARENA_NEW(&a, struct choice);
	c->header = header;
	err = begin(s, c, &a, field, hash, arg);
	arena_reset(&a);
	return err;
}

enum err
dkim_field_end(struct buf *field, struct span signature)
{
	struct folded f = { .out = field, .column = 3 }; /* behind "\tb=" */
	struct buf text;
	struct span rest;
	enum err err;

	buf_init(&text, DKIM_FIELD_MAX);
	err = base64_put(&text, signature);
	for (rest = buf_span(&text); err == OK && rest.len > 0;) {
		size_t room = DKIM_LINE_MAX - (f.column < DKIM_LINE_MAX ? f.column : 1);

		put_joined(&f, span_range(rest, 0, room));
		rest = span_from(rest, room);
	}
	buf_fini(&text);
	(void)!buf_put(field, SPAN("\r\n"));
	return err == OK && field->overflow ? ERR_LIMIT : err;
}
