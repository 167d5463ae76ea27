/*
 * control_signature.c - `signature preview`: the texts at the foot of outgoing mail as they would be added (SIG-08).
 */
#include "conf/conf.h"
#include "server/control/control_call.h"
#include "server/pipeline/global_signature.h"
#include "server/pipeline/names.h"

static void
put_form(struct buf *out, const char *title, struct span text)
{
	(void)!buf_printf(out, "%s\n\n", title);
	if (text.len == 0)
		(void)!buf_put(out, SPAN("(none)\n"));
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] != '\r')
			(void)!buf_put_char(out, text.ptr[i]);
	(void)!buf_put_char(out, '\n');
}

static void
put_pair(struct buf *out, const struct signature *s, const char *plain, const char *html)
{
	put_form(out, plain, s->plain);
	put_form(out, html, s->html);
}

static void
preview(struct control_call *call)
{
	const struct conf *conf = call->host->conf;
	struct span name = control_param(call, "user");
	struct snapshot *snap = host_snapshot(call->host);
	struct signature auth, other = signature_of(&call->arena, conf, NULL, false);
	struct user user;
	struct buf out;
	enum err err = OK;

	if (name.len > 0)
		err = snap ? names_user(snap, name, &user) : ERR_BUSY;
	if (!control_fail_err(call, err, "user")) {
		control_call_end(call);
		return;
	}
	auth = signature_of(&call->arena, conf, name.len > 0 ? &user : NULL, true);
	buf_init(&out, 4u << 20);
	if (name.len > 0 && user.no_signature)
		(void)!buf_printf(&out, "%.*s has none where he logs in (no_signature).\n\n", SPAN_FMT(name));
	put_pair(&out, &auth, "== Plain text, of who logged in", "== HTML, of who logged in");
	put_pair(&out, &other, "== Plain text, of other senders here", "== HTML, of other senders here");
	call->text = arena_copy(&call->arena, buf_span(&out));
	buf_fini(&out);
	control_call_end(call);
}

const struct control_handler control_do_signature_preview = { .start = preview };
