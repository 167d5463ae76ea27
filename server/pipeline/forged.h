/*
 * pipeline/forged.h - is a return address what it claims to be, as far as SPF knows (H14)?
 *
 * It refuses nothing. It is asked where a report could come of the message: so that who never wrote it is not
 * told of it. The session asks the name servers (proto/auth/spf.h) while the text comes, and puts what they
 * said into struct mail.
 */
#ifndef SERVER_PIPELINE_FORGED_H
#define SERVER_PIPELINE_FORGED_H

#include "proto/auth/spf.h"
#include "server/pipeline/pipeline.h"

struct spf_fact {
	enum spf_result result;
	struct span because; /* the term that fitted, or what is wrong */
};

/*
 * Is SPF asked about the sender of MAIL (smtp.spf)? He is a stranger on the port for the world, not in
 * smtp.blocklist_allow, and a copy leaves, a recipient is nobody here, NOTIFY=SUCCESS is to be answered, or, once
 * its header is there, it gets a delivery receipt.
 */
bool forged_is_asked(const struct conf *conf, const struct mail *mail, const struct plan *plan);

/* AT_END: what was found, or would be asked. */
void forged_note(const struct pipeline_ask *ask, struct plan *plan);

/* Nothing is sent to this sender (H14). */
static inline bool
mail_is_forged(const struct mail *mail)
{
	return mail->spf && mail->spf->result == SPF_FAIL;
}

#endif
