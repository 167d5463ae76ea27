/*
 * transcript.c - runs conversations from plain text against real sessions in memory (house, 11).
 *
 *     transcripts FILE...      each is run whole, byte by byte, and pipelined; prints TAP
 *
 * Lines of a transcript, in order:
 *     test TEXT                       what is shown; IDs of the catalogue and hazards in it
 *     given conf LINE                 a line of the configuration, in place of or besides ours
 *     given service NAME              smtp (as it is), submission, lmtp, pop3, imap
 *     given service2 NAME             the same for the other clients, where it is another
 *     given peer ADDRESS              192.0.2.9 as it is; 127.0.0.1 may log in without TLS; unix
 *     given user NAME [PASSWORD]      given set NAME KEY VALUE
 *     given mapping PATTERN TARGET    given group NAME a;b
 *     given rule LINE                 of the SMTP rules
 *     given mail NAME N [LINES]       N messages in an INBOX; given held NAME N
 *     given text NAME MESSAGE         one message in an INBOX, with escapes
 *     given folder NAME FOLDER        a folder of its own
 *     given dns NAME ADDRESS          or: none (as all others), fail, silent
 *     given zone TZ                   local time, as in the environment; UTC as it is
 *     given modes whole               the other two do not suit this one
 *     C: TEXT    the client sends a line     C- TEXT   without its CRLF
 *     C& TEXT    a line that travels with the next one, whatever the mode
 *     C| TEXT    a line of a literal: {#} or {#+} at the end of the line before counts them
 *     S: TEXT    a line must come; `*` matches any text but at the line's begin ("* 3 EXISTS") and
 *                behind \ ("\*"); `250-*` one or more such lines
 *     S+ TEXT    one or more such lines    S~ TEXT   this line, and before it whatever comes
 *     C2: S2: C3: S3:    a second and a third client; close2, eof2 for the second
 *     ${NAME}    in S: a word, which it names or must be equal to; in C: that word
 *     close      the client breaks the connection       eof  it sends no more, but reads
 *     expect closed | open            closed2, open2: of the second client
 *     expect folder NAME/FOLDER N     expect queue N
 *     expect message NAME/FOLDER N has|lacks TEXT
 *     expect queued has|lacks TEXT    the first message in the queue
 *     expect refused N                connections, each of another kind, and noted for `trace`
 *     expect silence | silence2       nothing came that was not expected
 *     expect login NAME PROTOCOL noted|never
 *     expect trace TEXT               a line of notes of the newest trace
 *     wait SECONDS                    the clock goes on
 *     expect unsaid TEXT              not in what came and was not expected
 *     remove user NAME                by an administrator, now
 *     stop                            the server shuts down, and says so to all sessions
 *     dns gives up                    the resolver's time for silent names is over
 *     fault commit ENOSPC|EIO|slow    the next commit fails, or takes a fifth of a second
 *     fault cold                      the store's pages are not in memory
 *     expect cold                     workers read some of them
 * In what is sent \r \n \0 \\ \xNN stand for bytes and $(TEXT*N) for N times TEXT.
 */
#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/harness/transcript_inside.h"

/* ---- faults ---- */

#define COMMIT_SLOW (-1)
#define SLOW_NS 200000000

static int commit_fault;
int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);

int
__wrap_mdb_txn_commit(MDB_txn *txn)
{
	int fault = commit_fault;

	if (fault == 0)
		return __real_mdb_txn_commit(txn);
	commit_fault = 0;
	if (fault == COMMIT_SLOW) {
		nanosleep(&(struct timespec){ .tv_nsec = SLOW_NS }, NULL);
		return __real_mdb_txn_commit(txn);
	}
	mdb_txn_abort(txn);
	return fault;
}

static int
commit_fault_named(const char *name)
{
	if (strcmp(name, "slow") == 0)
		return COMMIT_SLOW;
	return strcmp(name, "EIO") == 0 ? EIO : ENOSPC;
}

/* All of the store is on disk alone, for who asks. */
static bool all_is_cold;
int __wrap_mincore(void *at, size_t size, unsigned char *in_memory);

int
__wrap_mincore(void *at, size_t size, unsigned char *in_memory)
{
	(void)at;
	memset(in_memory, !all_is_cold, (size + 4095) / 4096);
	return 0;
}

/* ---- one line after another ---- */

static void
break_off(struct run *run, struct client *client, bool whole)
{
	if (!client->session)
		return;
	stream_memory_eof(&client->session->stream);
	if (whole)
		session_close(client->session, CLOSE_BROKEN);
	for (int i = 0; i < 5; i++)
		turn(run, 1);
}

static void
run_line(struct run *run, const struct given *given)
{
	const char *line = run->lines[run->at], *text;
	size_t number;
	char how, who = client_line(line, &number, &how, &text);

	if (who && !run->clients[number].session && !run->clients[number].closed)
		run->clients[number].session = connect_client(run,
			number > 0 && given->service2 ? given->service2 : given->service,
			given->peer);
	if (who == 'C')
		send_line(run, number);
	else if (who == 'S')
		expect_line(run, &run->clients[number], text, how);
	else if (strcmp(line, "close") == 0 || strcmp(line, "eof") == 0)
		break_off(run, &run->clients[0], line[0] == 'c');
	else if (strcmp(line, "close2") == 0 || strcmp(line, "eof2") == 0)
		break_off(run, &run->clients[1], line[0] == 'c');
	else if ((text = after(line, "expect ")))
		expect(run, text);
	else if ((text = after(line, "wait ")))
		loop_fake_advance(run->site.host.loop, strtol(text, NULL, 10) * 1000);
	else if ((text = after(line, "remove user ")))
		site_remove_user(&run->site, text);
	else if (strcmp(line, "dns gives up") == 0)
		dns_gives_up();
	else if (strcmp(line, "fault cold") == 0)
		all_is_cold = true;
	else if ((text = after(line, "fault commit ")))
		commit_fault = commit_fault_named(text);
	else if (strcmp(line, "stop") == 0)
		session_close_all(&run->site.host, NULL, CLOSE_SHUTDOWN);
	else if (line[0] != '\0' && line[0] != '#' && !after(line, "given ") &&
		!after(line, "test "))
		fail(run, "cannot read this line", SPAN_NONE);
}

static void
end_sessions(struct run *run)
{
	for (int i = 0; i < 200 && !list_is_empty(&run->site.host.sessions); i++) {
		session_close_all(&run->site.host, NULL, CLOSE_SHUTDOWN);
		turn(run, 1);
		if (i > 20)
			loop_fake_advance(run->site.host.loop, 1000);
	}
	if (!list_is_empty(&run->site.host.sessions))
		fail(run, "a session did not end", SPAN_NONE);
}

static bool
run_mode(struct run *run, const struct given *given, enum mode mode)
{
	now = run;
	run->mode = mode;
	run->failed = false;
	commit_fault = 0;
	all_is_cold = false;
	memset(run->fed, 0, sizeof(run->fed));
	run->name_count = 0;
	setenv("TZ", given->zone, 1);
	tzset();
	site_open(&run->site, given->conf);
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		run->clients[i] = (struct client){ 0 };
		buf_init(&run->clients[i].seen, TEXT_MAX);
	}
	make_given(run);
	for (run->at = 0; run->at < run->count && !run->failed; run->at++)
		run_line(run, given);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		run->clients[i].session = NULL;
	run->at = run->count - 1;
	end_sessions(run);
	dns_gives_up();
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		buf_fini(&run->clients[i].seen);
	site_close(&run->site);
	return !run->failed;
}

static bool
read_lines(struct run *run)
{
	FILE *file = fopen(run->path, "re");
	char *line = NULL;
	size_t size = 0;

	run->count = 0;
	if (!file)
		return false;
	while (run->count < LINES_MAX && getline(&line, &size, file) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		run->lines[run->count++] = strdup(line);
	}
	free(line);
	fclose(file);
	return run->count > 0;
}

/* What the transcript is about: its line `test`. */
static const char *
title(const struct run *run)
{
	const char *text = run->count > 0 ? after(run->lines[0], "test") : NULL;

	return text ? text + strspn(text, " ") : "";
}

static bool
run_file(const char *path, int number)
{
	static struct run run;
	static struct given given;
	bool ok;

	run.path = path;
	ok = read_lines(&run);
	read_given(&run, &given);
	for (enum mode mode = 0; mode < MODES && ok; mode++)
		if (mode == MODE_WHOLE || !given.whole_only)
			ok = run_mode(&run, &given, mode);
	printf("%s %d - %s: %s\n", ok ? "ok" : "not ok", number, path, title(&run));
	for (size_t i = 0; i < run.count; i++)
		free(run.lines[i]);
	return ok;
}

int
main(int argc, char **argv)
{
	int failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 1; i < argc; i++)
		failed += !run_file(argv[i], i);
	return failed > 0;
}
