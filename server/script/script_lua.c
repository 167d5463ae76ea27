/*
 * script_lua.c - a fresh state of Lua with what a script may see, and nothing else (H73).
 *
 * Names are let in, not kept out: of the base library those that neither compile, read files nor reach behind the
 * state; string without dump and pack, with rep bounded; math without chance, so that the same message always has
 * the same answer, which explain can tell. Memory is counted by the allocator.
 */
#include "server/script/script_lua.h"

#include <lua5.4/lauxlib.h>
#include <lua5.4/lua.h>
#include <lua5.4/lualib.h>
#include <stdlib.h>

#include "server/pipeline/script_answer.h"

#define ERROR_MAX 300 /* bytes of an error that are told */

static const char *const base_names[] = { "assert", "error", "ipairs", "next", "pairs", "pcall",
	"rawequal", "rawget", "rawlen", "rawset", "select", "setmetatable", "tonumber", "tostring",
	"type", "xpcall", "_VERSION" };
static const char *const string_names[] = { "byte", "char", "find", "format", "gmatch", "gsub",
	"len", "lower", "match", "rep", "reverse", "sub", "upper" };
static const char *const math_names[] = { "abs", "ceil", "cos", "exp", "floor", "fmod", "huge",
	"log", "max", "maxinteger", "min", "mininteger", "modf", "pi", "sin", "sqrt", "tan",
	"tointeger", "type", "ult", "acos", "asin", "atan", "deg", "rad" };

struct room {
	size_t used;
};

static void *
allocate(void *arg, void *old, size_t old_size, size_t size)
{
	struct room *room = arg;
	size_t was = old ? old_size : 0; /* without OLD it is a kind of object */
	void *got;

	if (size == 0) {
		free(old);
		room->used -= was;
		return NULL;
	}
	if (size > was && room->used + (size - was) > SCRIPT_MEMORY)
		return NULL;
	got = realloc(old, size);
	if (got)
		room->used = room->used - was + size;
	return got;
}

/* ---- what there is ---- */

/* A new table of NAMES of the table on the top, in its place. */
static void
pick(lua_State *L, const char *const *names, size_t count)
{
	lua_createtable(L, 0, (int)count + 2);
	for (size_t i = 0; i < count; i++) {
		lua_getfield(L, -2, names[i]);
		lua_setfield(L, -2, names[i]);
	}
	lua_remove(L, -2);
}

static int
bounded_rep(lua_State *L)
{
	size_t len, separator;
	lua_Integer n = luaL_checkinteger(L, 2);

	(void)luaL_checklstring(L, 1, &len);
	(void)luaL_optlstring(L, 3, "", &separator);
	if (n > 0 && (len + separator) > 0 &&
		(lua_Unsigned)n > (lua_Unsigned)SCRIPT_STRING_MAX / (len + separator))
		return luaL_error(L, "resulting string too large");
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, 1);
	return 1;
}

/* Of tables alone: that of strings is shared by all of them. */
static int
table_metatable(lua_State *L)
{
	luaL_checkany(L, 1);
	if (!lua_istable(L, 1) || !lua_getmetatable(L, 1)) {
		lua_pushnil(L);
		return 1;
	}
	if (luaL_getmetafield(L, 1, "__metatable") == LUA_TNIL)
		return 1;
	return 1;
}

/* Finalisers would run when the answer is there. */
static int
set_metatable(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	if (lua_istable(L, 2)) {
		lua_pushliteral(L, "__gc");
		if (lua_rawget(L, 2) != LUA_TNIL)
			return luaL_error(L, "__gc is not for scripts");
		lua_pop(L, 1);
	}
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, 1);
	return 1;
}

/* FUNCTION in place of NAME of the table on the top, which it gets as its upvalue. */
static void
wrap(lua_State *L, const char *name, lua_CFunction function)
{
	lua_getfield(L, -1, name);
	lua_pushcclosure(L, function, 1);
	lua_setfield(L, -2, name);
}

/* Methods of strings are those of our table, too. */
static void
push_strings(lua_State *L)
{
	luaL_requiref(L, LUA_STRLIBNAME, luaopen_string, 0);
	pick(L, string_names, COUNT(string_names));
	wrap(L, "rep", bounded_rep);
	lua_pushliteral(L, "");
	if (lua_getmetatable(L, -1)) { /* its arithmetic stays */
		lua_pushvalue(L, -3);
		lua_setfield(L, -2, "__index");
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

/* The globals of a script, left on the stack. */
static void
push_globals(lua_State *L)
{
	luaL_requiref(L, LUA_GNAME, luaopen_base, 0);
	pick(L, base_names, COUNT(base_names));
	wrap(L, "setmetatable", set_metatable);
	lua_pushcfunction(L, table_metatable);
	lua_setfield(L, -2, "getmetatable");
	push_strings(L);
	lua_setfield(L, -2, "string");
	luaL_requiref(L, LUA_TABLIBNAME, luaopen_table, 0);
	lua_setfield(L, -2, "table");
	luaL_requiref(L, LUA_MATHLIBNAME, luaopen_math, 0);
	pick(L, math_names, COUNT(math_names));
	lua_setfield(L, -2, "math");
	luaL_requiref(L, LUA_UTF8LIBNAME, luaopen_utf8, 0);
	lua_setfield(L, -2, "utf8");
}

/* ---- one run ---- */

struct run {
	const struct script_input *in;
	const struct script_message *message;
	struct buf *answer;
};

static int
run_protected(lua_State *L)
{
	const struct run *run = lua_touserdata(L, 1);

	if (luaL_loadbufferx(L, run->in->text.ptr, run->in->text.len, "=script", "t") != LUA_OK)
		return lua_error(L);
	if (run->in->checks)
		return 0;
	push_globals(L);
	script_acts_set(L, run->in->site, run->answer);
	script_msg_push(L, run->in, run->message);
	lua_setfield(L, -2, "msg");
	lua_pushvalue(L, -1); /* the registry has no other one either */
	lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
	if (!lua_setupvalue(L, -2, 1)) /* _ENV */
		lua_pop(L, 1);
	lua_call(L, 0, 0);
	return 0;
}

static void
say_error(struct buf *answer, struct span text)
{
	buf_clear(answer);
	(void)!buf_put_char(answer, 'E');
	(void)!buf_put(answer, span_range(text, 0, ERROR_MAX));
}

void
script_lua_run(
	const struct script_input *in, const struct script_message *message, struct buf *answer)
{
	struct run run = { in, message, answer };
	struct room room = { 0 };
	lua_State *L = lua_newstate(allocate, &room);
	struct span text = SPAN("an error that is no text");

	buf_clear(answer);
	(void)!buf_put_char(answer, 'D');
	if (!L) {
		say_error(answer, SPAN("no memory"));
		return;
	}
	lua_pushcfunction(L, run_protected);
	lua_pushlightuserdata(L, &run);
	if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
		if (lua_type(L, -1) == LUA_TSTRING)
			text.ptr = lua_tolstring(L, -1, &text.len);
		say_error(answer, text);
	}
	lua_close(L);
}
