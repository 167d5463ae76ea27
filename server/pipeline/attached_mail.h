/*
 * attached_mail.h - a letter of the server's own with the message attached, as a version of a plan.
 *
 * multipart/mixed: a text, and the message as it came as message/rfc822 (RFC 2046, 5.2.1). Its body stays where it is.
 */
#ifndef SERVER_PIPELINE_ATTACHED_MAIL_H
#define SERVER_PIPELINE_ATTACHED_MAIL_H

#include "server/pipeline/pipeline.h"

struct attached_mail {
	struct span to;      /* an address or a name */
	struct span subject; /* UTF-8 */
	struct span text;    /* UTF-8, lines end in CRLF */
};

/*
 * From Mailer_Daemon, made by the server (RFC 3834, 5), so nothing answers it. AT_END; it lives in PLAN. ERR_LIMIT: it
 * became too long.
 */
MUST_CHECK enum err attached_mail_make(struct pipeline_ask *ask, const struct attached_mail *letter,
	struct plan *plan, const struct plan_version **out);

/* What a header says, for a line of such a text: its encoded words read, controls as '?', cut. In the arena of PLAN. */
struct span attached_mail_words(struct plan *plan, struct span value);

#endif
