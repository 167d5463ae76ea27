/*
 * control_welcome.c - the welcome message of new users, one after another (USR-11, USR-46).
 *
 * A bulk add of thousands hands on a few at a time, so that others find room among the server's own
 * messages; the call ends when the last was handed on.
 */
#include "conf/conf.h"
#include "server/control/control_users.h"
#include "server/queue/own_mail.h"

#define WELCOMES_AT_ONCE 64  /* own messages that may wait, ours and those of others */
#define WELCOMES_LOOK_MS 50  /* how often it is looked whether there is room for more */
#define WELCOMES_LOOKS_MAX 1200 /* without any room, a minute: then the rest is given up */

struct welcomes {
	struct control_call *call;
	struct span subject, text, domain, server;
	const struct span *names;
	size_t count, at;
	unsigned looks;
	struct loop_timer timer;
};

struct welcomes *
control_welcomes(struct control_call *call)
{
	const struct conf *conf = call->host->conf;
	struct welcomes *w = ARENA_NEW(&call->arena, struct welcomes);

	w->call = call;
	w->subject = arena_copy(&call->arena, conf->users_welcome_subject);
	w->text = arena_copy(&call->arena, conf->users_welcome_text);
	w->domain = arena_copy(&call->arena, conf_default_domain(conf));
	w->server = host_name(conf, &call->arena);
	return w;
}

/* {user}, {domain} and {server} of TEXT filled in; cut where OUT is full. */
static void
fill_in(struct buf *out, struct span text, const struct welcomes *w, struct span user)
{
	const struct {
		struct span word, value;
	} words[] = { { SPAN("{user}"), user }, { SPAN("{domain}"), w->domain },
		{ SPAN("{server}"), w->server } };

	while (text.len > 0) {
		size_t used = span_find(span_from(text, 1), '{') + 1, i = 0;
		struct span piece = span_range(text, 0, used);

		while (i < COUNT(words) && !span_starts(text, words[i].word))
			i++;
		if (i < COUNT(words)) {
			piece = words[i].value;
			used = words[i].word.len;
		}
		if (buf_put(out, piece) != OK)
			return;
		text = span_from(text, used);
	}
}

static enum err
welcome_one(struct welcomes *w, struct span user)
{
	struct own_mail mail = { .to = user };
	struct buf subject, text;
	enum err err;

	buf_init(&subject, OWN_MAIL_SUBJECT_MAX);
	buf_init(&text, OWN_MAIL_TEXT_MAX);
	fill_in(&subject, w->subject, w, user);
	fill_in(&text, w->text, w, user);
	mail.subject = buf_span(&subject);
	mail.text = buf_span(&text);
	err = own_mail_send(w->call->host, &mail);
	buf_fini(&subject);
	buf_fini(&text);
	return err;
}

/* Hand on what there is room for. True: all is done, or given up. */
static bool
welcomes_step(struct welcomes *w)
{
	struct control_call *call = w->call;

	while (w->at < w->count && own_mail_waiting(call->host) < WELCOMES_AT_ONCE &&
		welcome_one(w, w->names[w->at]) == OK) {
		w->at++;
		w->looks = 0;
	}
	if (w->at == w->count)
		return true;
	if (++w->looks < WELCOMES_LOOKS_MAX)
		return false;
	call->note = arena_printf(&call->arena, "%.*s; %zu welcome messages were not sent",
		SPAN_FMT(call->note), w->count - w->at);
	return true;
}

static void
on_timer(struct loop_timer *timer)
{
	struct welcomes *w = LIST_ITEM(timer, struct welcomes, timer);

	if (welcomes_step(w))
		control_call_go(w->call, CALL_END);
	else
		loop_timer_set(w->call->host->loop, timer, WELCOMES_LOOK_MS);
}

bool
control_welcomes_send(struct welcomes *w, const struct span *names, size_t count)
{
	w->names = names;
	w->count = count;
	if (welcomes_step(w))
		return false;
	loop_timer_init(&w->timer, on_timer);
	loop_timer_set(w->call->host->loop, &w->timer, WELCOMES_LOOK_MS);
	return true;
}
