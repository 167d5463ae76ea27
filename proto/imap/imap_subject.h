/*
 * imap_subject.h - the base subject: what is left of one without "Re:", "Fwd:", "[list]" (RFC 5256, 2.1).
 */
#ifndef PROTO_IMAP_IMAP_SUBJECT_H
#define PROTO_IMAP_IMAP_SUBJECT_H

#include "proto/base/arena.h"

/*
 * TEXT is decoded and folded (SORT and THREAD compare without case); the result has single blanks and is in A
 * or in TEXT. *is_reply: something said that it answers or forwards.
 */
struct span imap_base_subject(struct arena *a, struct span text, bool *is_reply);

#endif
