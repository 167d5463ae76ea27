/*
 * imap_rights.h - the letters of RFC 4314, and whom they are for. The letters are pure.
 *
 * `c` and `d` are of RFC 2086 and stand for others: c for k and x, d for t and e. They are taken, and are
 * said besides where one of theirs is (RFC 4314, 2.1.1).
 *
 * Identifiers:
 *	anna         a user
 *	group:sales  the members of a group
 *	anyone       everybody who logs in
 *	-anna        what is denied to anna, whoever gave it to her (RFC 4314, 2); also -group:x, -anyone
 */
#ifndef SERVER_IMAP_IMAP_RIGHTS_H
#define SERVER_IMAP_IMAP_RIGHTS_H

#include "store/rights.h"

#define RIGHTS_TEXT_SIZE 16 /* all letters, c and d included */

/* The letters of RIGHTS into TEXT. Empty: none. */
struct span imap_rights_format(uint32_t rights, char text[RIGHTS_TEXT_SIZE]);

enum rights_mode { RIGHTS_REPLACE, RIGHTS_ADD, RIGHTS_TAKE };

/* "lr", "+t", "-cd". ERR_SYNTAX: a letter that is none (RFC 4314, 3.1). */
MUST_CHECK enum err imap_rights_parse(struct span text, enum rights_mode *mode, uint32_t *rights);
uint32_t imap_rights_change(uint32_t old, enum rights_mode mode, uint32_t rights);

/* Whom an identifier names. */
struct imap_subject {
	enum right_kind kind;
	uint64_t id;
	bool denies; /* it began with - */
};

/* ERR_SYNTAX: empty; ERR_NOT_FOUND: nobody is called so. */
MUST_CHECK enum err imap_subject_find(
	struct snapshot *snap, struct span identifier, struct imap_subject *out);
/* The identifier, in A. ERR_NOT_FOUND: he is gone. */
MUST_CHECK enum err imap_subject_name(struct snapshot *snap, const struct imap_subject *subject,
	struct arena *a, struct span *out);

#endif
