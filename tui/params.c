/*
 * params.c - see params.h.
 */
#include "tui/params.h"

#include "tui/console.h"

void
params_begin(struct params *p)
{
	buf_init(&p->text, CONTROL_LINE_MAX);
	p->text.wipes = true; /* there may be a password among them */
	json_writer_init(&p->w, &p->text);
	json_put_object(&p->w);
}

enum err
params_end(struct params *p)
{
	json_put_close(&p->w);
	return json_writer_end(&p->w);
}

void
params_fini(struct params *p)
{
	buf_wipe(&p->text);
}

bool
params_send(struct params *p, struct server_link *link, const char *method, link_done *done, void *owner)
{
	bool sent = params_end(p) == OK &&
		server_link_call(link, method, buf_span(&p->text), done, owner) != 0;

	params_fini(p);
	return sent;
}

void
params_do(struct params *p, struct console *c, const char *method)
{
	if (params_end(p) == OK)
		console_do_params(c, control_method_find(span_of(method)), buf_span(&p->text));
	params_fini(p);
}
