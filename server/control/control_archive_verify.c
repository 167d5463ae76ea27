/*
 * control_archive_verify.c - `archive verify`: the first break of the chain, or its end, which is to be noted elsewhere.
 */
#include <stdio.h>

#include "server/archive/archive_prove.h"
#include "server/control/control_archive.h"

#define PROVE_LOOKS 16 /* between two looks at the clock */

struct verifying {
	struct archive_prove prove;
	uint64_t against;   /* an entry, and the chain that it had: --against ID:CHAIN; 0: none */
	char chain[2 * ARCHIVE_HASH_SIZE + 1];
	bool seen, differs;
};

static void
put_hex(const unsigned char hash[ARCHIVE_HASH_SIZE], char out[2 * ARCHIVE_HASH_SIZE + 1])
{
	for (unsigned i = 0; i < ARCHIVE_HASH_SIZE; i++)
		snprintf(out + 2 * i, 3, "%02x", hash[i]);
}

static bool
verify_check(struct control_call *call)
{
	struct verifying *v = ARENA_NEW(&call->arena, struct verifying);
	struct span id, chain, against = control_param(call, "against");

	call->state = v;
	if (!rpc_has(call->request, "against"))
		return true;
	if (!span_cut(against, ':', &id, &chain) || control_archive_id(id, &v->against) != OK ||
		chain.len != sizeof(v->chain) - 1)
		return control_fail(call, RPC_INVALID, "this is no end of a chain",
			"it is ID:CHAIN, as an earlier archive verify told it", "against");
	snprintf(v->chain, sizeof(v->chain), "%.*s", SPAN_FMT(chain));
	return true;
}

/* Did the chain go through the end that was noted once? */
static void
look_against(struct verifying *v)
{
	char chain[sizeof(v->chain)];

	if (v->seen || v->against == 0 || v->prove.chain.last_id < v->against)
		return;
	if (v->prove.chain.last_id == v->against) {
		put_hex(v->prove.chain.chain, chain);
		v->differs = !span_eq_nocase(span_of(chain), span_of(v->chain));
		v->seen = true;
	}
}

static void
put_fault(struct control_call *call, struct span id, bool warning, struct span what)
{
	const struct archive_verify *c = &((struct verifying *)call->state)->prove.chain;
	char chain[2 * ARCHIVE_HASH_SIZE + 1];

	put_hex(c->chain, chain);
	control_row(&call->rows, warning ? SPAN("end") : SPAN("break"));
	control_put_text(&call->rows, id);
	control_put_text(&call->rows, what);
	control_put_number(&call->rows, (int64_t)c->messages);
	control_put_number(&call->rows, (int64_t)c->removed);
	control_put_text(&call->rows, span_of(chain));
	control_put_number(&call->rows, warning);
}

static struct span
number(struct control_call *call, uint64_t id)
{
	return arena_printf(&call->arena, "%llu", (unsigned long long)id);
}

static void
put_end(struct control_call *call, const struct verifying *v)
{
	const struct archive_verify *c = &v->prove.chain;
	bool missed = v->against != 0 && !v->seen;
	struct span text = v->differs || missed ? SPAN("the end of the chain") : SPAN("the chain holds");

	if (v->differs)
		put_fault(call, number(call, v->against), false,
			SPAN("the chain is another one than it was: it was written anew"));
	else if (missed)
		put_fault(call, number(call, v->against), false,
			SPAN("the chain does not go through it, or retention took it since"));
	if (v->prove.unread > 0)
		text = arena_printf(&call->arena,
			"%.*s; %llu messages are encrypted and were not read", SPAN_FMT(text),
			(unsigned long long)v->prove.unread);
	put_fault(call, number(call, c->last_id), true, text);
}

static enum step
verify_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct verifying *v = call->state;
	struct archive_head head;
	unsigned looks = 0;
	enum err err = OK;

	if (archive_head_get(snap, &head) == OK)
		atomic_store(&call->progress_total, head.messages);
	atomic_store(&call->progress_done, v->prove.chain.messages);
	while (err == OK) {
		err = archive_prove_next(snap, &v->prove);
		look_against(v);
		if (err == OK && ++looks % PROVE_LOOKS == 0) {
			snapshot_forget_copies(snap);
			if (control_slice_is_over_now(&slice))
				return STEP_MORE;
		}
	}
	if (err == ERR_SYNTAX)
		put_fault(call, number(call, v->prove.chain.fault_id), false,
			span_of(v->prove.chain.fault));
	else if (err == ERR_NOT_FOUND)
		put_end(call, v);
	else
		control_fail_err(call, err, "archive");
	return call->failed ? STEP_FAIL : STEP_DONE;
}

/* Who looked, and what at; a break is for the log as well. */
static void
verify_finish(struct control_call *call)
{
	const struct verifying *v = call->state;

	control_archive_audit(call,
		v->prove.chain.fault || v->differs ? "the archive is broken" : "the archive was verified",
		number(call, v->prove.chain.fault ? v->prove.chain.fault_id
						  : v->prove.chain.last_id));
}

const struct control_handler control_do_archive_verify = {
	.check = verify_check, .read = verify_read, .finish = verify_finish};
