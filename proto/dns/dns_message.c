/*
 * dns_message.c - names, records and the chain of aliases.
 *
 * The records are listed once, at most DNS_RECORDS_MAX; then the chain is followed over that list, so the
 * work is bounded by the product of the two limits.
 */
#include "proto/dns/dns_message.h"

#include <string.h>

#include "proto/base/ascii.h"

#define HEADER_SIZE 12
#define WIRE_NAME_MAX 255
#define LABEL_MAX 63
#define HOPS_MAX 128 /* pointers followed within one name */
#define TYPE_CNAME 5
#define TYPE_SOA 6
#define CLASS_IN 1

enum { RCODE_OK = 0, RCODE_NXDOMAIN = 3 };

/* A name as on the wire, without compression, in lower case. */
struct wire_name {
	unsigned char bytes[WIRE_NAME_MAX];
	size_t len;
};

struct reader {
	const unsigned char *bytes;
	size_t len, at;
};

struct listed {
	size_t owner, data, size; /* places in the message */
	unsigned type;
	uint32_t ttl_s;
	bool authority;
};

/* ---- numbers and names ---- */

static bool
take_u16(struct reader *r, unsigned *out)
{
	if (r->len - r->at < 2)
		return false;
	*out = (unsigned)r->bytes[r->at] << 8 | r->bytes[r->at + 1];
	r->at += 2;
	return true;
}

static bool
take_u32(struct reader *r, uint32_t *out)
{
	unsigned high, low;

	if (!take_u16(r, &high) || !take_u16(r, &low))
		return false;
	*out = (uint32_t)high << 16 | low;
	return true;
}

static bool
name_add_label(struct wire_name *name, const unsigned char *label, size_t len)
{
	if (name->len + 1 + len >= WIRE_NAME_MAX)
		return false;
	name->bytes[name->len++] = (unsigned char)len;
	for (size_t i = 0; i < len; i++)
		name->bytes[name->len++] = (unsigned char)ascii_lower((char)label[i]);
	return true;
}

/* Take a name; NAME may be NULL. Compression only points backwards, so it always ends (RFC 9267, 2). */
static bool
take_name(struct reader *r, struct wire_name *name)
{
	struct wire_name unused;
	size_t at = r->at, limit = r->at, hops = 0;
	bool jumped = false;

	name = name ? name : &unused;
	name->len = 0;
	while (at < r->len) {
		unsigned head = r->bytes[at];

		if (head >= 0xc0) {
			if (at + 1 >= r->len || ++hops > HOPS_MAX)
				return false;
			if (!jumped)
				r->at = at + 2;
			jumped = true;
			at = (size_t)(head & 0x3f) << 8 | r->bytes[at + 1];
			if (at >= limit || at < HEADER_SIZE)
				return false;
			limit = at;
			continue;
		}
		if (head > LABEL_MAX || head > r->len - at - 1)
			return false;
		if (head == 0) {
			name->bytes[name->len++] = 0;
			if (!jumped)
				r->at = at + 1;
			return true;
		}
		if (!name_add_label(name, r->bytes + at + 1, head))
			return false;
		at += 1 + head;
	}
	return false;
}

static bool
name_is(const struct wire_name *a, const struct wire_name *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* "mail.example.org", one last dot or none. */
static bool
name_from_text(struct span text, struct wire_name *out)
{
	struct span label;
	bool more = true;

	if (text.len > 0 && text.ptr[text.len - 1] == '.')
		text.len--;
	out->len = 0;
	if (text.len == 0 || text.len > DNS_NAME_MAX)
		return false;
	while (more) {
		more = span_cut(text, '.', &label, &text);
		if (label.len == 0 || label.len > LABEL_MAX ||
			!name_add_label(out, (const unsigned char *)label.ptr, label.len))
			return false;
	}
	out->bytes[out->len++] = 0;
	return true;
}

static struct span
name_to_text(struct arena *a, const struct wire_name *name)
{
	char *text = arena_alloc(a, 4 * WIRE_NAME_MAX + 1);
	size_t len = 0;

	for (size_t at = 0; name->bytes[at] != 0;) {
		size_t end = at + 1 + name->bytes[at];

		if (at > 0)
			text[len++] = '.';
		for (at++; at < end; at++) {
			unsigned c = name->bytes[at];

			if (ascii_is_alnum((char)c) || c == '-' || c == '_') {
				text[len++] = (char)c;
				continue;
			}
			text[len++] = '\\'; /* RFC 1035, 5.1 */
			text[len++] = (char)('0' + c / 100);
			text[len++] = (char)('0' + c / 10 % 10);
			text[len++] = (char)('0' + c % 10);
		}
	}
	return (struct span){ text, len };
}

/* ---- the message ---- */

struct message {
	struct reader reader;
	unsigned flags, answers, authorities;
	struct listed *records;
	size_t count;
};

/* RFC 1035, 4.1.1: an answer, to one question, which is ours. */
static bool
take_head(struct message *m, const struct wire_name *name, enum dns_type type)
{
	struct reader *r = &m->reader;
	struct wire_name asked;
	unsigned questions, additional, qtype, qclass;

	r->at = 2; /* the id is whose channel it came by */
	if (!take_u16(r, &m->flags) || !take_u16(r, &questions) || !take_u16(r, &m->answers) ||
		!take_u16(r, &m->authorities) || !take_u16(r, &additional))
		return false;
	if (!(m->flags & 0x8000) || (m->flags & 0x7800) || questions != 1)
		return false;
	if (!take_name(r, &asked) || !take_u16(r, &qtype) || !take_u16(r, &qclass))
		return false;
	return qtype == (unsigned)type && qclass == CLASS_IN && name_is(&asked, name);
}

static bool
take_record(struct reader *r, struct listed *out, bool *is_in)
{
	unsigned class, size;

	out->owner = r->at;
	if (!take_name(r, NULL) || !take_u16(r, &out->type) || !take_u16(r, &class) ||
		!take_u32(r, &out->ttl_s) || !take_u16(r, &size) || size > r->len - r->at)
		return false;
	if (out->ttl_s & 0x80000000u)
		out->ttl_s = 0; /* RFC 2181, 8 */
	out->data = r->at;
	out->size = size;
	r->at += size;
	*is_in = class == CLASS_IN;
	return true;
}

static bool
list_records(struct arena *a, struct message *m)
{
	size_t total = (size_t)m->answers + m->authorities;

	if (total > DNS_RECORDS_MAX)
		return false;
	m->records = ARENA_ARRAY(a, struct listed, total + 1);
	for (size_t i = 0; i < total; i++) {
		struct listed *record = &m->records[m->count];
		bool is_in;

		if (!take_record(&m->reader, record, &is_in))
			return false;
		record->authority = i >= m->answers;
		m->count += is_in;
	}
	return true;
}

static bool
owner_is(const struct message *m, const struct listed *record, const struct wire_name *name)
{
	struct reader r = m->reader;
	struct wire_name owner;

	r.at = record->owner;
	return take_name(&r, &owner) && name_is(&owner, name);
}

static const struct listed *
find_alias(const struct message *m, const struct wire_name *name)
{
	for (size_t i = 0; i < m->count; i++)
		if (!m->records[i].authority && m->records[i].type == TYPE_CNAME &&
			owner_is(m, &m->records[i], name))
			return &m->records[i];
	return NULL;
}

/* From what was asked to what has the records; *ttl_s falls to the least of the links. */
static bool
follow_aliases(const struct message *m, struct wire_name *name, uint32_t *ttl_s)
{
	const struct listed *alias;

	for (int i = 0; (alias = find_alias(m, name)); i++) {
		struct reader r = m->reader;

		r.at = alias->data;
		if (i == DNS_CNAMES_MAX || !take_name(&r, name) ||
			r.at != alias->data + alias->size)
			return false;
		if (alias->ttl_s < *ttl_s)
			*ttl_s = alias->ttl_s;
	}
	return true;
}

/* ---- records ---- */

static bool
read_address(const struct message *m, const struct listed *record, struct dns_record *out)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	size_t size = record->type == DNS_A ? 4 : 16;

	if (record->size != size)
		return false;
	memcpy(out->ip, mapped, sizeof(mapped));
	memcpy(out->ip + 16 - size, m->reader.bytes + record->data, size);
	return true;
}

static bool
read_name(struct arena *a, const struct message *m, const struct listed *record,
	struct dns_record *out)
{
	struct reader r = m->reader;
	struct wire_name name;
	unsigned preference = 0;

	r.at = record->data;
	if (record->type == DNS_MX && !take_u16(&r, &preference))
		return false;
	if (!take_name(&r, &name) || r.at != record->data + record->size)
		return false;
	out->preference = (uint16_t)preference;
	out->text = name_to_text(a, &name);
	return true;
}

static bool
read_text(struct arena *a, const struct message *m, const struct listed *record,
	struct dns_record *out)
{
	const unsigned char *at = m->reader.bytes + record->data, *end = at + record->size;
	char *text = arena_alloc(a, record->size + 1);
	size_t len = 0;

	while (at < end) {
		size_t size = *at++;

		if (size > (size_t)(end - at))
			return false;
		memcpy(text + len, at, size);
		len += size;
		at += size;
	}
	out->text = (struct span){ text, len };
	return len <= DNS_TXT_MAX;
}

static bool
read_record(struct arena *a, const struct message *m, const struct listed *record,
	struct dns_record *out)
{
	switch (record->type) {
	case DNS_A:
	case DNS_AAAA:
		return read_address(m, record, out);
	case DNS_PTR:
	case DNS_MX:
		return read_name(a, m, record, out);
	default:
		return read_text(a, m, record, out);
	}
}

/* RFC 2308, 5: the lesser of the SOA's own time and its last field; without one as short as we may. */
static uint32_t
negative_ttl(const struct message *m)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct listed *record = &m->records[i];
		struct reader r = m->reader;
		uint32_t minimum;

		if (!record->authority || record->type != TYPE_SOA || record->size < 4)
			continue;
		r.at = record->data + record->size - 4;
		if (take_u32(&r, &minimum))
			return minimum < record->ttl_s ? minimum : record->ttl_s;
	}
	return DNS_TTL_MIN_S;
}

static void
collect(struct arena *a, const struct message *m, const struct wire_name *name,
	enum dns_type type, struct dns_answer *out)
{
	struct dns_record *records = ARENA_ARRAY(a, struct dns_record, m->count + 1);

	for (size_t i = 0; i < m->count; i++) {
		const struct listed *record = &m->records[i];

		if (record->authority || record->type != (unsigned)type ||
			!owner_is(m, record, name) ||
			!read_record(a, m, record, &records[out->count]))
			continue;
		if (record->ttl_s < out->ttl_s)
			out->ttl_s = record->ttl_s;
		out->count++;
	}
	out->records = records;
}

static uint32_t
within(uint32_t ttl_s)
{
	return ttl_s < DNS_TTL_MIN_S ? DNS_TTL_MIN_S :
	       ttl_s > DNS_TTL_MAX_S ? DNS_TTL_MAX_S :
				       ttl_s;
}

enum parse
dns_message_parse(struct arena *a, struct span message, struct span name, enum dns_type type,
	struct dns_answer *out)
{
	struct message m = { .reader = { (const unsigned char *)message.ptr, message.len, 0 } };
	struct wire_name wanted;
	unsigned rcode;

	*out = (struct dns_answer){ .result = DNS_FAILED, .ttl_s = DNS_TTL_MAX_S };
	if (message.len < HEADER_SIZE || !name_from_text(name, &wanted) ||
		!take_head(&m, &wanted, type))
		return PARSE_BAD;
	rcode = m.flags & 15;
	if (rcode != RCODE_OK && rcode != RCODE_NXDOMAIN) {
		out->ttl_s = DNS_TTL_MIN_S;
		return PARSE_DONE;
	}
	if (!list_records(a, &m) || !follow_aliases(&m, &wanted, &out->ttl_s))
		return PARSE_BAD;
	collect(a, &m, &wanted, type, out);
	out->result = out->count > 0 ? DNS_FOUND : rcode == RCODE_OK ? DNS_NO_DATA : DNS_NO_NAME;
	if (out->count == 0)
		out->ttl_s = negative_ttl(&m);
	out->ttl_s = within(out->ttl_s);
	return PARSE_DONE;
}

/* ---- names to ask for ---- */

bool
dns_name_is_valid(struct span text)
{
	struct wire_name name;

	return !span_has_control(text, SPAN("")) && span_find(text, ' ') == text.len &&
		name_from_text(text, &name);
}

struct span
dns_reverse_name(struct arena *a, const unsigned char ip[16], struct span zone)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	char text[DNS_REVERSE_MAX + 1];
	size_t len = 0;

	if (memcmp(ip, mapped, sizeof(mapped)) == 0)
		return arena_printf(a, "%u.%u.%u.%u.%.*s", ip[15], ip[14], ip[13], ip[12],
			SPAN_FMT(zone));
	for (int i = 15; i >= 0; i--) {
		text[len++] = "0123456789abcdef"[ip[i] & 15];
		text[len++] = '.';
		text[len++] = "0123456789abcdef"[ip[i] >> 4];
		text[len++] = '.';
	}
	return arena_printf(a, "%.*s%.*s", (int)len, text, SPAN_FMT(zone));
}
