/*
 * control_journal.c - the journal by command: `journal set`, `show`, `seats`, `release`.
 *
 * `set` changes the configuration file like `config set`, with its history and undo; a password is sealed in the store
 * in the same change. A seat that is released is undone like any change of the store.
 */
#include "conf/conf_shapes.h"
#include "conf/conf_value.h"
#include "server/control/control_password.h"
#include "server/control/control_seals.h"
#include "server/control/control_undo.h"
#include "server/generation.h"
#include "server/pipeline/names.h"
#include "store/journal_seats.h"
#include "store/secrets.h"

#define PREFIX "journal."
#define SEALED "journal.password" /* the name of the sealed password */
#define JOURNAL_KEYS_MAX 20

struct journal_change {
	struct control_config config; /* first: what control_config.c works on */
	struct conf_change changes[JOURNAL_KEYS_MAX + 2];
	size_t count;
	bool seals, erases; /* the password */
};

/* ---- set ---- */

static enum err
change_secret(struct control_call *call, struct txn *txn)
{
	const struct journal_change *jc = call->state;
	enum err err;

	if (!jc->erases)
		return jc->seals ? control_seals_store(call, txn, SPAN(SEALED)) : OK;
	err = secret_remove(txn, SPAN(SEALED));
	return err == ERR_NOT_FOUND ? OK : err;
}

static const struct setting *
row_of(struct control_call *call, struct span key)
{
	return setting_find(settings, SETTINGS_COUNT,
		arena_printf(&call->arena, PREFIX "%.*s", SPAN_FMT(key)));
}

static bool
no_such_key(struct control_call *call, struct span key)
{
	struct span all = SPAN("");

	for (size_t i = 0; i < SETTINGS_COUNT; i++)
		if (span_starts(span_of(settings[i].key), SPAN(PREFIX)))
			all = arena_printf(&call->arena, "%.*s%s%s", SPAN_FMT(all), all.len ? ", " : "",
				settings[i].key + sizeof(PREFIX) - 1);
	return control_failf(call, RPC_INVALID, "keys", "the journal has no %.*s (%.*s)", SPAN_FMT(key),
		SPAN_FMT(all));
}

/* A user who is not there would silently get nothing. */
static bool
is_user(struct control_call *call, struct span name)
{
	struct snapshot *snap = host_snapshot(call->host);
	struct user user;

	if (!snap || names_user(snap, name, &user) != ERR_NOT_FOUND)
		return true;
	return control_failf(call, RPC_NOT_FOUND, "keys", "there is no user %.*s", SPAN_FMT(name));
}

static bool
add_change(struct control_call *call, struct journal_change *jc, struct conf_change change)
{
	if (jc->count >= JOURNAL_KEYS_MAX)
		return control_fail(call, RPC_TOO_LARGE, "too many keys at once", NULL, "keys");
	jc->changes[jc->count++] = change;
	return true;
}

static bool
take_key(struct control_call *call, struct journal_change *jc, const struct rpc_pair *pair)
{
	const struct setting *row = row_of(call, pair->key);
	struct conf_change change = { .value = pair->value, .remove = pair->value.len == 0 };

	if (!row)
		return no_such_key(call, pair->key);
	if (row->type == SETTING_SECRET && pair->value.len > 0 && pair->value.ptr[0] != '{')
		return control_fail(call, RPC_INVALID, "a password is not given as a key",
			"use --password-stdin, or password='{file: PATH}'", "password"); /* H66 */
	if (span_eq(pair->key, SPAN("internal")) && pair->value.len > 0 && !is_user(call, pair->value))
		return false;
	if (change.remove && !call->host->conf->given[row - settings])
		return true; /* its default holds already */
	if (setting_is_list(row->type))
		change.value = control_list_value(call, pair->value, ";");
	change.key = arena_printf(&call->arena, "%s", row->key);
	jc->erases |= row->type == SETTING_SECRET;
	return add_change(call, jc, change);
}

static bool
take_password(struct control_call *call, struct journal_change *jc)
{
	if (!rpc_has(call->request, "password"))
		return true;
	jc->seals = true;
	jc->erases = false;
	return control_can_seal(call) && add_change(call, jc,
		(struct conf_change){ .key = SPAN(SEALED), .value = SPAN("{ sealed: " SEALED " }") });
}

static bool
set_check(struct control_call *call)
{
	const struct rpc_value *keys = rpc_value(call->request, "keys");
	struct journal_change *jc = ARENA_NEW(&call->arena, struct journal_change);

	call->state = jc;
	jc->config.also = change_secret;
	jc->config.object = SPAN("the journal");
	for (size_t i = 0; keys && i < keys->count; i++)
		if (!take_key(call, jc, &keys->pairs[i]))
			return false;
	if (!take_password(call, jc))
		return false;
	if (jc->count == 0)
		return control_fail(call, RPC_INVALID, "nothing is to be changed: KEY=VALUE is missing",
			"see: postroom help journal set", "keys");
	return control_config_begin(call, &jc->config);
}

static bool
set_work(struct control_call *call)
{
	struct journal_change *jc = call->state;

	if (call->foresees)
		return control_config_look(call, &jc->config, jc->changes, jc->count);
	return control_config_save(call, &jc->config, jc->changes, jc->count, "journal set");
}

/* A password alone leaves the file as it is. */
static bool
set_take(struct control_call *call)
{
	struct journal_change *jc = call->state;

	return !jc->config.written || control_config_take(call, &jc->config);
}

static void
set_tell(struct control_call *call)
{
	call->note = SPAN("the journal is set");
}

const struct control_handler control_do_journal_set = {
	.check = set_check,
	.work = set_work,
	.work_kind = WORK_GENERAL,
	.foresee = control_config_foresee,
	.take = set_take,
	.change = control_config_set_change,
	.finish = set_tell,
	.object = "the journal",
	.unrecorded = true,
};

/* ---- show ---- */

/* null: as many as there may be. */
static void
put_free(struct json_writer *w, const char *name, int64_t seats, uint64_t used)
{
	json_put_name(w, span_of(name));
	if (seats == SEATS_UNLIMITED)
		json_put_null(w);
	else
		json_put_u64(w, (uint64_t)seats > used ? (uint64_t)seats - used : 0);
}

static enum step
show_read(struct control_call *call, struct snapshot *snap)
{
	const struct conf *conf = generation_conf(call->generation);
	struct json_writer *w = &call->json;
	uint64_t used[SEAT_KINDS];

	if (!control_fail_err(call, journal_seat_count(snap, used), "the seats"))
		return STEP_FAIL;
	json_put_object(w);
	control_put_settings(call, SPAN(PREFIX));
	json_put_member_u64(w, SPAN("used_internal"), used[SEAT_INTERNAL]);
	put_free(w, "free_internal", conf->journal_seats_internal, used[SEAT_INTERNAL]);
	json_put_member_u64(w, SPAN("used_external"), used[SEAT_EXTERNAL]);
	put_free(w, "free_external", conf->journal_seats_external, used[SEAT_EXTERNAL]);
	json_put_close(w);
	return STEP_DONE;
}

const struct control_handler control_do_journal_show = { .read = show_read };

/* ---- seats, release ---- */

static enum step
seats_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct span *at = call->state;
	struct journal_seat seat;
	enum err err;

	if (!at)
		at = call->state = ARENA_NEW(&call->arena, struct span);
	seat.address = *at;
	while ((err = journal_seat_next(snap, &seat)) == OK) {
		control_row(&call->rows, seat.address);
		control_put_text(&call->rows, seat.address);
		control_put_text(&call->rows, span_of(seat_kind_words[seat.kind]));
		control_put_time_ms(&call->rows, seat.since_ms);
		control_put_time_ms(&call->rows, seat.last_ms);
		if (control_slice_is_over(&slice)) {
			*at = arena_copy(&call->arena, seat.address);
			return STEP_MORE;
		}
	}
	if (err == ERR_NOT_FOUND)
		return STEP_DONE;
	control_fail_err(call, err, "seat");
	return STEP_FAIL;
}

const struct control_handler control_do_journal_seats = { .read = seats_read };

static enum err
release_each(struct control_call *call, struct txn *txn, struct span address)
{
	enum err err = journal_seat_remove(txn, arena_lower(txn_arena(txn), address));

	if (err == ERR_NOT_FOUND)
		call->skip_why = "it holds no seat";
	return err;
}

const struct control_handler control_do_journal_release = {
	.each = release_each,
	.object = "the seat",
};
