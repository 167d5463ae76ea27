/*
 * test_imap_no_store.c - each IMAP command at a moment when the store gives no snapshot (H42).
 *
 * So it is between the failure of a disk under LMDB and the end of the process. What needs the store
 * is answered NO [UNAVAILABLE] (RFC 5530); nothing is made up.
 */
#include "tests/harness/site.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <lmdb.h>

#include "server/services.h"

#define PATIENCE 30000 /* turns of 2 ms that an answer may take */
#define NO "NO [UNAVAILABLE]"

static struct site site;
static struct session *session;
static struct buf seen;
static bool panicked; /* LMDB begins no transaction that reads */

static const struct {
	const char *command, *answer; /* its first words */
} reads[] = {
	{ "FETCH 1 (FLAGS)", NO },
	{ "UID FETCH 1:* (UID FLAGS BODY.PEEK[])", NO },
	{ "UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)", NO },
	{ "SEARCH ALL", NO },
	{ "SEARCH TEXT \"hello\"", NO },
	{ "SORT (ARRIVAL) UTF-8 ALL", NO },
	{ "THREAD REFERENCES UTF-8 ALL", NO },
	{ "STORE 1 +FLAGS (\\Seen)", NO },
	{ "COPY 1 Other", NO },
	{ "MOVE 1 Other", NO },
	{ "SELECT INBOX", NO },
	{ "SELECT INBOX (QRESYNC (1 1))", NO },
	{ "EXAMINE INBOX", NO },
	{ "STATUS INBOX (MESSAGES UNSEEN)", NO },
	{ "LIST \"\" \"*\"", NO },
	{ "LIST (SUBSCRIBED) \"\" \"*\" RETURN (STATUS (MESSAGES))", NO },
	{ "LSUB \"\" \"*\"", NO },
	{ "GETACL INBOX", NO },
	{ "MYRIGHTS INBOX", NO },
	{ "LISTRIGHTS INBOX anna", NO },
	{ "SETACL INBOX anna lr", NO },
	{ "GETQUOTA \"\"", NO },
	{ "GETQUOTAROOT INBOX", NO },
	{ "APPEND Other {14+}\r\nSubject: x\r\n\r\n", NO },
	{ "NOOP", "OK" },
};

/* ---- in place of the real ones ---- */

int __real_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn);
int __wrap_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn);

int
__wrap_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn)
{
	return panicked && (flags & MDB_RDONLY) ? MDB_PANIC
						: __real_mdb_txn_begin(env, parent, flags, txn);
}

int __real_mdb_txn_renew(MDB_txn *txn);
int __wrap_mdb_txn_renew(MDB_txn *txn);

int
__wrap_mdb_txn_renew(MDB_txn *txn)
{
	return panicked ? MDB_PANIC : __real_mdb_txn_renew(txn);
}

static void
collect(void)
{
	struct span sent = stream_memory_sent(&session->stream);

	assert_int_equal(buf_put(&seen, sent), OK);
	stream_memory_forget(&session->stream, sent.len);
}

void __real_stream_fini(struct stream *s);
void __wrap_stream_fini(struct stream *s);

/* The last words go with the stream. */
void
__wrap_stream_fini(struct stream *s)
{
	if (session && s == &session->stream)
		collect();
	__real_stream_fini(s);
}

/* ---- a client ---- */

static bool
has_answer(void)
{
	return span_starts(buf_span(&seen), SPAN("t ")) ||
		span_find_span(buf_span(&seen), SPAN("\nt ")) < buf_span(&seen).len;
}

/* Up to the tagged line, or the end of the session. */
static void
say(const char *command)
{
	char text[256];

	buf_clear(&seen);
	assert_in_range(snprintf(text, sizeof(text), "t %s\r\n", command), 1, sizeof(text) - 1);
	stream_memory_feed(&session->stream, span_of(text));
	for (int i = 0; i < PATIENCE && !has_answer(); i++) {
		site_turn(&site, 2);
		collect();
	}
}

static void
come(void)
{
	struct sockaddr_storage storage = { 0 };
	struct sockaddr_in *in4 = (struct sockaddr_in *)(void *)&storage;
	struct peer peer;

	in4->sin_family = AF_INET;
	in4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	peer_from_sockaddr(&peer, &storage);
	session = session_open(&site.host, service_find(SPAN("imap")), -1, &peer);
	session_hold(session); /* also what was closed can be looked at */
	say("LOGIN anna secret");
	say("ENABLE QRESYNC");
	assert_true(has_answer());
}

static void
leave(void)
{
	session_close(session, CLOSE_BROKEN);
	stream_memory_eof(&session->stream);
	session_release(session);
	session = NULL;
	for (int i = 0; i < PATIENCE && !list_is_empty(&site.host.sessions); i++) {
		site_turn(&site, 1);
		loop_fake_advance(site.host.loop, 1000);
	}
	assert_true(list_is_empty(&site.host.sessions));
}

static void
check_answer(const char *command, const char *answer)
{
	struct span all = buf_span(&seen), tag = SPAN("t ");
	size_t at = span_starts(all, tag) ? 0 : span_find_span(all, SPAN("\nt ")) + 1;

	if (!has_answer() || !span_starts(span_from(all, at + tag.len), span_of(answer)))
		fail_msg("%s: %.*s", command, SPAN_FMT(all));
}

/* With the numbers of the messages read before, or not. */
static void
say_all(bool knows_numbers)
{
	for (size_t i = 0; i < COUNT(reads); i++) {
		come();
		say("SELECT INBOX");
		if (knows_numbers)
			say("FETCH 1:* (FLAGS)");
		check_answer("before it", "OK");
		host_snapshot_close(&site.host);
		panicked = true;
		say(reads[i].command);
		check_answer(reads[i].command, reads[i].answer);
		panicked = false;
		leave();
	}
}

static void
nothing_is_made_up_without_numbers_h42(void **state)
{
	(void)state;
	say_all(false);
}

static void
nothing_is_made_up_with_numbers_h42(void **state)
{
	(void)state;
	say_all(true);
}

static int
begin(void **state)
{
	(void)state;
	site_open(&site, "hostname: mail.example.org\n"
			 "domains: { default: example.org, local: [example.org] }\n"
			 "auth: { hash_memory: 8MB, hash_passes: 1 }\n"
			 "services: { imap: { listen: [\"127.0.0.1:0\"] } }\n");
	site_add_user(&site, "anna", "secret");
	site_add_folder(&site, "anna", "Other");
	buf_init(&seen, 1u << 20);
	come();
	say("APPEND INBOX {14+}\r\nSubject: x\r\n\r\n");
	check_answer("APPEND", "OK");
	leave();
	return 0;
}

static int
end(void **state)
{
	(void)state;
	buf_fini(&seen);
	site_close(&site);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_made_up_without_numbers_h42),
		cmocka_unit_test(nothing_is_made_up_with_numbers_h42),
	};

	return cmocka_run_group_tests_name("imap without a store", tests, begin, end);
}
