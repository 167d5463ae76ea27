/*
 * smtp_scripts.c - a message waits for the scripts that it asks for (script/scripts.h), behind its text.
 */
#include "server/session/smtp_inside.h"

static void
on_scripts(struct scripts_question *q)
{
	struct smtp_session *smtp = LIST_ITEM(q, struct smtp_session, scripts);

	if (session_is_closing(&smtp->session))
		return; /* it has had its last words (H77) */
	smtp_gather_end(smtp);
	if (!smtp->intake) /* refused; else it is resumed when it is on disk */
		session_resume(&smtp->session);
}

bool
smtp_scripts_wait(struct smtp_session *smtp)
{
	struct session *s = &smtp->session;

	smtp->scripts.done = on_scripts;
	if (!scripts_ask(s->host, &smtp->scripts, &smtp->intake->mail, &smtp->intake->plan))
		return false;
	session_set_doing(s, "scripts");
	session_set_deadline(s, 0, CLOSE_NONE);
	session_wait(s);
	session_wait_is_idle(s);
	return true;
}
