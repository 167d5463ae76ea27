/*
 * address.c - one way from text to an address; what is repaired is repaired before it is checked.
 */
#include "proto/mail/address.h"

#include <string.h>

#include "proto/base/ascii.h"
#include "proto/base/utf8.h"

struct local_part {
	char bytes[ADDRESS_LOCAL_PART_MAX];
	size_t len;
};

/* RFC 5322, 3.2.3, with RFC 6531, 3.3 */
static bool
is_atext(char c)
{
	return ascii_is_alnum(c) || ascii_is_8bit(c) ||
		(c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool
is_dot_atom(struct span s)
{
	bool at_start = true; /* of an atom, which may not be empty */

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] != '.' && !is_atext(s.ptr[i]))
			return false;
		if (s.ptr[i] == '.' && at_start)
			return false;
		at_start = s.ptr[i] == '.';
	}
	return !at_start;
}

/* Valid UTF-8, and nothing in it that cannot be seen (H70). */
static bool
is_clean(struct span s)
{
	uint32_t code;

	while (s.len > 0)
		if (!utf8_next(&s, &code) || !utf8_is_printable(code))
			return false;
	return true;
}

static bool
is_label(struct span label)
{
	if (label.len == 0 || label.len > ADDRESS_LABEL_MAX)
		return false;
	if (label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++) {
		char c = label.ptr[i];

		if (!ascii_is_alnum(c) && !ascii_is_8bit(c) && c != '-' && c != '_')
			return false;
	}
	return true;
}

bool
domain_is_valid(struct span domain)
{
	struct span label, rest = domain;
	bool more = true;

	if (domain.len > ADDRESS_DOMAIN_MAX || !is_clean(domain))
		return false;
	while (more) {
		more = span_cut(rest, '.', &label, &rest);
		if (!is_label(label))
			return false;
	}
	return true;
}

static bool
is_ipv4(struct span s)
{
	struct span part;
	uint64_t number;
	int parts = 0;
	bool more = true;

	for (; more; parts++) {
		more = span_cut(s, '.', &part, &s);
		if (part.len > 3 || span_u64(part, 255, &number) != OK)
			return false;
		if (part.len > 1 && part.ptr[0] == '0')
			return false; /* octal to some */
	}
	return parts == 4;
}

static bool
is_hex_group(struct span s)
{
	if (s.len == 0 || s.len > 4)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_is_digit(s.ptr[i]) &&
			(ascii_lower(s.ptr[i]) < 'a' || ascii_lower(s.ptr[i]) > 'f'))
			return false;
	return true;
}

/* Groups of a part of an IPv6 address without "::"; an IPv4 tail counts two. -1: malformed. */
static int
ipv6_groups(struct span s, bool ipv4_allowed)
{
	struct span group;
	int groups = 0;
	bool more = s.len > 0;

	while (more && groups <= 8) {
		more = span_cut(s, ':', &group, &s);
		if (!more && ipv4_allowed && is_ipv4(group))
			groups += 2;
		else if (is_hex_group(group))
			groups++;
		else
			return -1;
	}
	return groups;
}

/* RFC 4291, 2.2 */
static bool
is_ipv6(struct span s)
{
	size_t gap = span_find_span(s, SPAN("::"));
	int head = ipv6_groups(span_range(s, 0, gap), gap == s.len);
	int tail = gap < s.len ? ipv6_groups(span_from(s, gap + 2), true) : 0;

	if (head < 0 || tail < 0)
		return false;
	return gap < s.len ? head + tail <= 7 : head == 8;
}

bool
domain_is_literal(struct span domain)
{
	struct span inside;

	if (domain.len < 2 || domain.ptr[0] != '[' || domain.ptr[domain.len - 1] != ']')
		return false;
	inside = span_range(domain, 1, domain.len - 1);
	if (span_starts_nocase(inside, SPAN("IPv6:")))
		return is_ipv6(span_from(inside, 5));
	return is_ipv4(inside);
}

static unsigned
local_part_flags(struct span local)
{
	unsigned flags = 0;

	for (size_t i = 0; i < local.len; i++) {
		if (local.ptr[i] == '%')
			flags |= ADDRESS_PERCENT;
		else if (local.ptr[i] == '!')
			flags |= ADDRESS_BANG;
		else if (local.ptr[i] == '@')
			flags |= ADDRESS_AT;
		else if (ascii_is_8bit(local.ptr[i]))
			flags |= ADDRESS_UTF8;
	}
	return is_dot_atom(local) ? flags : flags | ADDRESS_QUOTED;
}

static bool
has_8bit(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (ascii_is_8bit(s.ptr[i]))
			return true;
	return false;
}

static unsigned
domain_flags(struct span domain)
{
	if (domain.len == 0)
		return ADDRESS_NO_DOMAIN;
	if (domain.ptr[0] == '[')
		return ADDRESS_LITERAL;
	return has_8bit(domain) ? ADDRESS_UTF8 : 0;
}

static bool
is_same_lowered(struct span lowered, struct span s)
{
	if (lowered.len != s.len)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (lowered.ptr[i] != ascii_lower(s.ptr[i]))
			return false;
	return true;
}

/* The flags that follow from the two parts; ADDRESS_ROUTED tells of the text that was parsed. */
static bool
flags_agree(const struct address *address)
{
	unsigned flags = local_part_flags(address->local_part) | domain_flags(address->domain);

	return (address->flags & ~(unsigned)ADDRESS_ROUTED) == flags;
}

static bool
null_is_valid(const struct address *address)
{
	return address->flags == ADDRESS_NULL && address->local_part.len == 0 &&
		address->domain.len == 0 && address->text.len == 0 && address->key.len == 0;
}

/* The text is the local-part, quoted where its flags say so, and the domain behind its '@'. */
static bool
text_agrees(const struct address *address)
{
	struct span rest = address->text, domain = address->domain;
	bool quoted = address->flags & ADDRESS_QUOTED;

	if (quoted && !span_starts(rest, SPAN("\"")))
		return false;
	rest = span_from(rest, quoted);
	for (size_t i = 0; i < address->local_part.len; i++) {
		char c = address->local_part.ptr[i];

		if (c == '"' || c == '\\')
			rest = span_starts(rest, SPAN("\\")) ? span_from(rest, 1) : SPAN_NONE;
		if (rest.len == 0 || rest.ptr[0] != c)
			return false;
		rest = span_from(rest, 1);
	}
	if (quoted && !span_starts(rest, SPAN("\"")))
		return false;
	rest = span_from(rest, quoted);
	if (domain.len == 0)
		return rest.len == 0;
	return span_starts(rest, SPAN("@")) && span_eq(span_from(rest, 1), domain);
}

bool
address_is_valid(const struct address *address)
{
	struct span local = address->local_part, domain = address->domain;

	if (address->flags & ADDRESS_NULL)
		return null_is_valid(address);
	if (local.len == 0 || local.len > ADDRESS_LOCAL_PART_MAX || !is_clean(local))
		return false;
	if (domain.len > 0 && !domain_is_literal(domain) && !domain_is_valid(domain))
		return false;
	if (!flags_agree(address) || !is_same_lowered(domain, domain))
		return false;
	return text_agrees(address) && is_same_lowered(address->key, address->text);
}

bool
address_is_null(const struct address *address)
{
	return address->flags & ADDRESS_NULL;
}

bool
address_eq(const struct address *a, const struct address *b)
{
	return address_is_null(a) == address_is_null(b) && span_eq(a->key, b->key);
}

struct address
address_copy(struct arena *a, const struct address *from)
{
	return (struct address){
		.local_part = arena_copy(a, from->local_part),
		.domain = arena_copy(a, from->domain),
		.text = arena_copy(a, from->text),
		.key = arena_copy(a, from->key),
		.flags = from->flags,
	};
}

/* local-part@domain, the local-part quoted where it must be. */
static struct span
make_text(struct arena *a, struct span local, struct span domain, bool quoted)
{
	char *text = arena_alloc(a, 2 * local.len + domain.len + 4), *to = text;

	if (quoted)
		*to++ = '"';
	for (size_t i = 0; i < local.len; i++) {
		if (local.ptr[i] == '"' || local.ptr[i] == '\\')
			*to++ = '\\';
		*to++ = local.ptr[i];
	}
	if (quoted)
		*to++ = '"';
	if (domain.len > 0) {
		*to++ = '@';
		memcpy(to, domain.ptr, domain.len);
		to += domain.len;
	}
	return (struct span){ text, (size_t)(to - text) };
}

/* The one place where an address is made: repair, then validate (H10). */
static enum err
make_address(struct arena *a, struct span local, struct span domain, struct address *out)
{
	if (domain.len > 1 && domain.ptr[domain.len - 1] == '.')
		domain.len--; /* the root's name; a@us. is a@us (H9) */
	if (domain.len > ADDRESS_DOMAIN_MAX)
		return ERR_LIMIT;
	*out = (struct address){
		.local_part = arena_copy(a, local),
		.domain = arena_lower(a, domain),
	};
	out->flags = local_part_flags(out->local_part) | domain_flags(out->domain);
	out->text = make_text(a, out->local_part, out->domain, out->flags & ADDRESS_QUOTED);
	out->key = arena_lower(a, out->text);
	return address_is_valid(out) ? OK : ERR_SYNTAX;
}

static enum err
local_part_add(struct local_part *local, char c)
{
	if (local->len == sizeof(local->bytes))
		return ERR_LIMIT;
	local->bytes[local->len++] = c;
	return OK;
}

/* A quoted-string from the front of *rest, quoting undone (RFC 5321, 4.1.2). */
static enum err
take_quoted(struct span *rest, struct local_part *local)
{
	for (size_t i = 1; i < rest->len; i++) {
		char c = rest->ptr[i];

		if (c == '"') {
			*rest = span_from(*rest, i + 1);
			return OK;
		}
		if (c == '\\' && ++i < rest->len)
			c = rest->ptr[i];
		if (ascii_is_control(c))
			return ERR_SYNTAX;
		if (local_part_add(local, c) != OK)
			return ERR_LIMIT;
	}
	return ERR_SYNTAX;
}

static enum err
take_local_part(struct span *rest, struct local_part *local)
{
	size_t len = 0;

	if (rest->len > 0 && rest->ptr[0] == '"')
		return take_quoted(rest, local);
	while (len < rest->len && (rest->ptr[len] == '.' || is_atext(rest->ptr[len])))
		len++;
	if (!is_dot_atom(span_range(*rest, 0, len)))
		return ERR_SYNTAX;
	if (len > sizeof(local->bytes))
		return ERR_LIMIT;
	memcpy(local->bytes, rest->ptr, len);
	local->len = len;
	*rest = span_from(*rest, len);
	return OK;
}

enum err
address_parse(struct arena *a, struct span text, struct address *out)
{
	struct local_part local = { .len = 0 };
	struct span rest = text;
	enum err err;

	if (text.len > ADDRESS_PATH_MAX)
		return ERR_LIMIT;
	err = take_local_part(&rest, &local);
	if (err != OK)
		return err;
	if (rest.len == 1 || (rest.len > 0 && rest.ptr[0] != '@'))
		return ERR_SYNTAX;
	return make_address(
		a, (struct span){ local.bytes, local.len }, span_from(rest, 1), out);
}

/* Where the '>' of a path stands that is not inside quotes; in.len where there is none. */
static size_t
path_end(struct span in)
{
	bool quoted = false;

	for (size_t i = 0; i < in.len; i++) {
		if (in.ptr[i] == '"')
			quoted = !quoted;
		else if (quoted && in.ptr[i] == '\\')
			i++;
		else if (!quoted && in.ptr[i] == '>')
			return i;
	}
	return in.len;
}

/* Drop "@a.test,@b.test:" (RFC 5321, appendix C). */
static enum err
drop_route(struct span *path)
{
	struct span route, hop;
	bool more = true;

	if (!span_cut(*path, ':', &route, path))
		return ERR_SYNTAX;
	while (more) {
		more = span_cut(route, ',', &hop, &route);
		if (hop.len == 0 || hop.ptr[0] != '@' || !domain_is_valid(span_from(hop, 1)))
			return ERR_SYNTAX;
	}
	return OK;
}

enum err
address_parse_path(struct arena *a, struct span in, struct address *out, size_t *used)
{
	struct span window = span_range(in, 0, ADDRESS_PATH_MAX + 2), path;
	bool routed;
	size_t end = path_end(window);
	enum err err;

	*used = 0;
	if (in.len == 0 || in.ptr[0] != '<')
		return ERR_SYNTAX;
	if (end == window.len)
		return window.len < in.len ? ERR_LIMIT : ERR_SYNTAX;
	path = span_range(in, 1, end);
	*used = end + 1;
	if (path.len == 0) {
		*out = (struct address){ .flags = ADDRESS_NULL };
		return OK;
	}
	routed = path.ptr[0] == '@';
	if (routed && drop_route(&path) != OK)
		return ERR_SYNTAX;
	err = address_parse(a, path, out);
	if (err == OK && routed)
		out->flags |= ADDRESS_ROUTED;
	return err;
}

enum err
address_with_domain(
	struct arena *a, const struct address *from, struct span domain, struct address *out)
{
	if (address_is_null(from) || domain.len == 0)
		return ERR_SYNTAX;
	return make_address(a, from->local_part, domain, out);
}
