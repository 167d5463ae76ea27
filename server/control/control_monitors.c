/*
 * control_monitors.c - monitoring profiles as people look at them; they are changed by control_items.c.
 */
#include "conf/conf_shapes.h"
#include "server/control/control_undo.h"
#include "server/generation.h"
#include "server/pipeline/names.h"
#include "store/names.h"

#define FLAGGED_MAX 10000 /* users that are named; more are counted (MON-07) */

static const char *const class_words[] = { [MONITOR_NONE] = "none", [MONITOR_SELECTED] = "selected",
	[MONITOR_ALL] = "all" };

/* ---- list ---- */

static void
list_start(struct control_call *call)
{
	const struct conf_monitors *all = &call->host->conf->monitor;
	struct control_rows *rows = &call->rows;

	for (size_t i = 0; i < all->count; i++) {
		const struct conf_monitor *m = &all->items[i];

		control_row(rows, m->name);
		control_put_text(rows, m->name);
		control_put_text(rows, span_of(class_words[m->incoming]));
		control_put_text(rows, span_of(class_words[m->outgoing]));
		control_put_text(rows, span_of(class_words[m->internal]));
		control_put_list(rows, m->users.items, m->users.count);
		control_put_text(rows, m->target);
		control_put_number(rows, m->min_kb);
		control_put_number(rows, m->sample_percent);
		control_put_text(rows, m->sample_target);
	}
	control_rows_end(rows);
	control_call_end(call);
}

const struct control_handler control_do_rule_monitor_list = { .start = list_start };

/* ---- show ---- */

struct showing {
	uint64_t at; /* user_id; the next one follows */
	struct span *flagged;
	size_t count;
	uint64_t more;
};

static size_t
profile_at(const struct conf_monitors *all, struct span name)
{
	size_t i = 0;

	while (i < all->count && !span_eq_nocase(all->items[i].name, name))
		i++;
	return i;
}

static struct span
asked_name(const struct control_call *call)
{
	return rpc_has(call->request, "name") ? control_param(call, "name") : SPAN("default");
}

static bool
show_check(struct control_call *call)
{
	const struct conf_monitors *all = &call->host->conf->monitor;
	struct showing *s = ARENA_NEW(&call->arena, struct showing);

	call->state = s;
	s->flagged = ARENA_ARRAY(&call->arena, struct span, FLAGGED_MAX);
	if (rpc_has(call->request, "name") && profile_at(all, asked_name(call)) == all->count)
		return control_failf(call, RPC_NOT_FOUND, "name", "there is no profile %.*s",
			SPAN_FMT(asked_name(call)));
	return true;
}

/* USR-27, with what groups force upon their members. */
static enum err
take_flagged(struct control_call *call, struct snapshot *snap, uint64_t user_id)
{
	struct showing *s = call->state;
	struct user user;
	enum err err = names_user_by_id(snap, user_id, &user);

	if (err != OK || !user.monitor)
		return err == ERR_NOT_FOUND ? OK : err;
	if (s->count < FLAGGED_MAX)
		s->flagged[s->count++] = arena_copy(&call->arena, user.name);
	else
		s->more++;
	return OK;
}

static enum step
walk_users(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct showing *s = call->state;
	struct user user;
	enum err err;

	while ((err = user_next(snap, s->at, &user)) == OK) {
		s->at = user.user_id;
		if (user.removed_ms == 0)
			err = take_flagged(call, snap, user.user_id);
		if (err != OK)
			break;
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	if (err == ERR_NOT_FOUND)
		return STEP_DONE;
	(void)control_fail_err(call, err, "the users");
	return STEP_FAIL;
}

static void
put_keys(struct control_call *call, size_t i)
{
	const struct conf *conf = generation_conf(call->generation);
	const struct conf_shape *shape = conf_shape_of(SETTING_MONITORS);
	struct json_writer *w = &call->json;

	for (size_t k = 0; k < shape->count; k++) {
		static const struct conf_monitor none;
		struct conf_entry entry = { .key = shape->rows[k].key, .setting = &shape->rows[k],
			.value = (const char *)(i < conf->monitor.count ? &conf->monitor.items[i] : &none) +
				shape->rows[k].offset };

		if (k == 0 && i == conf->monitor.count)
			json_put_member_string(w, span_of(entry.key), SPAN("default"));
		else
			control_put_setting(w, span_of(entry.key), &entry);
	}
}

/* A name that nobody here has; what is an address is not looked up. */
static bool
is_nobody(struct snapshot *snap, struct span target)
{
	struct name_row row;

	return target.len > 0 && span_find(target, '@') == target.len &&
		names_builtin(target) == BUILTIN_NONE && name_find(snap, target, &row) == ERR_NOT_FOUND;
}

static void
put_warnings(struct control_call *call, struct snapshot *snap, const struct conf_monitor *m)
{
	const struct conf *conf = generation_conf(call->generation);
	struct json_writer *w = &call->json;

	json_put_name(w, SPAN("warnings"));
	json_put_array(w);
	if (!conf->smtp_require_auth) /* MON-09 */
		json_put_string(w, SPAN("smtp.require_auth is off: in ranges that need no login the sender is "
					"guessed by the From field, which can be forged"));
	if (m && (m->incoming || m->outgoing || m->internal) && m->target.len == 0 &&
		m->sample_percent == 0)
		json_put_string(w, SPAN("it has no target: nothing is copied"));
	if (m && is_nobody(snap, m->target))
		json_put_string(w, SPAN("nobody is called as its target is"));
	if (m && m->sample_percent > 0 && (m->sample_target.len == 0 || is_nobody(snap, m->sample_target)))
		json_put_string(w, SPAN("nobody is called as sample_target is"));
	json_put_close(w);
}

static enum step
show_read(struct control_call *call, struct snapshot *snap)
{
	const struct conf_monitors *all = &generation_conf(call->generation)->monitor;
	size_t i = profile_at(all, asked_name(call));
	struct showing *s = call->state;
	enum step step = walk_users(call, snap);

	if (step != STEP_DONE)
		return step;
	json_put_object(&call->json);
	put_keys(call, i);
	json_put_name(&call->json, SPAN("flagged"));
	json_put_array(&call->json);
	for (size_t n = 0; n < s->count; n++)
		json_put_string(&call->json, s->flagged[n]);
	json_put_close(&call->json);
	json_put_member_u64(&call->json, SPAN("flagged_more"), s->more);
	put_warnings(call, snap, i < all->count ? &all->items[i] : NULL);
	json_put_close(&call->json);
	return STEP_DONE;
}

const struct control_handler control_do_rule_monitor_show = {
	.check = show_check,
	.read = show_read,
};
