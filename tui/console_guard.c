/*
 * console_guard.c - message security (SEC-09): where it refuses, its password is asked for, it is opened for this
 * session, and what is on the screen is loaded again.
 */
#include "tui/console.h"
#include "tui/params.h"

#define FIELD SPAN("message_security") /* what the server names in such an error */

static void
opened(void *owner, struct link_reply *reply)
{
	struct console *c = owner;
	struct screen *s = console_screen(c);
	const struct panel_class *panel = screen_panel(s);

	c->dirty = true;
	if (reply->error) {
		console_say_error(c, reply->error);
		return;
	}
	console_say(c, STYLE_OK, "message security is open for this session; security close closes it");
	if ((!panel->act || !panel->act(s, ACT_RELOAD)) && panel->enter)
		panel->enter(s);
}

static void
password_typed(struct screen *s, struct span password)
{
	struct console *c = s->console;
	struct params p;

	if (password.len == 0)
		return;
	params_begin(&p);
	json_put_member_string(&p.w, SPAN("password"), password);
	if (!params_send(&p, &c->link, "security.open", opened, c))
		console_say(c, STYLE_ERROR, "! no server answers: nothing was done");
}

bool
console_guard_asks(struct console *c, const struct rpc_error *error)
{
	if (!span_eq(error->field, FIELD) || c->prompt.open || c->modal)
		return false;
	console_ask(c, "password of message security", SPAN(""), NULL, password_typed);
	c->prompt.edit.secret = true;
	return true;
}
