/*
 * recipient_text.h - finding who is meant in the text of a header, as it is in the wild: for collected mail, whose
 * envelope is lost (INM-10 to INM-20). Nothing is decided here; header_next_mailbox() divides a list before it.
 */
#ifndef PROTO_MAIL_RECIPIENT_TEXT_H
#define PROTO_MAIL_RECIPIENT_TEXT_H

#include "proto/mail/address.h"

/*
 * The address in TEXT, one element of a list or what stands between '<' and '>': comments, folds and blanks around its
 * dots are taken out, so are `mailto:`, a source route and quotes around all of it. ERR_SYNTAX, ERR_LIMIT. *OUT lives
 * in A; it may be ADDRESS_NO_DOMAIN.
 */
MUST_CHECK enum err recipient_text_address(struct arena *a, struct span text, struct address *out);

/*
 * The next address behind `for` in the value of a Received field (RFC 5321, 4.4), for recipient_text_address(): *REST
 * is the value at first and moves on. Comments and quoted strings are skipped, and what stands behind the last ';' is a
 * date. False: there is none (any more).
 */
bool recipient_text_for(struct span *rest, struct span *address);

/* The part of VALUE, unfolded, that stands for '*' in TEMPLATE, `account-*`; letter case counts nothing. */
bool recipient_text_template(struct span value, struct span template, struct span *part);

/*
 * Names beside the address in RAW, one element of a list, in the order in which they count (INM-19): in brackets inside
 * <>, in brackets outside, words outside <>. Quotes are gone, encoded words are not. At most MAX; how many.
 */
#define RECIPIENT_BESIDE_MAX 8
size_t recipient_text_beside(struct span raw, struct span *names, size_t max);

/*
 * The next name between the marks of MARKER, `{*}`, in *REST, a subject; letter case counts nothing. Without a mark
 * behind '*' the name ends at a blank. Names are not empty and have RECIPIENT_NAME_MAX bytes at most.
 */
#define RECIPIENT_NAME_MAX 64
bool recipient_text_marked(struct span *rest, struct span marker, struct span *name);

#endif
