/*
 * control_page.c - list.page: rows of an open list, from a key on, or those with the wanted keys.
 *
 * On a worker, since the rows of a long list are read from the store.
 */
#include "server/control/control_cursor.h"
#include "server/control/control_guard.h"

struct page {
	struct control_cursor *cursor;
	const struct control_keyed *keyed; /* NULL: the cursor has the rows themselves */
	struct control_rows view;	   /* the row that is being read */
	size_t at, end;	 /* of the rows, or of the wanted keys */
	size_t rank;	 /* of the first row */
	size_t *found;	 /* of wanted keys: where they are */
	size_t gone;	 /* wanted, and no longer in the list */
	bool looks;	 /* counts what came, too */
	bool begun, put; /* the reply; its rows */
};

/* ---- where ---- */

static size_t
find_key(const struct page *p, struct span key)
{
	const struct control_rows *rows = &p->cursor->rows;
	uint64_t id;

	if (!p->keyed)
		return control_rows_find(rows, key);
	return p->keyed->id(key, &id) ? control_ids_find(rows->ids, id) : rows->count;
}

/* Where the page begins; rows->count: nowhere. */
static size_t
page_from(struct control_call *call, const struct page *p, uint64_t n)
{
	size_t at, count = p->cursor->rows.count;

	if (rpc_has(call->request, "after")) {
		at = find_key(p, control_param(call, "after"));
		return at < count ? at + 1 : count;
	}
	if (rpc_has(call->request, "before")) {
		at = find_key(p, control_param(call, "before"));
		return at == count ? at : at > n ? at - n : 0;
	}
	if (rpc_has(call->request, "at_key"))
		return find_key(p, control_param(call, "at_key"));
	if (rpc_has(call->request, "at_fraction"))
		return (size_t)((double)count *
				((double)rpc_number(call->request, "at_fraction", 0) / 1e6));
	return 0;
}

/* Where each of the wanted keys is; in one pass over the list. */
static void
find_keys(struct control_call *call, struct page *p, const struct rpc_value *keys)
{
	const struct control_rows *rows = &p->cursor->rows;
	uint64_t *ids = ARENA_ARRAY(&call->arena, uint64_t, keys->count + 1);

	p->found = ARENA_ARRAY(&call->arena, size_t, keys->count + 1);
	p->end = keys->count;
	if (!p->keyed) {
		control_rows_find_all(rows, keys->items, keys->count, p->found);
		return;
	}
	for (size_t i = 0; i < keys->count; i++)
		if (!p->keyed->id(keys->items[i], &ids[i]))
			ids[i] = 0; /* no row has it */
	control_ids_find_all(rows->ids, ids, keys->count, p->found);
}

/* ---- rows ---- */

static void
put_kept(const struct control_rows *rows, size_t i, struct json_writer *w)
{
	json_put_object(w);
	json_put_member_string(w, SPAN("key"), rows->rows[i].key);
	json_put_member_u64(w, SPAN("revision"), rows->rows[i].revision);
	json_put_name(w, SPAN("cells"));
	control_row_put(rows, &rows->rows[i], w);
	json_put_close(w);
}

/* One that cannot be read any more is shown by its key. */
static void
put_gone(struct control_call *call, const struct page *p, uint64_t id)
{
	struct span key = p->keyed->key(id, &call->arena);
	struct json_writer *w = &call->json;

	json_put_object(w);
	json_put_member_string(w, SPAN("key"), key);
	json_put_member_u64(w, SPAN("revision"), 0);
	json_put_name(w, SPAN("cells"));
	json_put_object(w);
	json_put_member_string(w, p->view.columns.items[0].name, key);
	json_put_close(w);
	json_put_member_bool(w, SPAN("gone"), true);
	json_put_close(w);
}

static enum err
put_again(struct control_call *call, struct page *p, struct snapshot *snap, size_t at)
{
	uint64_t id = p->cursor->rows.ids->ids[at];
	struct json_writer *w = &call->json;
	enum err err = p->keyed->row(call, &p->view, snap, id, p->cursor->filter);
	bool gone = err == ERR_NOT_FOUND || (err == OK && !control_rows_passes(&p->view));

	p->gone += gone;
	if (gone && p->found)
		return OK;
	if (err == ERR_NOT_FOUND)
		put_gone(call, p, id);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	json_put_object(w);
	json_put_member_string(w, SPAN("key"), p->view.open.key);
	json_put_member_u64(w, SPAN("revision"), p->view.open.revision);
	json_put_name(w, SPAN("cells"));
	control_row_put(&p->view, &p->view.open, w);
	if (gone)
		json_put_member_bool(w, SPAN("gone"), true);
	json_put_close(w);
	return OK;
}

/* What came behind the newest that was seen, and would be in the list. */
static enum err
count_new(struct control_call *call, struct page *p, struct snapshot *snap,
	const struct control_slice *slice)
{
	struct control_cursor *c = p->cursor;
	enum err err;
	uint64_t id;

	while ((err = p->keyed->after(snap, c->newest, &id)) == OK) {
		c->newest = id;
		err = p->keyed->row(call, &p->view, snap, id, c->filter);
		if (err == OK)
			c->came += control_rows_passes(&p->view);
		else if (err != ERR_NOT_FOUND)
			return err;
		if (control_slice_is_over_now(slice))
			return ERR_BUSY;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/* ---- the page ---- */

static void
page_let_go(void *arg)
{
	struct page *p = arg;

	if (p->keyed)
		control_rows_fini(&p->view);
	if (p->looks)
		p->cursor->looking = false;
}

static bool
page_check(struct control_call *call)
{
	const struct rpc_value *keys = rpc_value(call->request, "keys");
	struct page *p = ARENA_NEW(&call->arena, struct page);
	struct control_cursor *c = control_cursor_hold(call);

	if (!c)
		return false;
	if (keys->count > CONTROL_KEYS_MAX)
		return control_failf(
			call, RPC_TOO_LARGE, "keys", "at most %d keys", CONTROL_KEYS_MAX);
	call->state = p;
	p->cursor = c;
	p->keyed = c->rows.ids ? control_handlers[c->method->id]->keyed : NULL;
	p->looks = p->keyed && keys->present && !c->looking;
	c->looking |= p->looks;
	if (p->keyed && !control_rows_init_view(&p->view, &call->arena, c->method->columns,
				c->filter, call->now_ms / 1000))
		control_fail(call, RPC_INVALID, "the filter is no longer one", NULL, "cursor");
	if (p->keyed && call->is_locked)
		control_guard_hide(c->method, &p->view);
	arena_on_reset(&call->arena, page_let_go, p);
	return !call->failed;
}

static void
page_begin(struct control_call *call, struct page *p)
{
	const struct rpc_value *keys = rpc_value(call->request, "keys");
	uint64_t n = rpc_number(call->request, "n", CONTROL_PAGE_MAX);
	size_t count = p->cursor->rows.count;

	if (n > CONTROL_PAGE_MAX)
		n = CONTROL_PAGE_MAX;
	if (keys->present) {
		find_keys(call, p, keys);
	} else {
		p->at = p->rank = page_from(call, p, n);
		p->end = n < count - p->at ? p->at + n : count;
	}
	json_put_object(&call->json);
	json_put_name(&call->json, SPAN("rows"));
	json_put_array(&call->json);
	p->begun = true;
}

static enum err
page_put(struct control_call *call, struct page *p, struct snapshot *snap,
	const struct control_slice *slice)
{
	const struct control_rows *rows = &p->cursor->rows;
	enum err err = OK;

	while (p->at < p->end && err == OK) {
		size_t at = p->found ? p->found[p->at] : p->at;

		p->at++;
		if (at >= rows->count)
			continue;
		if (p->keyed)
			err = put_again(call, p, snap, at);
		else
			put_kept(rows, at, &call->json);
		if (err == OK && control_slice_is_over_now(slice))
			return ERR_BUSY;
	}
	if (err == OK && !p->put) {
		json_put_close(&call->json);
		p->put = true;
	}
	return err;
}

static enum step
page_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct page *p = call->state;
	enum err err;

	if (!p->begun)
		page_begin(call, p);
	err = page_put(call, p, snap, &slice);
	if (err == OK && p->looks)
		err = count_new(call, p, snap, &slice);
	if (err == ERR_BUSY)
		return STEP_MORE; /* the slice is over */
	if (!control_fail_err(call, err, "row"))
		return STEP_FAIL;
	json_put_member_u64(&call->json, SPAN("rank"), p->rank);
	json_put_member_u64(&call->json, SPAN("total"),
		p->cursor->rows.count + (p->looks ? p->cursor->came - p->gone : 0));
	json_put_close(&call->json);
	return STEP_DONE;
}

const struct control_handler control_do_list_page = {.check = page_check, .read = page_read};
