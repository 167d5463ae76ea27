/*
 * control_transfer.c - users and mappings out to a file and in again.
 *
 * Users go as JSON lines with every field but the password (CFG-05); they come in as JSON lines or
 * as CSV: name,password[,comment]. Mappings are CSV: address,target[,when,collect,comment]
 * (MAP-15). A bad line is reported by its number and does not stop the others.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/control/control_fields.h"
#include "server/control/control_password.h"
#include "server/control/control_transfer.h"
#include "store/groups.h"
#include "store/mappings.h"
#include "store/users.h"

#define EXPORT_STEP (256 * 1024) /* bytes between two writes */

/* ---- out ---- */

struct transfer_out {
	struct buf text;
	char name[USER_NAME_MAX + 1];
	uint64_t after;
	int fd;
};

static void
out_free(void *arg)
{
	buf_fini(arg);
}

static bool
out_check(struct control_call *call)
{
	struct transfer_out *t = ARENA_NEW(&call->arena, struct transfer_out);

	t->fd = control_fd(call, "out");
	buf_init(&t->text, 4 * EXPORT_STEP);
	arena_on_reset(&call->arena, out_free, &t->text);
	call->state = t;
	return t->fd >= 0 ||
	       control_fail(call, RPC_INVALID, "no file came with the request", NULL, "out");
}

static bool
out_spill(struct control_call *call)
{
	struct transfer_out *t = call->state;

	return control_write(call, t->fd, &t->text);
}

static enum err
user_out(struct transfer_out *t, struct snapshot *snap, const struct user *u)
{
	struct json_writer w;
	struct group group;

	json_writer_init(&w, &t->text);
	json_put_object(&w);
	control_put_fields(&w, &user_table, u);
	if (u->group && group_find(snap, u->group, &group) == OK)
		json_put_member_string(&w, SPAN("group"), group.name);
	json_put_close(&w);
	if (json_writer_end(&w) != OK)
		return ERR_LIMIT;
	return buf_put_char(&t->text, '\n');
}

static enum err
next_user_out(struct transfer_out *t, struct snapshot *snap)
{
	struct user user;
	enum err err = user_after(snap, span_of(t->name), &user);

	if (err != OK)
		return err;
	snprintf(t->name, sizeof(t->name), "%.*s", SPAN_FMT(user.name));
	return user_out(t, snap, &user);
}

/* NEXT puts one more of them; ERR_NOT_FOUND at the end. */
static enum step
all_read(struct control_call *call, struct snapshot *snap,
	enum err (*next)(struct transfer_out *, struct snapshot *), const char *object)
{
	struct control_slice slice = control_slice_begin();
	struct transfer_out *t = call->state;
	enum err err;

	while ((err = next(t, snap)) == OK) {
		call->done++;
		if (buf_span(&t->text).len > EXPORT_STEP || control_slice_is_over(&slice))
			return STEP_MORE;
	}
	if (err == ERR_NOT_FOUND)
		return STEP_DONE;
	control_fail_err(call, err, object);
	return STEP_FAIL;
}

static enum step
users_read(struct control_call *call, struct snapshot *snap)
{
	return all_read(call, snap, next_user_out, "user");
}

const struct control_handler control_do_user_export = {
	.check = out_check,
	.read = users_read,
	.spill = out_spill,
};

static enum err
mapping_out(struct transfer_out *t, const struct mapping *m)
{
	bool more = m->when != MAPPING_ALWAYS || m->collect.len || m->comment.len;
	enum err err = csv_put(&t->text, m->pattern, false);

	if (err == OK)
		err = csv_put(&t->text, m->target, true);
	if (err == OK && more)
		err = csv_put(&t->text, span_of(mapping_when_words[m->when]), true);
	if (err == OK && more)
		err = csv_put(&t->text, m->collect, true);
	if (err == OK && more)
		err = csv_put(&t->text, m->comment, true);
	return err == OK ? buf_put_char(&t->text, '\n') : err;
}

static enum err
next_mapping_out(struct transfer_out *t, struct snapshot *snap)
{
	struct mapping m;
	enum err err = mapping_next(snap, t->after, &m);

	if (err != OK)
		return err;
	t->after = m.mapping_id;
	return mapping_out(t, &m);
}

static enum step
mappings_read(struct control_call *call, struct snapshot *snap)
{
	return all_read(call, snap, next_mapping_out, "mapping");
}

const struct control_handler control_do_mapping_export = {
	.check = out_check,
	.read = mappings_read,
	.spill = out_spill,
};
