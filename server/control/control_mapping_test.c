/*
 * control_mapping_test.c - where an address goes: the pipeline asked as `explain` asks it, once as told
 * and once for each way by which mail can come (MAP-07 to MAP-10).
 */
#include "server/control/control_explain.h"
#include "server/control/control_notes.h"
#include "server/pipeline/names.h"

#define COLLECTORS_SHOWN 20 /* ways of collecting that are tried; explain --collect asks any */

static struct explained *
ask_once(struct control_call *call, const struct explain_ask *ask)
{
	struct explained *e = ARENA_NEW(&call->arena, struct explained);

	e->header = EXPLAIN_HEADER;
	e->size = e->header.len;
	return explained_run(call, e, ask) ? e : NULL;
}

static void
put_matched(struct json_writer *w, const struct explained *e)
{
	struct span notes = plan_notes(&e->plan);
	struct note note;

	json_put_name(w, SPAN("matched"));
	json_put_array(w);
	while (note_take(&notes, &note) == PARSE_DONE)
		if (note.code == NOTE_MAPPING_FITS || note.code == NOTE_MAPPING_SENDER)
			json_put_string(w, note.found);
	json_put_close(w);
}

static void
put_targets(struct control_call *call, struct json_writer *w, const struct explained *e)
{
	size_t shown = 0;

	json_put_name(w, SPAN("targets"));
	json_put_array(w);
	for (const struct plan_copy *c = e->plan.copies; c && shown < EXPLAIN_COPIES_MAX; c = c->next) {
		if (c->role != COPY_DELIVERY) /* no mapping leads there */
			continue;
		json_put_string(w, explained_target(call, c));
		shown++;
	}
	json_put_close(w);
	json_put_member_u64(w, SPAN("more"), e->plan.copy_count - e->plan.role_count - shown);
}

/* One row of `ways`; false: the call has failed. */
static bool
put_way(struct control_call *call, struct span name, const struct explain_ask *ask)
{
	struct explained *e = ask_once(call, ask);
	struct json_writer *w = &call->json;

	if (!e)
		return false;
	json_put_object(w);
	json_put_member_string(w, SPAN("way"), name);
	put_matched(w, e);
	put_targets(call, w, e);
	explained_put_reply(w, e);
	json_put_close(w);
	return true;
}

/* As the Main Administrator would write; nothing where there is none. */
static bool
put_way_of_user(struct control_call *call, struct explain_ask ask)
{
	const struct conf *conf = call->host->conf;
	struct snapshot *snap = host_snapshot(call->host);
	struct user user;

	if (conf_default_domain(conf).len == 0)
		return true;
	if (!snap || names_main_administrator(conf, snap, &user) != OK)
		return true;
	ask.via = MAIL_VIA_SUBMISSION;
	ask.user = arena_copy(&call->arena, user.name);
	ask.from = arena_printf(&call->arena, "%.*s@%.*s", SPAN_FMT(user.name),
		SPAN_FMT(conf_default_domain(conf)));
	return put_way(call, SPAN("user"), &ask);
}

static bool
put_ways_collected(struct control_call *call, struct explain_ask ask)
{
	const struct conf_collectors *all = &call->host->conf->collectors;

	ask.via = MAIL_VIA_POP3;
	if (all->count == 0)
		return put_way(call, SPAN("collected"), &ask);
	for (size_t i = 0; i < all->count && i < COLLECTORS_SHOWN; i++) {
		ask.collect = all->items[i].name;
		if (!put_way(call, arena_printf(&call->arena, "collected by %.*s",
				SPAN_FMT(ask.collect)), &ask))
			return false;
	}
	return true;
}

/* The address as a sender (MAP-10): where a mapping that fits it leads. */
static bool
put_way_as_sender(struct control_call *call, struct explain_ask ask, struct span address)
{
	struct span to = SPAN("postmaster");
	struct explained *e;

	ask.from = address;
	ask.to = &to;
	e = ask_once(call, &ask);
	if (!e || !e->plan.sender_wants)
		return e != NULL;
	return put_way(call, SPAN("sender"), &ask);
}

/* Where it means very many, the other ways are left out: all of it is one turn of the loop (H36). */
static bool
put_ways(struct control_call *call, struct span address, bool left_out)
{
	struct explain_ask ask = {.via = MAIL_VIA_MX, .to = &address, .count = 1};

	json_put_name(&call->json, SPAN("ways"));
	json_put_array(&call->json);
	if (!left_out && (!put_way(call, SPAN("smtp"), &ask) || !put_way_of_user(call, ask) ||
		!put_ways_collected(call, ask) || !put_way_as_sender(call, ask, address)))
		return false;
	json_put_close(&call->json);
	return true;
}

static void
mapping_test(struct control_call *call)
{
	struct span address = control_param(call, "address");
	struct explain_ask ask = {explain_via(call), control_param(call, "from"),
		control_param(call, "auth"), control_param(call, "collect"), &address, 1,
		SPAN_NONE};
	struct explained *e = ask_once(call, &ask);
	struct json_writer *w = &call->json;

	if (e) {
		json_put_object(w);
		json_put_member_string(w, SPAN("address"), address);
		put_matched(w, e);
		put_targets(call, w, e);
		control_put_notes(w, SPAN("reasons"), plan_notes(&e->plan));
		explained_put_reply(w, e);
		if (put_ways(call, address, e->plan.copy_count > EXPLAIN_COPIES_MAX))
			json_put_close(w);
	}
	control_call_end(call);
}

const struct control_handler control_do_mapping_test = {.start = mapping_test};
