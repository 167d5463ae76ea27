/*
 * control_guard.h - message security: a second password in front of what people wrote (SEC-09).
 */
#ifndef SERVER_CONTROL_CONTROL_GUARD_H
#define SERVER_CONTROL_CONTROL_GUARD_H

#include "proto/control/rpc_request.h"

struct control_rows;
struct control_session;
struct host;

/*
 * May S call R, as far as message security goes? False with *error set: field "message_security", so that a console
 * asks for the password.
 */
bool control_guard_may(
	struct control_session *s, const struct rpc_request *r, struct rpc_error *error);

/* Is it on, and not opened in S (NULL: nobody's)? Loop thread. */
bool control_guard_is_locked(struct host *host, const struct control_session *s);
/* While it is locked: is all of this method, a field of `user show`, `group show`, `queue show`? Pure. */
bool control_guard_has_method(const struct control_method *method);
/* The same, or some of what it may name is: what a change of it took back would do is not told by its name. */
bool control_guard_has_part(const struct control_method *method);
/* Key N, from 0, of those that METHOD may not name while it is locked; a section ends in a dot. False: there are no more. */
bool control_guard_key(enum control_id method, size_t n, struct span *key);
bool control_guard_has_field(struct span name);
bool control_guard_has_key(struct span key); /* a setting that `config get` refuses, and `config show` leaves empty */
/* Leave the guarded columns of METHOD's rows empty. Behind control_rows_init(), and control_rows_keep(). */
void control_guard_hide(const struct control_method *method, struct control_rows *rows);
/* *error: it is on, and WHAT wants its password. */
void control_guard_refuse(struct rpc_error *error, const struct control_method *what);

#endif
