/*
 * script_acts.c - the functions by which a script says what shall happen; each writes an action.
 *
 * What is said wrongly is an error with its line, and the script has failed (RTE-13). The server checks
 * the list once more.
 */
#include <lua5.4/lauxlib.h>
#include <lua5.4/lua.h>
#include <string.h>

#include "proto/base/utf8.h"
#include "proto/mail/address.h"
#include "server/pipeline/script_answer.h"
#include "server/pipeline/script_fields.h"
#include "server/script/script_lua.h"

struct acts {
	struct buf *answer;
	size_t sends, fields, logs, all;
};

static struct acts *
acts_of(lua_State *L)
{
	return lua_touserdata(L, lua_upvalueindex(1));
}

static struct span
check_text(lua_State *L, int at)
{
	struct span text;

	text.ptr = luaL_checklstring(L, at, &text.len);
	return text;
}

static enum err
put_text(struct buf *out, struct span text)
{
	char head[2] = { (char)(text.len >> 8), (char)text.len };
	enum err err = buf_put(out, (struct span){ head, sizeof(head) });

	return err == OK ? buf_put(out, text) : err;
}

static void
say(lua_State *L, enum script_action_kind kind, struct span text, struct span value)
{
	struct acts *acts = acts_of(L);

	if (text.len > SCRIPT_VALUE_MAX || value.len > SCRIPT_VALUE_MAX)
		luaL_error(L, "a text is longer than %d bytes", SCRIPT_VALUE_MAX);
	if (++acts->all > SCRIPT_ACTIONS_MAX)
		luaL_error(L, "more than %d actions", SCRIPT_ACTIONS_MAX);
	if (buf_put_char(acts->answer, (char)kind) != OK || put_text(acts->answer, text) != OK ||
		put_text(acts->answer, value) != OK)
		luaL_error(L, "too much is said");
}

/* ---- where it goes ---- */

static int
send(lua_State *L, enum script_action_kind kind)
{
	struct acts *acts = acts_of(L);
	int count = lua_gettop(L);
	struct address address;

	luaL_argcheck(L, count > 0, 1, "an address is missing");
	for (int i = 1; i <= count; i++) {
		struct span text = check_text(L, i);
		struct arena arena;
		bool ok;

		if (++acts->sends > SCRIPT_SENDS_MAX)
			return luaL_error(L, "more than %d messages are sent", SCRIPT_SENDS_MAX);
		arena_init(&arena, NULL);
		ok = text.len <= SCRIPT_VALUE_MAX && address_parse(&arena, text, &address) == OK &&
			!address_is_null(&address);
		arena_reset(&arena);
		luaL_argcheck(L, ok, i, "is no address");
		say(L, kind, text, SPAN_NONE);
	}
	return 0;
}

static int
act_redirect(lua_State *L)
{
	return send(L, SCRIPT_REDIRECT);
}

static int
act_copy(lua_State *L)
{
	return send(L, SCRIPT_COPY);
}

static int
act_keep(lua_State *L)
{
	say(L, SCRIPT_KEEP, SPAN_NONE, SPAN_NONE);
	return 0;
}

static int
act_discard(lua_State *L)
{
	say(L, SCRIPT_DISCARD, SPAN_NONE, SPAN_NONE);
	return 0;
}

/* ---- fields and words ---- */

static int
act_set_header(lua_State *L)
{
	struct acts *acts = acts_of(L);
	struct span name = check_text(L, 1), value = SPAN_NONE;

	luaL_argcheck(L, script_field_may_be_set(name), 1, "is no field that a script may set");
	if (!lua_isnoneornil(L, 2))
		value = check_text(L, 2);
	luaL_argcheck(L, !span_has_control(value, SPAN("\t")), 2, "has a control character");
	luaL_argcheck(L, utf8_is_valid(value), 2, "is no UTF-8");
	if (++acts->fields > SCRIPT_FIELDS_MAX)
		return luaL_error(L, "more than %d fields are set", SCRIPT_FIELDS_MAX);
	say(L, SCRIPT_SET_HEADER, name, value);
	return 0;
}

static int
act_setheader(lua_State *L)
{
	return act_set_header(L);
}

/* What is too much of it is left out: a line in a log is no reason to fail. */
static int
act_log(lua_State *L)
{
	struct acts *acts = acts_of(L);
	struct span text;

	text.ptr = luaL_tolstring(L, 1, &text.len);
	if (++acts->logs <= SCRIPT_LOGS_MAX)
		say(L, SCRIPT_LOG, span_range(text, 0, SCRIPT_VALUE_MAX), SPAN_NONE);
	return 0;
}

static int
act_reject(lua_State *L)
{
	say(L, SCRIPT_REJECT, check_text(L, 1), SPAN_NONE);
	return 0;
}

static int
act_defer(lua_State *L)
{
	say(L, SCRIPT_DEFER, check_text(L, 1), SPAN_NONE);
	return 0;
}

enum whose { BOTH, SITE };

static const struct {
	const char *name;
	lua_CFunction function;
	enum whose whose;
} acts[] = {
#define X(name, form, whose, help) { #name, act_##name, whose },
	SCRIPT_FUNCTIONS(X)
#undef X
};

void
script_acts_set(lua_State *L, bool site, struct buf *answer)
{
	struct acts *state = lua_newuserdatauv(L, sizeof(*state), 0);

	memset(state, 0, sizeof(*state));
	state->answer = answer;
	for (size_t i = 0; i < COUNT(acts); i++) {
		if (acts[i].whose == SITE && !site)
			continue;
		lua_pushvalue(L, -1);
		lua_pushcclosure(L, acts[i].function, 1);
		lua_setfield(L, -3, acts[i].name);
	}
	lua_pop(L, 1);
}
