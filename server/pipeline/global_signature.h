/*
 * global_signature.h - the text at the foot of what local senders send to the Internet (SIG-01 to SIG-09, USR-32).
 *
 * There are two pairs of texts, plain and HTML. Who logged in gets the pair for that where either of its
 * forms is set, with [attribute] filled in from his own fields, else the default pair (SIG-03, SIG-06); who counts
 * as local without having logged in gets the default pair (SIG-02). A form that is not set is made from the other.
 * The signature is a version of the message for the Internet alone (plan.h): folders, LAN servers and users' own
 * servers get what was written.
 */
#ifndef SERVER_PIPELINE_GLOBAL_SIGNATURE_H
#define SERVER_PIPELINE_GLOBAL_SIGNATURE_H

#include "server/pipeline/pipeline.h"

struct user;

/* Both forms, UTF-8 with CRLF; HTML is ASCII. Both empty: there is none. */
struct signature {
	struct span plain, html;
	bool is_auth; /* the pair of those who log in */
};

/* What a sender gets. USER: who logged in, or NULL; LOGGED_IN with NULL: [attribute] stays as it is. In A. */
struct signature signature_of(
	struct arena *a, const struct conf *conf, const struct user *user, bool logged_in);

/*
 * AT_END, when the headers are made: plan->outgoing where the message gets a signature, and a note of why or
 * why not where one is set. ERR_IO: the message or the store could not be read.
 */
MUST_CHECK enum err signature_make(struct pipeline_ask *ask, struct plan *plan);

#endif
