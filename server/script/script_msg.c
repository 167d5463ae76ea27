/*
 * script_msg.c - the table `msg`: the message as a script sees it.
 */
#include <lua5.4/lauxlib.h>
#include <lua5.4/lua.h>

#include "proto/mail/header.h"
#include "server/script/script_lua.h"

#define VALUE_ROOM (256 * 1024) /* bytes of a decoded value */

static void
push_span(lua_State *L, struct span text)
{
	lua_pushlstring(L, text.ptr ? text.ptr : "", text.len);
}

/* ---- header(NAME), headers(NAME) ---- */

static void
push_value(lua_State *L, struct span value)
{
	struct buf text;

	buf_init(&text, VALUE_ROOM);
	script_value_put(&text, value);
	push_span(L, buf_span(&text));
	buf_fini(&text);
}

static struct span
header_of(lua_State *L)
{
	const struct script_input *in = lua_touserdata(L, lua_upvalueindex(1));

	return in->header;
}

static struct span
name_of(lua_State *L)
{
	struct span name;

	name.ptr = luaL_checklstring(L, 1, &name.len);
	return name;
}

static int
header(lua_State *L)
{
	struct span value = header_find(header_of(L), name_of(L));

	if (value.ptr)
		push_value(L, value);
	else
		lua_pushnil(L);
	return 1;
}

static int
headers(lua_State *L)
{
	struct span rest = header_of(L), name = name_of(L);
	struct header_field field;
	lua_Integer count = 0;

	lua_newtable(L);
	while (header_next(&rest, &field))
		if (span_eq_nocase(field.name, name)) {
			push_value(L, field.value);
			lua_rawseti(L, -2, ++count);
		}
	return 1;
}

/* ---- the table ---- */

static void
set_text(lua_State *L, const char *name, struct span text)
{
	push_span(L, text);
	lua_setfield(L, -2, name);
}

static void
set_function(lua_State *L, const char *name, lua_CFunction function, const struct script_input *in)
{
	lua_pushlightuserdata(L, (void *)in);
	lua_pushcclosure(L, function, 1);
	lua_setfield(L, -2, name);
}

static void
set_recipients(lua_State *L, const struct script_input *in)
{
	lua_createtable(L, (int)in->rcpt_count, 0);
	for (size_t i = 0; i < in->rcpt_count; i++) {
		push_span(L, in->rcpts[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "rcpts");
	set_text(L, "rcpt", in->rcpt_count > 0 ? in->rcpts[0] : SPAN_NONE);
}

static void
set_files(lua_State *L, const struct script_input *in)
{
	lua_createtable(L, (int)in->file_count, 0);
	for (size_t i = 0; i < in->file_count; i++) {
		const struct script_file *file = &in->files[i];

		lua_createtable(L, 0, 3);
		set_text(L, "name", file->name);
		set_text(L, "type", file->type);
		lua_pushinteger(L, (lua_Integer)file->size);
		lua_setfield(L, -2, "size");
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "attachments");
}

void
script_msg_push(
	lua_State *L, const struct script_input *in, const struct script_message *message)
{
	lua_newtable(L);
	set_text(L, "from", in->from);
	set_text(L, "user", in->user);
	set_text(L, "source", in->source);
	set_text(L, "auth", in->auth);
	set_text(L, "peer", in->peer);
	lua_pushinteger(L, (lua_Integer)in->size);
	lua_setfield(L, -2, "size");
	set_recipients(L, in);
	set_function(L, "header", header, in);
	set_function(L, "headers", headers, in);
	if (!in->site)
		return;
	set_text(L, "body", buf_span(&message->text));
	set_files(L, in);
}
