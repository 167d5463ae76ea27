/*
 * spf.h - may this host send mail of that domain? check_host() of RFC 7208 as a machine.
 *
 * Pure: it says which question it has for a name server, is given the answer, and has a result in the end.
 *
 *     spf_init --> spf_next: a question --> spf_answer --> spf_next ... --> spf_next: none; ->result
 *
 * Whoever wrote the records may be hostile (H69): SPF_LOOKUPS_MAX terms that ask, so that a loop of includes ends,
 * SPF_VOIDS_MAX answers without a record, SPF_TERMS_MAX terms a record, SPF_TEXT_MAX bytes of a text that macros
 * make. Over a limit the result is SPF_PERMERROR (RFC 7208, 4.6.4).
 *
 * Left out: the explanation (exp= is checked, not fetched: nobody is refused by it), and %{p}, which is "unknown"
 * as where nothing is validated (RFC 7208, 7.3).
 */
#ifndef PROTO_AUTH_SPF_H
#define PROTO_AUTH_SPF_H

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/dns/dns_message.h"

#define SPF_LOOKUPS_MAX 10 /* terms that ask a name server (RFC 7208, 4.6.4) */
#define SPF_VOIDS_MAX 2	   /* answers without a record */
#define SPF_NAMES_MAX 10   /* of one answer: MX over it are an error, PTR over it are not looked at */
#define SPF_TERMS_MAX 500  /* of one record */
#define SPF_TEXT_MAX 8192  /* bytes of one text with its macros expanded */

enum spf_result { /* RFC 7208, 2.6 */
	SPF_NONE,
	SPF_NEUTRAL,
	SPF_PASS,
	SPF_FAIL,
	SPF_SOFTFAIL,
	SPF_TEMPERROR,
	SPF_PERMERROR,
	SPF_RESULTS
};
const char *spf_result_word(enum spf_result result); /* "softfail" */

/* ---- spf_record.c: one record ---- */

enum spf_mechanism { SPF_ALL, SPF_INCLUDE, SPF_A, SPF_MX, SPF_PTR, SPF_IP4, SPF_IP6, SPF_EXISTS };

struct spf_term {
	enum spf_mechanism mechanism;
	enum spf_result qualifier; /* the result where it fits */
	struct span text;	   /* all of it, as it stands there */
	struct span domain;	   /* a domain-spec; empty: the domain at hand */
	unsigned char ip[16];	   /* ip4 as ::ffff:a.b.c.d, ip6 */
	unsigned bits4, bits6;	   /* of 32 and of 128 */
};

struct spf_record {
	const struct spf_term *terms;
	size_t count;
	struct span redirect; /* a domain-spec; ptr NULL: there is none */
};

bool spf_record_is(struct span text); /* "v=spf1" and nothing, or a blank (RFC 7208, 4.5) */
/*
 * Parse TEXT, for which spf_record_is(). Terms live in A, their spans in TEXT. ERR_SYNTAX: any of it is wrong
 * (RFC 7208, 4.6); ERR_LIMIT: more than SPF_TERMS_MAX terms.
 */
MUST_CHECK enum err spf_record_parse(struct arena *a, struct span text, struct spf_record *out);

/* ---- spf_macro.c: RFC 7208, 7 ---- */

struct spf_sender {
	unsigned char ip[16]; /* IPv6, or ::ffff:a.b.c.d */
	struct span local_part, domain; /* of the reverse-path */
	struct span helo;
};

bool spf_is_v4(const struct spf_sender *who);

bool spf_macro_is_valid(struct span text);  /* a macro-string without c, r and t (RFC 7208, 7.1) */
bool spf_domain_is_valid(struct span text); /* a domain-spec */
/* TEXT with its macros expanded, while DOMAIN is at hand. ERR_LIMIT: over SPF_TEXT_MAX; ERR_SYNTAX. */
MUST_CHECK enum err spf_macro_expand(struct span text, const struct spf_sender *who,
	struct span domain, struct buf *out);

/* ---- spf.c: the machine ---- */

struct spf_question {
	struct span name;
	enum dns_type type;
};

struct spf_frame {
	struct span domain;
	struct spf_record record;
	size_t at;	 /* the term under way */
	bool redirected; /* no record there is an error (RFC 7208, 6.1) */
};

enum spf_state { SPF_AT_RECORD, SPF_AT_TERM, SPF_AT_ADDRESS, SPF_AT_MX, SPF_AT_PTR, SPF_AT_END };

struct spf {
	enum spf_result result; /* when spf_next() is false */
	struct span because;	/* the term that fitted, or what is wrong; for the trace */

	/* The machine's own. */
	struct arena *arena;
	struct spf_sender who;
	enum spf_state state;
	struct spf_question question;
	struct spf_frame frames[SPF_LOOKUPS_MAX + 1]; /* an include inside an include */
	size_t depth;
	unsigned lookups, voids;
	struct span target;		  /* the name that the term is about */
	struct span names[SPF_NAMES_MAX]; /* of MX or PTR, whose addresses are asked for */
	size_t name_count, name_at;
	bool names_are_ptr;
};

/* WHO is copied into A, which holds what the machine keeps: as a rule a few KiB for each record, 50 at most. */
void spf_init(struct spf *m, struct arena *a, const struct spf_sender *who);
/* True: ask *q, then spf_answer(). False: it is settled. */
bool spf_next(struct spf *m, struct spf_question *q);
/* OK with records of the type asked for; ERR_NOT_FOUND: no such name or record; else: nobody could say. */
void spf_answer(
	struct spf *m, enum err err, const struct dns_record *records, size_t count);

#endif
