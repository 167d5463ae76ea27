/*
 * socks_client.c - what is said to a SOCKS proxy, and what its answers mean.
 */
#include "proto/socks/socks_client.h"

#include <stdio.h>
#include <string.h>

enum { VERSION_4 = 4, VERSION_5 = 5, LOGIN_VERSION = 1, COMMAND_CONNECT = 1 };
enum { METHOD_NONE = 0, METHOD_LOGIN = 2, METHOD_REFUSED = 0xff }; /* RFC 1928, 3 */
enum { TYPE_IPV4 = 1, TYPE_NAME = 3, TYPE_IPV6 = 4 };	      /* RFC 1928, 5 */
enum { REPLY_5_REFUSED = 5, GRANTED_4 = 90 };

#define REPLY_HEAD 4 /* RFC 1928, 6: VER REP RSV ATYP */
#define REPLY_4_SIZE 8

static const unsigned char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

/* RFC 1928, 6 */
static const char *const replies_5[] = {
	NULL,
	"it failed",
	"its rules do not allow it",
	"the network cannot be reached",
	"the host cannot be reached",
	"the host refused the connection",
	"the host did not answer in time",
	"it does not know the command",
	"it does not know this kind of address",
};

/* SOCKS 4: 91 to 93 */
static const char *const replies_4[] = {
	"it refused, or failed",
	"it refused: it cannot ask identd who we are",
	"it refused: identd says another user name",
};

static void
enter(struct socks_client *m, enum socks_state state, size_t need)
{
	m->state = state;
	m->have = 0;
	m->need = need;
}

static enum socks_turn
fail(struct socks_client *m, const char *why)
{
	snprintf(m->why, sizeof(m->why), "%s", why);
	enter(m, SOCKS_AT_END, 0);
	return SOCKS_FAILED;
}

static enum err
put(struct buf *out, const unsigned char *bytes, size_t count)
{
	return buf_put(out, (struct span){ (const char *)bytes, count });
}

static enum err
put_byte(struct buf *out, unsigned byte)
{
	return buf_put_char(out, (char)(unsigned char)byte);
}

static enum err
put_counted(struct buf *out, struct span text)
{
	return put_byte(out, (unsigned)text.len) == OK ? buf_put(out, text) : ERR_LIMIT;
}

static enum err
put_port(const struct socks_client *m, struct buf *out)
{
	return put_byte(out, m->config.port >> 8) == OK ? put_byte(out, m->config.port & 0xff) : ERR_LIMIT;
}

static bool
is_ipv4(const struct socks_client *m)
{
	return memcmp(m->config.ip, mapped, sizeof(mapped)) == 0;
}

/* ---- version 4, and 4a for names ---- */

static enum err
put_request_4(struct socks_client *m, struct buf *out)
{
	static const unsigned char head[] = { VERSION_4, COMMAND_CONNECT };
	static const unsigned char by_name[4] = { 0, 0, 0, 1 }; /* 4a: no address, a name follows */
	bool named = m->config.name.len > 0;

	enter(m, SOCKS_AT_REPLY_4, REPLY_4_SIZE);
	if (put(out, head, sizeof(head)) != OK || put_port(m, out) != OK ||
		put(out, named ? by_name : m->config.ip + sizeof(mapped), 4) != OK ||
		buf_put(out, m->config.username) != OK || put_byte(out, 0) != OK)
		return ERR_LIMIT;
	if (named && (buf_put(out, m->config.name) != OK || put_byte(out, 0) != OK))
		return ERR_LIMIT;
	return OK;
}

static enum socks_turn
on_reply_4(struct socks_client *m)
{
	unsigned code = m->in[1];

	if (m->in[0] != 0)
		return fail(m, "what answers does not speak SOCKS 4");
	if (code != GRANTED_4)
		return fail(m, code > GRANTED_4 && code - GRANTED_4 <= COUNT(replies_4)
				? replies_4[code - GRANTED_4 - 1]
				: "it gave an unknown answer");
	enter(m, SOCKS_AT_END, 0);
	return SOCKS_DONE;
}

/* ---- version 5 ---- */

static enum err
put_methods(struct socks_client *m, struct buf *out)
{
	static const unsigned char open[] = { VERSION_5, 1, METHOD_NONE };
	static const unsigned char both[] = { VERSION_5, 2, METHOD_NONE, METHOD_LOGIN };

	enter(m, SOCKS_AT_METHOD, 2);
	return m->config.username.len > 0 ? put(out, both, sizeof(both)) : put(out, open, sizeof(open));
}

/* RFC 1928, 4 */
static enum err
put_request_5(struct socks_client *m, struct buf *out)
{
	static const unsigned char head[] = { VERSION_5, COMMAND_CONNECT, 0 };
	bool v4 = is_ipv4(m);
	enum err err = put(out, head, sizeof(head));

	enter(m, SOCKS_AT_REPLY, REPLY_HEAD + 1); /* one more says how long a name is */
	if (err != OK)
		return err;
	if (m->config.name.len > 0) {
		err = put_byte(out, TYPE_NAME);
		if (err == OK)
			err = put_counted(out, m->config.name);
	} else {
		err = put_byte(out, v4 ? TYPE_IPV4 : TYPE_IPV6);
		if (err == OK)
			err = put(out, v4 ? m->config.ip + sizeof(mapped) : m->config.ip, v4 ? 4 : 16);
	}
	return err == OK ? put_port(m, out) : err;
}

/* RFC 1929, 2 */
static enum err
put_login(struct socks_client *m, struct buf *out)
{
	enter(m, SOCKS_AT_LOGIN, 2);
	return put_byte(out, LOGIN_VERSION) == OK && put_counted(out, m->config.username) == OK
		? put_counted(out, m->config.password)
		: ERR_LIMIT;
}

static enum socks_turn
on_method(struct socks_client *m, struct buf *out)
{
	unsigned method = m->in[1];
	enum err err;

	if (m->in[0] != VERSION_5)
		return fail(m, "what answers does not speak SOCKS 5");
	if (method == METHOD_LOGIN && m->config.username.len > 0)
		err = put_login(m, out);
	else if (method == METHOD_NONE)
		err = put_request_5(m, out);
	else
		return fail(m, method == METHOD_REFUSED && m->config.username.len == 0
				? "it wants a user name (socks.username)"
				: "it wants another kind of login");
	return err == OK ? SOCKS_MORE : fail(m, "the request is too long");
}

static enum socks_turn
on_login(struct socks_client *m, struct buf *out)
{
	if (m->in[1] != 0)
		return fail(m, "it refused the user name or the password");
	return put_request_5(m, out) == OK ? SOCKS_MORE : fail(m, "the request is too long");
}

/* The bound address, which nobody needs, has to be read to its end. */
static enum socks_turn
on_reply(struct socks_client *m)
{
	unsigned code = m->in[1], type = m->in[3];
	size_t rest = type == TYPE_IPV4 ? 4 + 2 - 1
		: type == TYPE_IPV6	? 16 + 2 - 1
		: type == TYPE_NAME	? (size_t)m->in[REPLY_HEAD] + 2
					: 0;

	if (m->in[0] != VERSION_5)
		return fail(m, "what answers does not speak SOCKS 5");
	m->refused = code == REPLY_5_REFUSED;
	if (code != 0)
		return fail(m, code < COUNT(replies_5) ? replies_5[code] : "it gave an unknown answer");
	if (rest == 0)
		return fail(m, "it gave an unknown kind of address");
	enter(m, SOCKS_AT_ADDRESS, rest);
	return SOCKS_MORE;
}

/* ---- all of it ---- */

enum err
socks_client_init(struct socks_client *m, const struct socks_config *config, struct buf *out)
{
	*m = (struct socks_client){ .config = *config };
	if (config->name.len > SOCKS_NAME_MAX || config->username.len > SOCKS_NAME_MAX ||
		config->password.len > SOCKS_NAME_MAX) {
		(void)fail(m, "a name or a password is too long for SOCKS");
		return ERR_LIMIT;
	}
	if (config->version == VERSION_4 && config->name.len == 0 && !is_ipv4(m)) {
		(void)fail(m, "SOCKS 4 knows no IPv6 addresses");
		return ERR_LIMIT;
	}
	if ((config->version == VERSION_4 ? put_request_4(m, out) : put_methods(m, out)) == OK)
		return OK;
	(void)fail(m, "the request is too long");
	return ERR_LIMIT;
}

size_t
socks_client_wants(const struct socks_client *m)
{
	return m->need - m->have;
}

enum socks_turn
socks_client_next(struct socks_client *m, struct span in, struct buf *out)
{
	ENSURE(in.len <= socks_client_wants(m));
	if (in.len > 0)
		memcpy(m->in + m->have, in.ptr, in.len);
	m->have += in.len;
	if (m->have < m->need)
		return SOCKS_MORE;
	switch (m->state) {
	case SOCKS_AT_METHOD:
		return on_method(m, out);
	case SOCKS_AT_LOGIN:
		return on_login(m, out);
	case SOCKS_AT_REPLY:
		return on_reply(m);
	case SOCKS_AT_REPLY_4:
		return on_reply_4(m);
	case SOCKS_AT_ADDRESS:
		enter(m, SOCKS_AT_END, 0);
		return SOCKS_DONE;
	case SOCKS_AT_END:
		break;
	}
	return SOCKS_FAILED;
}
