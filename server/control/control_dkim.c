/*
 * control_dkim.c - keys that sign mail: list, show, use, retire, remove.
 */
#include "server/control/control_dkim.h"

bool
control_dkim_domain(struct control_call *call, struct span *out)
{
	*out = arena_lower(&call->arena, control_param(call, "domain"));
	if (dkim_name_is_valid(*out, DKIM_KEY_DOMAIN_MAX))
		return true;
	return control_fail(call, RPC_INVALID, "that is no domain",
		"letters, digits, '-' and '.'; others as xn--...", "domain");
}

bool
control_dkim_selector(struct control_call *call, struct span *out)
{
	*out = arena_lower(&call->arena, control_param(call, "selector"));
	if (dkim_name_is_valid(*out, DKIM_KEY_SELECTOR_MAX))
		return true;
	return control_fail(call, RPC_INVALID, "that is no selector",
		"up to 63 letters, digits, '-' and '.'", "selector");
}

struct span
dkim_record_name(struct arena *a, const struct dkim_key *key)
{
	return arena_printf(a, "%.*s._domainkey.%.*s", SPAN_FMT(key->selector),
		SPAN_FMT(key->domain));
}

struct span
dkim_record_text(struct arena *a, const struct dkim_key *key)
{
	struct span text;
	struct buf b;

	buf_init(&b, DKIM_RECORD_MAX);
	ENSURE(dkim_record_put((enum dkim_algorithm)key->algorithm, key->public, &b) == OK);
	text = arena_copy(a, buf_span(&b));
	buf_fini(&b);
	return text;
}

enum err
control_dkim_put(struct txn *txn, const struct dkim_key *key)
{
	struct dkim_key copy = *key;

	fields_copy(&dkim_key_table, &copy, txn_arena(txn));
	copy.domain = arena_copy(txn_arena(txn), key->domain);
	copy.selector = arena_copy(txn_arena(txn), key->selector);
	return dkim_key_put(txn, &copy);
}

enum err
control_dkim_end_others(struct txn *txn, const struct dkim_key *keep, int64_t until_ms)
{
	struct dkim_key key = { .algorithm = 0 };
	enum err err;

	while ((err = dkim_key_next_of(txn_view(txn), keep->domain, &key)) == OK) {
		key.selector = arena_copy(txn_arena(txn), key.selector);
		key.domain = keep->domain;
		if (key.algorithm != keep->algorithm || span_eq(key.selector, keep->selector) ||
			(key.until_ms != 0 && key.until_ms <= until_ms))
			continue;
		key.until_ms = until_ms;
		err = control_dkim_put(txn, &key);
		if (err != OK)
			return err;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/* ---- list ---- */

static void
put_row(struct control_call *call, const struct dkim_key *key)
{
	struct control_rows *rows = &call->rows;

	control_row(rows, arena_printf(&call->arena, "%.*s/%.*s", SPAN_FMT(key->domain),
		SPAN_FMT(key->selector)));
	control_put_text(rows, key->domain);
	control_put_text(rows, key->selector);
	control_put_text(rows, span_of(dkim_key_algorithm_words[key->algorithm]));
	control_put_number(rows, (int64_t)key->bits);
	control_put_text(rows,
		span_of(dkim_key_state_words[dkim_key_state(key, call->now_ms)]));
	control_put_time_ms(rows, key->from_ms);
	control_put_time_ms(rows, key->until_ms);
	control_put_time_ms(rows, key->made_ms);
}

static enum step
list_read(struct control_call *call, struct snapshot *snap)
{
	struct span domain = arena_lower(&call->arena, control_param(call, "domain"));
	struct dkim_key key = { .domain = domain };
	enum err err;

	while ((err = domain.len > 0 ? dkim_key_next_of(snap, domain, &key)
				     : dkim_key_next(snap, &key)) == OK)
		put_row(call, &key);
	if (err == ERR_NOT_FOUND)
		return STEP_DONE;
	control_fail_err(call, err, "DKIM key");
	return STEP_FAIL;
}

const struct control_handler control_do_dkim_list = {.read = list_read};

/* ---- show ---- */

static enum step
show_read(struct control_call *call, struct snapshot *snap)
{
	struct json_writer *w = &call->json;
	struct span domain, selector;
	struct dkim_key key;

	if (!control_dkim_domain(call, &domain) || !control_dkim_selector(call, &selector) ||
		!control_fail_err(call, dkim_key_find(snap, domain, selector, &key), "DKIM key"))
		return STEP_FAIL;
	json_put_object(w);
	json_put_member_string(w, SPAN("domain"), key.domain);
	json_put_member_string(w, SPAN("selector"), key.selector);
	json_put_member_string(
		w, SPAN("algorithm"), span_of(dkim_key_algorithm_words[key.algorithm]));
	json_put_member_u64(w, SPAN("bits"), key.bits);
	json_put_member_string(w, SPAN("state"),
		span_of(dkim_key_state_words[dkim_key_state(&key, call->now_ms)]));
	control_put_time(w, SPAN("made"), key.made_ms);
	control_put_time(w, SPAN("from"), key.from_ms);
	control_put_time(w, SPAN("until"), key.until_ms);
	json_put_member_string(w, SPAN("record"), dkim_record_name(&call->arena, &key));
	json_put_member_string(w, SPAN("value"), dkim_record_text(&call->arena, &key));
	json_put_close(w);
	return STEP_DONE;
}

const struct control_handler control_do_dkim_show = {.read = show_read};

/* ---- use ---- */

static bool
names_check(struct control_call *call)
{
	struct span name;

	return control_dkim_domain(call, &name) &&
	       (!rpc_has(call->request, "selector") || control_dkim_selector(call, &name));
}

static enum err
use_one(struct control_call *call, struct txn *txn, struct dkim_key *key)
{
	enum err err;

	key->from_ms = call->now_ms;
	key->until_ms = 0;
	err = control_dkim_put(txn, key);
	if (err == OK)
		err = control_dkim_end_others(txn, key, call->now_ms);
	call->job_done += err == OK;
	return err;
}

/* The one that is named, or all of the domain that wait. */
static enum err
use_change(struct control_call *call, struct txn *txn)
{
	struct span domain = arena_lower(&call->arena, control_param(call, "domain"));
	struct span selector = arena_lower(&call->arena, control_param(call, "selector"));
	struct dkim_key key = { .algorithm = 0 };
	enum err err;

	call->job_done = 0;
	if (selector.len > 0) {
		err = dkim_key_find(txn_view(txn), domain, selector, &key);
		return err == OK ? use_one(call, txn, &key) : err;
	}
	while ((err = dkim_key_next_of(txn_view(txn), domain, &key)) == OK) {
		key.selector = arena_copy(txn_arena(txn), key.selector);
		key.domain = domain;
		if (dkim_key_state(&key, call->now_ms) == DKIM_KEY_WAITS &&
			(err = use_one(call, txn, &key)) != OK)
			return err;
	}
	if (err == ERR_NOT_FOUND && call->job_done == 0)
		control_fail(call, RPC_NOT_FOUND, "no key of the domain waits to be used",
			"postroom dkim list", "domain");
	return err == ERR_NOT_FOUND && call->job_done > 0 ? OK : err;
}

static void
use_finish(struct control_call *call)
{
	call->note = arena_printf(&call->arena, "mail of %.*s is signed by %llu key(s) from now on",
		SPAN_FMT(control_param(call, "domain")), (unsigned long long)call->done);
}

const struct control_handler control_do_dkim_use = {
	.check = names_check,
	.change = use_change,
	.finish = use_finish,
	.object = "DKIM key",
};

/* ---- retire, remove ---- */

static enum err
retire_change(struct control_call *call, struct txn *txn)
{
	struct span domain = arena_lower(&call->arena, control_param(call, "domain"));
	struct span selector = arena_lower(&call->arena, control_param(call, "selector"));
	struct dkim_key key;
	enum err err = dkim_key_find(txn_view(txn), domain, selector, &key);

	if (err == OK && dkim_key_state(&key, call->now_ms) == DKIM_KEY_RETIRED) {
		control_fail(call, RPC_REFUSED, "the key is retired already", NULL, "selector");
		return ERR_EXISTS;
	}
	if (err == OK) {
		key.until_ms = call->now_ms;
		err = control_dkim_put(txn, &key);
	}
	call->job_done = 1;
	return err;
}

static void
retire_finish(struct control_call *call)
{
	call->note = arena_printf(&call->arena,
		"%.*s signs no more; leave its record published for a week, then: postroom dkim remove %.*s %.*s",
		SPAN_FMT(control_param(call, "selector")), SPAN_FMT(control_param(call, "domain")),
		SPAN_FMT(control_param(call, "selector")));
}

const struct control_handler control_do_dkim_retire = {
	.check = names_check,
	.change = retire_change,
	.finish = retire_finish,
	.object = "DKIM key",
};

static bool
remove_check(struct control_call *call)
{
	struct span domain;

	return control_dkim_domain(call, &domain);
}

static enum err
remove_each(struct control_call *call, struct txn *txn, struct span selector)
{
	struct span domain = arena_lower(&call->arena, control_param(call, "domain"));
	struct dkim_key key;
	enum err err;

	selector = arena_lower(&call->arena, selector);
	err = dkim_key_find(txn_view(txn), domain, selector, &key);
	if (err == OK && dkim_key_state(&key, call->now_ms) == DKIM_KEY_SIGNS) {
		call->skip_why = "it signs; retire it first";
		return ERR_DENIED;
	}
	return err == OK ? dkim_key_remove(txn, domain, selector) : err;
}

const struct control_handler control_do_dkim_remove = {
	.check = remove_check,
	.each = remove_each,
	.object = "DKIM key",
};
