/*
 * site.h - a small site for tests: a configuration, a store, users, and one loop with a fake clock.
 *
 * Everything that server.c puts together for a loop, without sockets, threads of loops and the
 * control socket.
 */
#ifndef TESTS_HARNESS_SITE_H
#define TESTS_HARNESS_SITE_H

#include "server/generation.h"
#include "server/metrics.h"
#include "server/net/loop.h"
#include "server/net/work.h"
#include "server/session/session.h"
#include "store/commit.h"
#include "store/store.h"

struct site {
	char folder[64]; /* of the store; removed at the end */
	struct host host;
	struct metrics metrics;
	struct store_inbox inbox;
};

/* Open a site with CONF, a whole file. Ends the process with a message where that fails. */
void site_open(struct site *site, const char *conf);
void site_close(struct site *site);
/* Another file comes into force; who has to know is told by the test. */
void site_set_conf(struct site *site, const char *conf);

/* Add a user; a password may be NULL. The id. */
uint64_t site_add_user(struct site *site, const char *name, const char *password);
void site_remove_user(struct site *site, const char *name);
void site_add_folder(struct site *site, const char *user, const char *name);
/* "receive_internet=no", ... */
void site_set_user(struct site *site, const char *name, const char *key, const char *value);
/* For "apop" or "cram-md5"; an app password for POP3; a SCRAM key of salt "0123456789abcdef", i=4096. */
void site_add_legacy(struct site *site, const char *user, const char *kind, const char *secret);
void site_add_app_password(struct site *site, const char *user, const char *text);
void site_set_scram(struct site *site, const char *user, const char *password);
void site_add_group(struct site *site, const char *name, const char *members);
void site_add_mapping(struct site *site, const char *pattern, const char *target);
/* WHEN as in `mapping add`: "pop3"; COLLECT may be NULL. */
void site_add_mapping_when(struct site *site, const char *pattern, const char *target,
	const char *when, const char *collect);
void site_set_group(struct site *site, const char *name, const char *key, const char *value);
/* KIND as in `maillist add`; MEMBERS "a;b", may be empty. */
void site_add_list(struct site *site, const char *name, const char *kind, const char *members);

/* Turn the loop until nothing happens any more, or for at most MS of real time. */
void site_turn(struct site *site, int ms);

/* How many messages a user's folder holds; bytes of the N-th (from 1) into OUT. */
size_t site_folder_count(struct site *site, const char *user, const char *folder);
bool site_folder_read(struct site *site, const char *user, const char *folder, size_t n,
	struct buf *out);
size_t site_queue_count(struct site *site);
/* Bytes of the first message in the queue into OUT. */
bool site_queue_read(struct site *site, struct buf *out);
/* Has USER a login by PROTOCOL ("pop3") noted? */
bool site_has_login(struct site *site, const char *user, const char *protocol);
/* The notes of the newest trace, as lines, into OUT. */
bool site_trace_read(struct site *site, struct buf *out);
void site_hold_message(struct site *site, const char *user, size_t n);

#endif
