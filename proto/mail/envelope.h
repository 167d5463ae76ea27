/*
 * envelope.h - what MAIL and RCPT said: from whom, to whom, with which options.
 *
 * Lives in the arena of its transaction. The options are kept as given, for they travel on with the
 * message (RFC 3461, RFC 6531). Which addresses are acceptable is not decided here.
 */
#ifndef PROTO_MAIL_ENVELOPE_H
#define PROTO_MAIL_ENVELOPE_H

#include "proto/base/list.h"
#include "proto/mail/address.h"

enum mail_body { BODY_UNSAID, BODY_7BIT, BODY_8BITMIME };
enum dsn_ret { DSN_RET_UNSAID, DSN_RET_FULL, DSN_RET_HDRS };
enum dsn_notify { /* bits; 0 is unsaid */
	DSN_NOTIFY_NEVER = 1 << 0,
	DSN_NOTIFY_SUCCESS = 1 << 1,
	DSN_NOTIFY_FAILURE = 1 << 2,
	DSN_NOTIFY_DELAY = 1 << 3,
};

#define DSN_ENVID_MAX 100 /* bytes of xtext, RFC 3461, 4.4 */
#define DSN_ORCPT_MAX 500 /* bytes, RFC 3461, 4.2 */

struct mail_options {
	bool has_size;
	uint64_t size; /* SIZE= (RFC 1870); a claim */
	enum mail_body body;
	bool smtputf8;
	enum dsn_ret ret;
	struct span envid; /* xtext as given; ptr NULL where unsaid */
	struct span auth;  /* AUTH= (RFC 4954, 5): xtext as given or "<>"; never believed here */
};

struct recipient_options {
	unsigned notify;   /* enum dsn_notify */
	struct span orcpt; /* "rfc822;anna@example.org", xtext as given; ptr NULL where unsaid */
};

struct recipient {
	struct list link; /* in envelope.recipients */
	struct address address;
	struct recipient_options options;
};

struct envelope {
	struct arena *arena;
	struct address reverse_path;
	struct mail_options options;
	struct list recipients; /* in the order they came; nothing is merged */
	size_t recipient_count;
};

/* Begin with a sender; addresses and options are copied into A. E must not move afterwards. */
void envelope_init(struct envelope *e, struct arena *a, const struct address *reverse_path,
	const struct mail_options *options);

/* Copy and append; *out (may be NULL) is the new one. ERR_LIMIT: there are MAX already. */
MUST_CHECK enum err envelope_add_recipient(struct envelope *e, const struct address *address,
	const struct recipient_options *options, size_t max, struct recipient **out);

/* NULL where nobody has that key. Walks all; not for use on each of many recipients. */
struct recipient *envelope_find_recipient(const struct envelope *e, struct span key);

#endif
