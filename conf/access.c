/*
 * access.c - access lines parsed and asked.
 */
#include "conf/access.h"

#include <arpa/inet.h>
#include <string.h>

#define V4_BITS 96 /* of ::ffff:0:0, before the 32 of IPv4 */
#define WORD_BLANKS " \t\r"

enum err
access_address(struct span text, struct in6_addr *out, bool *is_v4)
{
	char word[INET6_ADDRSTRLEN];
	struct in_addr v4;

	if (text.len == 0 || text.len >= sizeof(word) || span_find(text, '\0') < text.len)
		return ERR_SYNTAX;
	memcpy(word, text.ptr, text.len);
	word[text.len] = '\0';
	*is_v4 = inet_pton(AF_INET, word, &v4) == 1;
	if (!*is_v4)
		return inet_pton(AF_INET6, word, out) == 1 ? OK : ERR_SYNTAX;
	memset(out, 0, sizeof(*out));
	out->s6_addr[10] = out->s6_addr[11] = 0xff;
	memcpy(out->s6_addr + 12, &v4, sizeof(v4));
	return OK;
}

static bool
take_word(struct span *rest, struct span *word)
{
	size_t end;

	while (rest->len > 0 && span_find(SPAN(WORD_BLANKS), rest->ptr[0]) < 3)
		*rest = span_from(*rest, 1);
	end = span_find_any(*rest, SPAN(WORD_BLANKS));
	*word = span_range(*rest, 0, end);
	*rest = span_from(*rest, end);
	return word->len > 0;
}

/* 255.255.240.0 is 20 bits; a mask with holes is none. */
static bool
mask_bits(struct span word, uint8_t *bits)
{
	struct in6_addr mask;
	bool is_v4;
	uint32_t value;

	if (access_address(word, &mask, &is_v4) != OK || !is_v4)
		return false;
	memcpy(&value, mask.s6_addr + 12, sizeof(value));
	value = ntohl(value);
	if ((value | (value - 1)) != UINT32_MAX && value != 0)
		return false;
	*bits = (uint8_t)__builtin_popcount(value);
	return true;
}

static bool
looks_like_mask(struct span word)
{
	static const char of_mask[] = "0123456789.";

	for (size_t i = 0; i < word.len; i++)
		if (span_find(SPAN(of_mask), word.ptr[i]) == sizeof(of_mask) - 1)
			return false;
	return span_find(word, '.') < word.len;
}

static void
clear_host_bits(struct in6_addr *network, unsigned bits)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned kept = bits >= 8 ? 8 : bits;

		network->s6_addr[i] &= (uint8_t)(0xff00 >> kept);
		bits -= kept;
	}
}

/* ADDRESS, ADDRESS/BITS or ADDRESS MASK, the mask being the next word. */
static enum err
take_network(struct span *rest, struct access_line *out, const char **why)
{
	struct span word, address, after, slash, ignored;
	bool is_v4;
	uint64_t bits;
	uint8_t mask = 32;

	if (!take_word(rest, &word)) {
		*why = "an address is missing";
		return ERR_SYNTAX;
	}
	bool has_slash = span_cut(word, '/', &address, &slash);
	if (access_address(address, &out->network, &is_v4) != OK) {
		*why = "not an address";
		return ERR_SYNTAX;
	}
	after = *rest;
	bits = is_v4 ? 32 : 128;
	if (has_slash && span_u64(slash, bits, &bits) != OK) {
		*why = "not a number of bits";
		return ERR_SYNTAX;
	}
	if (!has_slash && is_v4 && take_word(&after, &ignored) && looks_like_mask(ignored)) {
		if (!mask_bits(ignored, &mask)) {
			*why = "not a mask";
			return ERR_SYNTAX;
		}
		bits = mask;
		*rest = after;
	}
	/* Nothing fixed is everybody, of both families (ACC-03). */
	out->bits = (uint8_t)(is_v4 && bits > 0 ? bits + V4_BITS : bits);
	clear_host_bits(&out->network, out->bits);
	return OK;
}

static enum err
take_users(struct span rest, struct arena *a, struct access_line *out, const char **why)
{
	struct span word, at = rest, *users;
	size_t count = 0;

	while (take_word(&at, &word))
		count += !span_eq_nocase(word, SPAN("noauth"));
	if (count > ACCESS_USERS_MAX) {
		*why = "too many users";
		return ERR_LIMIT;
	}
	users = ARENA_ARRAY(a, struct span, count + 1);
	while (take_word(&rest, &word)) {
		if (span_eq_nocase(word, SPAN("noauth")))
			out->noauth = true;
		else
			users[out->user_count++] = arena_copy(a, word);
	}
	out->users = users;
	return OK;
}

enum err
access_parse(
	struct span text, struct arena *a, struct access_line *out, bool *is_line, const char **why)
{
	struct span rest = span_trim(span_range(text, 0, span_find(text, '#')));
	enum err err;

	*out = (struct access_line){ 0 };
	*is_line = rest.len > 0;
	if (!*is_line)
		return OK;
	out->text = arena_copy(a, rest);
	if (rest.ptr[0] == '!') {
		out->deny = true;
		rest = span_from(rest, 1);
	}
	err = take_network(&rest, out, why);
	if (err == OK)
		err = take_users(rest, a, out, why);
	if (err == OK && out->deny && out->noauth) {
		*why = "noauth has no meaning after !";
		err = ERR_SYNTAX;
	}
	return err;
}

static bool
is_inside(const struct access_line *line, const struct in6_addr *address)
{
	struct in6_addr network = *address;

	clear_host_bits(&network, line->bits);
	return memcmp(&network, &line->network, sizeof(network)) == 0;
}

static bool
names_user(const struct access_line *line, struct span user)
{
	for (size_t i = 0; i < line->user_count; i++)
		if (span_eq_nocase(line->users[i], user))
			return true;
	return false;
}

/* Does a line of named users count for USER? Nobody yet: it lets in, and refuses nobody. */
static bool
counts_for(const struct access_line *line, struct span user)
{
	if (line->user_count == 0)
		return true;
	return user.len == 0 ? !line->deny : names_user(line, user);
}

struct access_decision
access_decide(struct access_list list, const struct in6_addr *address, struct span user)
{
	for (size_t i = 0; i < list.count; i++) {
		const struct access_line *line = &list.items[i];

		if (!is_inside(line, address) || !counts_for(line, user))
			continue;
		if (line->deny)
			return (struct access_decision){ ACCESS_DENY, line };
		if (line->noauth && (line->user_count == 0 || user.len > 0))
			return (struct access_decision){ ACCESS_ALLOW_NOAUTH, line };
		return (struct access_decision){ ACCESS_ALLOW, line };
	}
	return (struct access_decision){ list.count == 0 ? ACCESS_ALLOW : ACCESS_DENY, NULL };
}
