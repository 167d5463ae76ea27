/*
 * host.h - what a session may reach, passed in, never global. Each loop has one.
 */
#ifndef SERVER_HOST_H
#define SERVER_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/arena.h"
#include "proto/base/list.h"
#include "proto/base/span.h"

struct collect;
struct conf;
struct connect;
struct derive_keeper;
struct folder_watches;
struct generation;
struct log;
struct log_writer;
struct login_notes;
struct loop;
struct metrics;
struct outgoing;
struct own_mails;
struct refusals;
struct resolver;
struct runner;
struct search;
struct secret_key;
struct server;
struct shared;
struct signer;
struct snapshot;
struct spool_doors;
struct store;
struct store_inbox;
struct tls_server;
struct tokens;
struct workers;

struct host {
	struct loop *loop;
	unsigned number; /* 0 is the front loop */
	struct store *store;
	struct store_inbox *inbox; /* where `done` of this loop's store jobs comes in */
	const struct conf *conf;   /* of this turn; swapped between two turns */
	struct generation *generation; /* that it belongs to; held */
	struct log *log;
	struct metrics *metrics;
	struct shared *shared;
	struct workers *workers;
	struct tls_server *tls; /* NULL: no TLS; changed by a reload between two turns */
	const struct secret_key *secret_key; /* secret_key.h; one for the process */
	struct search *search; /* search/search.h; NULL: search.index is off; one for all loops */
	struct resolver *resolver; /* net/resolver.h; one for all loops */
	struct runner *runner; /* runner/runner.h; one for all loops, on the front loop */
	struct tokens *tokens; /* runner/tokens.h; likewise */
	struct outgoing *outgoing; /* queue/outgoing.h; one for all loops, on the front loop */
	struct connect *connect;   /* connect/connect.h; the front loop's alone has one */
	struct collect *collect;   /* collect/collect.h; likewise */
	struct quota_watch *quota; /* task/task_quota.h; the front loop's alone has one */
	struct server *server;	/* for the control socket: reload, stop, services */
	struct chunk_pool pool; /* for arenas of this loop */
	struct list sessions;	/* struct session.link */
	struct snapshot *snapshot; /* by host_snapshot() only */
	struct refusals *refusals; /* queue/refusals.h; made at the first one, closed with the host */
	struct login_notes *login_notes; /* session/login_notes.h; likewise */
	struct own_mails *own_mails; /* queue/own_mail.h; likewise */
	struct spool_doors *spool_doors; /* queue/spool_door.h; likewise */
	struct derive_keeper *derive_keeper; /* queue/derive_stored.h; likewise */
	struct signer *signer; /* queue/signing.h; likewise */
	struct folder_watches *folder_watches; /* imap/folder_watch.h; likewise */
	_Atomic unsigned watchers;	       /* of any folder of this loop: whom a commit tells */
	_Atomic int64_t *clock_offset_ms; /* of `postroom clock advance`; one for the process */
	_Atomic unsigned session_count; /* counted from the moment a socket is dealt to the loop */
	bool stopping;
};

/* Wall clock, Unix milliseconds, moved by the offset of testing.clock. Any thread. */
int64_t host_now_ms(const struct host *host);
/* The loop's own clock, which nobody sets, moved by the same offset: for what is counted by time. */
int64_t host_steady_ms(const struct host *host);

/* Minutes that the local clock is east of UTC at NOW_MS: for dates that we write. */
int host_zone_minutes(int64_t now_ms);

/*
 * What this server calls itself (SVC-06): `hostname`, or the system's name where it is empty. Its word
 * `domain` is the default domain, and `IPAddress` the address at our end of the socket FD as a literal,
 * "[192.0.2.1]" (RFC 5321, 4.1.3); without one (FD < 0, a Unix socket) the system's name. Never
 * empty; lives in A. host_name() is that without a socket.
 */
struct span host_name_at(const struct conf *conf, int fd, struct arena *a);
struct span host_name(const struct conf *conf, struct arena *a);

/*
 * The snapshot of this turn, begun at the first call and closed at the end of the turn (H44); spans
 * into it die then. Loop thread only. NULL where the store has no reader left (logged).
 */
struct snapshot *host_snapshot(struct host *host);
void host_snapshot_close(struct host *host); /* early: before a write that must be seen */

/* The hosts of the other loops, 0 to host_count() - 1: for loop_post(host_of_loop(...)->loop, ...) */
struct host *host_of_loop(const struct host *host, unsigned number);
unsigned host_count(const struct host *host);

#endif
