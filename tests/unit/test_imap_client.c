/*
 * test_imap_client.c - conversations with a server: what it says, and all that the client does.
 *
 * A script's `says` is fed line by line, byte by byte, and with a holder that takes half of each piece of text; what goes
 * out ("> ") and what happens ("! ") must read as `does` each time. `plan` is what the holder asks when the folder is
 * open: L list, F5 H5 D5 S5 K5 orders, X expunge, I IDLE, N NOOP, Q LOGOUT; & joins what is asked at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/imap/imap_client.h"
#include "tests/unit/test_proto.h"

struct script {
	const char *name;
	enum imap_client_tls tls;
	bool in_clear, no_login;
	unsigned mechanisms;
	const char *user, *password, *folder, *plan, *says, *does;
};

struct run {
	struct imap_client machine;
	struct buf out, log, text;
	const char *plan;
	bool refuses; /* the first half of each text comes again */
};

enum feeding { BY_LINE, BY_BYTE, HALF_TAKEN, FEEDINGS };

static void
log_put(struct run *r, const char *format, ...)
{
	char line[2000];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	assert_int_equal(buf_put(&r->log, span_of(line)), OK);
}

static void
log_output(struct run *r)
{
	struct span rest = buf_span(&r->out), line;

	while (rest.len > 0 && span_next_line(&rest, &line))
		log_put(r, "> %.*s\n", SPAN_FMT(line));
	buf_clear(&r->out);
}

static void
log_event(struct run *r, const struct imap_client_event *ev)
{
	static const char *const results[] = { "ok", "gone", "empty", "passed", "no", "bad" };
	char command[100];

	log_output(r);
	if (ev->kind == IMAP_CLIENT_STARTTLS)
		log_put(r, "! tls\n");
	else if (ev->kind == IMAP_CLIENT_TASK)
		log_put(r, "! task\n");
	else if (ev->kind == IMAP_CLIENT_READY)
		log_put(r, "! ready %u %u%s\n", r->machine.folder.exists, r->machine.folder.uidvalidity,
			r->machine.folder.unsticky ? " unsticky" : "");
	else if (ev->kind == IMAP_CLIENT_ITEM)
		log_put(r, "! %u %llu%s%s\n", ev->uid, (unsigned long long)ev->size,
			ev->flags & IMAP_FLAG_SEEN ? " seen" : "",
			ev->flags & IMAP_FLAG_DELETED ? " deleted" : "");
	else if (ev->kind == IMAP_CLIENT_ANSWER)
		log_put(r, "! answer %u %s [%.*s]\n", ev->uid, results[ev->result],
			SPAN_FMT(buf_span(&r->text)));
	else if (ev->kind == IMAP_CLIENT_EXPUNGED)
		log_put(r, "! expunged %s\n", results[ev->result]);
	else if (ev->kind == IMAP_CLIENT_OVER)
		log_put(r, "! over: %s, %s\n", imap_client_over_text(ev->why),
			imap_client_command(&r->machine, command, sizeof(command)));
	else if (ev->kind != IMAP_CLIENT_TEXT)
		log_put(r, "! %s\n", ev->kind == IMAP_CLIENT_LISTED ? "listed"
				     : ev->kind == IMAP_CLIENT_NEWS ? "news"
								    : "idled");
	if (ev->kind == IMAP_CLIENT_ANSWER)
		buf_clear(&r->text);
}

static void
order(struct run *r, char word)
{
	static const char words[] = "HFDSK";
	enum imap_client_stage stage =
		IMAP_STAGE_HEAD + (enum imap_client_stage)(strchr(words, word) - words);
	char *end;
	uint32_t uid = (uint32_t)strtoul(r->plan, &end, 10);

	r->plan = end;
	imap_client_order(&r->machine, stage, uid);
}

/* The next of the plan, and what is joined to it. */
static void
go_on(struct run *r)
{
	struct imap_client *m = &r->machine;
	bool joined = true;

	while (joined && *r->plan) {
		char word = *r->plan++;

		if (word == 'L')
			imap_client_list(m, &r->out);
		else if (word == 'X')
			imap_client_expunge(m, &r->out);
		else if (word == 'I')
			imap_client_idle(m, &r->out);
		else if (word == 'N')
			imap_client_noop(m, &r->out);
		else if (word == 'Q')
			imap_client_logout(m, &r->out);
		else
			order(r, word);
		joined = *r->plan == '&';
		r->plan += joined;
	}
}

/* What a holder does. The bytes that it has not taken. */
static size_t
hold(struct run *r, const struct imap_client_event *ev)
{
	struct imap_client *m = &r->machine;
	size_t left = r->refuses ? ev->text.len / 2 : 0;

	if (ev->kind == IMAP_CLIENT_TEXT) {
		assert_int_equal(buf_put(&r->text, span_range(ev->text, 0, ev->text.len - left)), OK);
		if (left > 0)
			imap_client_again(m, left);
		return left;
	}
	if (ev->kind == IMAP_CLIENT_STARTTLS)
		imap_client_tls_started(m, &r->out);
	else if (ev->kind == IMAP_CLIENT_TASK)
		imap_client_prove(m, SPAN("0123456789abcdef"), SPAN(""), &r->out);
	else if (ev->kind == IMAP_CLIENT_NEWS && imap_client_stage(m) == IMAP_STAGE_IDLE)
		imap_client_idle_end(m, &r->out);
	return 0;
}

static size_t
feed(struct run *r, struct span in)
{
	struct imap_client_event ev;
	size_t total = 0;

	do {
		total += imap_client_next(&r->machine, span_from(in, total), &r->out, &ev);
		if (ev.kind == IMAP_CLIENT_NEED_BYTES && imap_client_is_quiet(&r->machine) && r->plan[0] &&
			r->machine.folder.uidvalidity != 0) {
			go_on(r);
			continue;
		}
		if (ev.kind == IMAP_CLIENT_NEED_BYTES || ev.kind == IMAP_CLIENT_NEED_HOLDER)
			break;
		log_event(r, &ev);
		total -= hold(r, &ev);
		log_output(r);
	} while (ev.kind != IMAP_CLIENT_OVER);
	log_output(r);
	return ev.kind == IMAP_CLIENT_OVER ? in.len : total;
}

static void
talk(const struct script *s, enum feeding how)
{
	struct span says = span_of(s->says);
	struct imap_client_config config = { .tls = s->tls, .secret_in_clear = s->in_clear,
		.login = !s->no_login, .mechanisms = s->mechanisms,
		.folder = span_of(s->folder ? s->folder : "INBOX"),
		.account = { span_of(s->user ? s->user : "anna"),
			span_of(s->password ? s->password : "pass"), SPAN("x.test"), 143 } };
	struct run r = { .plan = s->plan ? s->plan : "Q", .refuses = how == HALF_TAKEN };
	size_t at = 0, end = 0;

	buf_init(&r.out, 1 << 16);
	buf_init(&r.log, 1 << 16);
	buf_init(&r.text, 1 << 16);
	imap_client_init(&r.machine, &config);
	while (end < says.len) {
		end += how == BY_BYTE ? 1 : span_find(span_from(says, end), '\n') + 1;
		at += feed(&r, span_range(says, at, end));
	}
	if (strncmp(buf_span(&r.log).ptr ? buf_span(&r.log).ptr : "", s->does, strlen(s->does)) != 0 ||
		buf_span(&r.log).len != strlen(s->does))
		fail_msg("%s (%d):\n%.*s", s->name, how, SPAN_FMT(buf_span(&r.log)));
	imap_client_fini(&r.machine);
	buf_fini(&r.out);
	buf_fini(&r.log);
	buf_fini(&r.text);
}

#define CAPS(words) "* CAPABILITY IMAP4rev1 " words "\n"
#define GREETED(words) "* OK [CAPABILITY IMAP4rev1 " words "] hi\n"
#define LOGGED_IN(tag, words) tag " OK [CAPABILITY IMAP4rev1 " words "] in\n"
#define SELECTED(tag, n)                                                                           \
	"* FLAGS (\\Seen)\n* " n " EXISTS\n* 0 RECENT\n* OK [UIDVALIDITY 77] ok\n" tag " OK [READ-WRITE] open\n"
/* As far as READY, with two commands. */
#define OPEN(words, n) GREETED(words) LOGGED_IN("P1", words) SELECTED("P2", n)
#define OPENS(n) "> P1 LOGIN \"anna\" \"pass\"\n> P2 SELECT INBOX\n! ready " n " 77\n"
#define BYE(tag) "* BYE see you\n" tag " OK done\n"
#define OUT(tag) "> " tag " LOGOUT\n! over: logged out, LOGOUT\n"
#define PLAIN SASL_CLIENT_BIT(SASL_CLIENT_PLAIN)
#define CRAM SASL_CLIENT_BIT(SASL_CLIENT_CRAM_MD5)

static const struct script scripts[] = {
	{ "a list, a message, its removal", .in_clear = true, .plan = "LF5D5XQ",
		.says = OPEN("UIDPLUS", "2")
			"* 1 FETCH (UID 5 RFC822.SIZE 9 FLAGS (\\Seen $x))\n"
			"* 2 FETCH (FLAGS (\\Deleted) UID 4294967295 RFC822.SIZE 18446744073)\nP3 OK listed\n"
			"* 1 FETCH (UID 5 BODY[] {9}\nA: b\n\nx)\n)\nP4 OK fetched\n"
			"P5 OK stored\n* 1 EXPUNGE\nP6 OK expunged\n" BYE("P7"),
		.does = OPENS("2") "> P3 UID FETCH 1:* (UID RFC822.SIZE FLAGS)\n! 5 9 seen\n"
			"! 4294967295 18446744073 deleted\n! listed\n> P4 UID FETCH 5 (UID BODY.PEEK[])\n"
			"! answer 5 ok [A: b\n\nx)\n]\n> P5 UID STORE 5 +FLAGS.SILENT (\\Deleted)\n! answer 5 ok []\n"
			"> P6 UID EXPUNGE 5\n! expunged ok\n" OUT("P7") },
	{ "an empty folder is not asked for its messages", .in_clear = true, .plan = "LQ",
		.says = OPEN("", "0") BYE("P3"), .does = OPENS("0") "! listed\n" OUT("P3") },
	{ "orders at once, and responses nobody asked for between them", .in_clear = true, .plan = "H5&F6&S7Q",
		.says = OPEN("", "3") "P3 NO read-only\n* 3 FETCH (FLAGS (\\Flagged))\n* 4 EXISTS\n"
			"* 1 FETCH (UID 5 BODY[HEADER] {6}\nA: b\n\n FLAGS (\\Seen))\n* 9 FETCH (UID 9 ENVELOPE (\"a\\\"\" {3}\n(x) NIL (NIL)) FLAGS ())\n"
			"P4 OK\n* NO disk is full\n* LIST (\\Noselect) \"/\" {3}\na\"b\n"
			"* 2 FETCH (BODY[] {0}\n UID 6)\nP5 OK\n" BYE("P6"),
		.does = OPENS("3") "> P3 UID STORE 7 +FLAGS.SILENT (\\Seen)\n> P4 UID FETCH 5 (UID BODY.PEEK[HEADER])\n"
			"! answer 5 ok [A: b\n\n]\n> P5 UID FETCH 6 (UID BODY.PEEK[])\n! answer 6 empty []\n! answer 7 no []\n" OUT("P6") },
	{ "several orders in one command", .in_clear = true, .plan = "F5&D2&F6&D3&F9&F8&F10Q",
		.says = OPEN("", "3") "P3 OK\n* 1 FETCH (UID 5 BODY[] {2}\nab)\n* 3 FETCH (UID 9 BODY[] {2}\ncd)\nP4 OK\n"
			"* 2 FETCH (UID 8 BODY[] {2}\nef)\nP5 NO [SERVERBUG] no\n" BYE("P6"),
		.does = OPENS("3") "> P3 UID STORE 2:3 +FLAGS.SILENT (\\Deleted)\n> P4 UID FETCH 5:6,9 (UID BODY.PEEK[])\n"
			"! answer 5 ok [ab]\n! answer 2 ok []\n! answer 6 passed []\n! answer 3 ok []\n! answer 9 ok [cd]\n"
			"> P5 UID FETCH 8,10 (UID BODY.PEEK[])\n! answer 8 ok [ef]\n! answer 10 no []\n" OUT("P6") },
	{ "an order without a command has its answer in its turn", .in_clear = true, .plan = "K4&D5&K6Q",
		.says = OPEN("", "1") "P3 OK\n" BYE("P4"),
		.does = OPENS("1") "! answer 4 ok []\n> P3 UID STORE 5 +FLAGS.SILENT (\\Deleted)\n! answer 5 ok []\n! answer 6 ok []\n" OUT("P4") },
	{ "what is not there, and what is refused", .in_clear = true, .plan = "F5F6F7H8F9Q",
		.says = OPEN("", "1") "P3 OK nothing\n* 1 FETCH (UID 6 BODY[] NIL)\nP4 OK\n"
			"* 1 FETCH (UID 7 BODY[] {1}\nx)\nP5 NO too late\nP6 BAD no\n* 1 FETCH (BODY[] \"x\" UID 9)\nP7 OK\n" BYE("P8"),
		.does = OPENS("1") "> P3 UID FETCH 5 (UID BODY.PEEK[])\n! answer 5 gone []\n> P4 UID FETCH 6 (UID BODY.PEEK[])\n"
			"! answer 6 gone []\n> P5 UID FETCH 7 (UID BODY.PEEK[])\n! answer 7 ok [x]\n"
			"> P6 UID FETCH 8 (UID BODY.PEEK[HEADER])\n! answer 8 bad []\n"
			"> P7 UID FETCH 9 (UID BODY.PEEK[])\n! answer 9 empty []\n" OUT("P8") },
	{ "the UID behind a text is another's", .in_clear = true, .plan = "F5Q",
		.says = OPEN("", "1") "* 1 FETCH (BODY[] {1}\nx UID 6)\nP3 OK\n" BYE("P4"),
		.does = OPENS("1") "> P3 UID FETCH 5 (UID BODY.PEEK[])\n! answer 5 bad [x]\n" OUT("P4") },
	{ "the text of another message", .in_clear = true, .plan = "F5",
		.says = OPEN("", "1") "* 1 FETCH (UID 6 BODY[] {1}\n",
		.does = OPENS("1") "> P3 UID FETCH 5 (UID BODY.PEEK[])\n"
			"! over: the server answered what it was not asked, UID FETCH 5 (UID BODY.PEEK[])\n" },
	{ "one text, then another one", .in_clear = true, .plan = "F5Q",
		.says = OPEN("", "1") "* 1 FETCH (UID 5 BODY[] {1}\nx BODY[] {1}\ny)\nP3 OK\n" BYE("P4"),
		.does = OPENS("1") "> P3 UID FETCH 5 (UID BODY.PEEK[])\n! answer 5 bad [x]\n" OUT("P4") },
	{ "one message, then the same again", .in_clear = true, .plan = "F5",
		.says = OPEN("", "1") "* 1 FETCH (UID 5 BODY[] {1}\nx)\n* 1 FETCH (UID 5 BODY[] {1}\n",
		.does = OPENS("1") "> P3 UID FETCH 5 (UID BODY.PEEK[])\n! answer 5 ok [x]\n"
			"! over: the server answered what it was not asked, UID FETCH 5 (UID BODY.PEEK[])\n" },
	{ "without UIDPLUS: nobody else has marked anything", .in_clear = true, .plan = "D5&D6&D9XQ",
		.says = OPEN("", "3") "P3 OK\n* SEARCH\nP4 OK\nP5 OK\n" BYE("P6"),
		.does = OPENS("3") "> P3 UID STORE 5:6,9 +FLAGS.SILENT (\\Deleted)\n! answer 5 ok []\n! answer 6 ok []\n! answer 9 ok []\n"
			"> P4 UID SEARCH DELETED UID 1:4,7:8,10:4294967295\n> P5 EXPUNGE\n! expunged ok\n" OUT("P6") },
	{ "without UIDPLUS: what others marked stays", .in_clear = true, .plan = "D1XQ",
		.says = OPEN("", "3") "P3 OK\n* SEARCH 7\nP4 OK\n" BYE("P5"),
		.does = OPENS("3") "> P3 UID STORE 1 +FLAGS.SILENT (\\Deleted)\n! answer 1 ok []\n"
			"> P4 UID SEARCH DELETED UID 2:4294967295\n! expunged no\n" OUT("P5") },
	{ "nothing is marked", .in_clear = true, .plan = "D1XQ", .says = OPEN("UIDPLUS", "3") "P3 NO\n" BYE("P4"),
		.does = OPENS("3") "> P3 UID STORE 1 +FLAGS.SILENT (\\Deleted)\n! answer 1 no []\n! expunged ok\n" OUT("P4") },
	{ "IDLE, and mail comes", .in_clear = true, .plan = "IQ",
		.says = OPEN("IDLE", "3") "+ idling\n* 2 EXPUNGE\n* OK still here\n* 3 EXISTS\nP3 OK\n" BYE("P4"),
		.does = OPENS("3") "> P3 IDLE\n! news\n> DONE\n! idled\n" OUT("P4") },
	{ "IDLE: what came before it began", .in_clear = true, .plan = "NIQ",
		.says = OPEN("IDLE", "3") "P3 OK\n* 4 EXISTS\n+\nP4 OK\n" BYE("P5"),
		.does = OPENS("3") "> P3 NOOP\n! idled\n> P4 IDLE\n! news\n> DONE\n! idled\n" OUT("P5") },
	{ "IDLE is refused", .in_clear = true, .plan = "IQ", .says = OPEN("IDLE", "3") "P3 NO\n" BYE("P4"),
		.does = OPENS("3") "> P3 IDLE\n! idled\n" OUT("P4") },
	{ "NOOP brings news", .in_clear = true, .plan = "NQ", .says = OPEN("", "3") "* 4 EXISTS\nP3 OK\n" BYE("P4"),
		.does = OPENS("3") "> P3 NOOP\n! news\n! idled\n" OUT("P4") },
	/* ---- TLS ---- */
	{ "STARTTLS, and all is asked again", IMAP_CLIENT_TLS_REQUIRED,
		.says = GREETED("STARTTLS IDLE") "P1 OK go\n" CAPS("AUTH=PLAIN") "P2 OK\nP3 OK in\n" CAPS("") "P4 OK\n" SELECTED("P5", "0") BYE("P6"),
		.does = "> P1 STARTTLS\n! tls\n> P2 CAPABILITY\n> P3 LOGIN \"anna\" \"pass\"\n> P4 CAPABILITY\n> P5 SELECT INBOX\n"
			"! ready 0 77\n" OUT("P6") },
	{ "H3: PREAUTH leaves no way to TLS", IMAP_CLIENT_TLS_REQUIRED, .says = "* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] welcome\n",
		.does = "! over: the server offers no TLS, which this collector requires, (greeting)\n" },
	{ "PREAUTH where TLS is not asked for", .in_clear = true, .says = "* PREAUTH welcome\n" CAPS("") "P1 OK\n" SELECTED("P2", "1") BYE("P3"),
		.does = "> P1 CAPABILITY\n> P2 SELECT INBOX\n! ready 1 77\n" OUT("P3") },
	{ "H68: TLS is required and not there", IMAP_CLIENT_TLS_REQUIRED, .says = "* OK hi\n" CAPS("AUTH=PLAIN") "P1 OK\n",
		.does = "> P1 CAPABILITY\n! over: the server offers no TLS, which this collector requires, \n" },
	{ "H68: TLS is required and refused", IMAP_CLIENT_TLS_REQUIRED, .says = GREETED("STARTTLS") "P1 NO later\n",
		.does = "> P1 STARTTLS\n! over: the server offers no TLS, which this collector requires, STARTTLS\n" },
	/* ---- logins ---- */
	{ "INM-02: quotes in a password, and a folder that is not ASCII", .in_clear = true, .password = "a\"b\\c",
		.folder = "Entw\xc3\xbcrfe/\"&\"",
		.says = GREETED("") LOGGED_IN("P1", "") SELECTED("P2", "0") BYE("P3"),
		.does = "> P1 LOGIN \"anna\" \"a\\\"b\\\\c\"\n> P2 SELECT \"Entw&APw-rfe/\\\"&-\\\"\"\n! ready 0 77\n" OUT("P3") },
	{ "INM-02: a password that is not ASCII", .in_clear = true, .password = "gr\xc3\xbc\xc3\x9f",
		.says = GREETED("") "+ go\n+ go\n" LOGGED_IN("P1", "") SELECTED("P2", "0") BYE("P3"),
		.does = "> P1 LOGIN {4}\n> anna {6}\n> gr\xc3\xbc\xc3\x9f\n> P2 SELECT INBOX\n! ready 0 77\n" OUT("P3") },
	{ "LOGINDISABLED: AUTHENTICATE PLAIN", .in_clear = true, .mechanisms = PLAIN,
		.says = GREETED("LOGINDISABLED AUTH=PLAIN SASL-IR") LOGGED_IN("P1", "") SELECTED("P2", "0") BYE("P3"),
		.does = "> P1 AUTHENTICATE PLAIN AGFubmEAcGFzcw==\n> P2 SELECT INBOX\n! ready 0 77\n" OUT("P3") },
	{ "LOGINDISABLED, and nothing else", .in_clear = true, .mechanisms = PLAIN, .says = GREETED("LOGINDISABLED AUTH=NTLM"),
		.does = "! over: the server offers no way to log in that may be used here, \n" },
	{ "INM-02: AUTHENTICATE PLAIN without SASL-IR", .in_clear = true, .no_login = true, .mechanisms = PLAIN,
		.says = GREETED("AUTH=PLAIN") "+ \n" LOGGED_IN("P1", "") SELECTED("P2", "0") BYE("P3"),
		.does = "> P1 AUTHENTICATE PLAIN\n> AGFubmEAcGFzcw==\n> P2 SELECT INBOX\n! ready 0 77\n" OUT("P3") },
	{ "INM-02: CRAM-MD5", .no_login = true, .mechanisms = CRAM,
		.says = GREETED("AUTH=CRAM-MD5") "+ PDFAeD4=\n" LOGGED_IN("P1", "") SELECTED("P2", "0") BYE("P3"),
		.does = "> P1 AUTHENTICATE CRAM-MD5\n! task\n> YW5uYSAzMDMxMzIzMzM0MzUzNjM3MzgzOTYxNjI2MzY0NjU2Ng==\n"
			"> P2 SELECT INBOX\n! ready 0 77\n" OUT("P3") },
	{ "INM-02: a token that has run out", .in_clear = true, .no_login = true, .mechanisms = SASL_CLIENT_WITH_TOKEN,
		.says = GREETED("AUTH=XOAUTH2 SASL-IR") "+ e30=\nP1 NO [AUTHENTICATIONFAILED] run out\n",
		.does = "> P1 AUTHENTICATE XOAUTH2 dXNlcj1hbm5hAWF1dGg9QmVhcmVyIHBhc3MBAQ==\n> \n! over: the login was refused, AUTHENTICATE\n" },
	{ "H67: no password in clear", .mechanisms = PLAIN, .says = GREETED("AUTH=PLAIN"),
		.does = "! over: the server offers no way to log in that may be used here, \n" },
	{ "the login is refused", .in_clear = true, .says = GREETED("") "P1 NO [AUTHENTICATIONFAILED] no\n",
		.does = "> P1 LOGIN \"anna\" \"pass\"\n! over: the login was refused, LOGIN\n" },
	{ "the login cannot be judged", .in_clear = true, .says = GREETED("") "P1 NO [UNAVAILABLE] later\n",
		.does = "> P1 LOGIN \"anna\" \"pass\"\n! over: the server refused, LOGIN\n" },
	{ "INM-30: the folder is in use", .in_clear = true, .says = GREETED("") LOGGED_IN("P1", "") "P2 NO [INUSE] locked\n",
		.does = "> P1 LOGIN \"anna\" \"pass\"\n> P2 SELECT INBOX\n! over: the folder is in use, SELECT\n" },
	/* ---- hostile ---- */
	{ "UIDVALIDITY is of SELECT alone", .in_clear = true, .plan = "NQ",
		.says = OPEN("", "0") "* OK [UIDVALIDITY 78] no\nP3 OK\n" BYE("P4"), .does = OPENS("0") "> P3 NOOP\n! idled\n" OUT("P4") },
	{ "it says goodbye", .in_clear = true, .plan = "F5", .says = OPEN("", "1") "* BYE [UNAVAILABLE] down\n",
		.does = OPENS("1") "> P3 UID FETCH 5 (UID BODY.PEEK[])\n! over: the server said goodbye, UID FETCH 5 (UID BODY.PEEK[])\n" },
	{ "a greeting that is none", .says = "* BYE busy\n", .does = "! over: the server said goodbye, (greeting)\n" },
	{ "not IMAP", .says = "220 hello\n", .does = "! over: the server does not speak IMAP, (greeting)\n" },
	{ "an answer to nothing", .in_clear = true, .plan = "F5", .says = OPEN("", "1") "P4 OK\n",
		.does = OPENS("1") "> P3 UID FETCH 5 (UID BODY.PEEK[])\n"
			"! over: the server answered what it was not asked, UID FETCH 5 (UID BODY.PEEK[])\n" },
	{ "a list that is refused is not empty", .in_clear = true, .plan = "L", .says = OPEN("", "1") "P3 NO not now\n",
		.does = OPENS("1") "> P3 UID FETCH 1:* (UID RFC822.SIZE FLAGS)\n"
			"! over: the server refused, UID FETCH 1:* (UID RFC822.SIZE FLAGS)\n" },
	{ "a FETCH response that is none", .in_clear = true, .plan = "L", .says = OPEN("", "1") "* 1 FETCH (UID 0 RFC822.SIZE 1)\n",
		.does = OPENS("1") "> P3 UID FETCH 1:* (UID RFC822.SIZE FLAGS)\n"
			"! over: the server does not speak IMAP, UID FETCH 1:* (UID RFC822.SIZE FLAGS)\n" },
	{ "H22: a literal of more than 32 bits", .in_clear = true, .plan = "F5", .says = OPEN("", "1") "* 1 FETCH (UID 5 BODY[] {4294967296}\n",
		.does = OPENS("1") "> P3 UID FETCH 5 (UID BODY.PEEK[])\n! over: the server says more than is read, UID FETCH 5 (UID BODY.PEEK[])\n" },
	{ "H22: a large literal that nobody asked for", .in_clear = true, .plan = "F5", .says = OPEN("", "1") "* 1 FETCH (UID 5 BODY[1] {65537}\n",
		.does = OPENS("1") "> P3 UID FETCH 5 (UID BODY.PEEK[])\n! over: the server says more than is read, UID FETCH 5 (UID BODY.PEEK[])\n" },
	{ "H23: parentheses in parentheses", .in_clear = true, .plan = "F5", .says = OPEN("", "1") "* 1 FETCH (X ((((((((((((((((((((((((\n",
		.does = OPENS("1") "> P3 UID FETCH 5 (UID BODY.PEEK[])\n! over: the server does not speak IMAP, UID FETCH 5 (UID BODY.PEEK[])\n" },
	{ "a text like a literal in a status", .in_clear = true, .says = "* OK hi {5}\n" CAPS("") "P1 OK {3}\n" "P2 NO {7}\n",
		.does = "> P1 CAPABILITY\n> P2 LOGIN \"anna\" \"pass\"\n! over: the login was refused, LOGIN\n" },
};

static void
conversations_go_as_they_should(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(scripts); i++)
		for (enum feeding how = BY_LINE; how < FEEDINGS; how++)
			talk(&scripts[i], how);
}

/* A line has a limit, and so has what is said without an answer to us. */
static void
an_endless_server_ends(void **state)
{
	struct imap_client_config config = { .secret_in_clear = true, .login = true, .folder = SPAN("INBOX") };
	struct imap_client_event ev = { 0 };
	static char line[IMAP_CLIENT_LINE_MAX + 2];
	struct imap_client m;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	imap_client_init(&m, &config);
	memset(line, 'x', sizeof(line));
	assert_int_equal(imap_client_next(&m, (struct span){ line, sizeof(line) }, &out, &ev), 0);
	assert_int_equal(ev.kind, IMAP_CLIENT_OVER);
	assert_int_equal(ev.why, IMAP_OVER_LIMIT);
	imap_client_fini(&m);
	imap_client_init(&m, &config);
	assert_int_equal(imap_client_next(&m, SPAN("* OK [CAPABILITY X] hi\r\n"), &out, &ev), 24);
	for (uint64_t i = 0; i <= IMAP_CLIENT_UNASKED_MAX && ev.kind != IMAP_CLIENT_OVER; i++)
		assert_true(imap_client_next(&m, SPAN("* 1 FETCH (FLAGS ())\r\n"), &out, &ev) > 0);
	assert_int_equal(ev.why, IMAP_OVER_LIMIT);
	imap_client_fini(&m);
	buf_fini(&out);
}

/* H3: what follows the go-ahead in the same read is never acted on. */
static void
h3_nothing_is_read_before_the_handshake(void **state)
{
	struct imap_client_config config = { .tls = IMAP_CLIENT_TLS_REQUIRED, .login = true, .folder = SPAN("INBOX") };
	struct span says = SPAN("* OK [CAPABILITY STARTTLS] hi\r\nP1 OK go\r\n* CAPABILITY AUTH=PLAIN\r\n");
	struct imap_client_event ev;
	struct imap_client m;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	imap_client_init(&m, &config);
	assert_true(imap_client_next(&m, says, &out, &ev) < says.len);
	assert_int_equal(ev.kind, IMAP_CLIENT_OVER);
	assert_int_equal(ev.why, IMAP_OVER_INJECTED);
	imap_client_fini(&m);
	buf_fini(&out);
}

/* Ranges of many UIDs go out in lines of a bounded length, and all of them do. */
static void
a_long_removal_is_cut_into_commands(void **state)
{
	struct imap_client_config config = { .secret_in_clear = true, .login = true, .folder = SPAN("INBOX") };
	struct span open = SPAN(OPEN("UIDPLUS", "9000"));
	struct imap_client_event ev = { 0 };
	struct imap_client m;
	struct buf out;
	size_t at = 0, commands = 0, ranges = 0;
	char line[100];

	(void)state;
	buf_init(&out, 1 << 20);
	imap_client_init(&m, &config);
	while (ev.kind != IMAP_CLIENT_READY)
		at += imap_client_next(&m, span_from(open, at), &out, &ev);
	for (unsigned uid = 1; uid <= 1000; uid += 2) {
		imap_client_order(&m, IMAP_STAGE_DELETE, uid);
		imap_client_next(&m, SPAN_NONE, &out, &ev);
		snprintf(line, sizeof(line), "P%u OK\r\n", (unsigned)m.tag);
		assert_int_equal(imap_client_next(&m, span_of(line), &out, &ev), strlen(line));
		assert_int_equal(ev.kind, IMAP_CLIENT_ANSWER);
	}
	buf_clear(&out);
	imap_client_expunge(&m, &out);
	while (ev.kind != IMAP_CLIENT_EXPUNGED) {
		struct span said = buf_span(&out);

		assert_true(said.len > 0 && said.len < 1000);
		for (size_t i = 0; i < said.len; i++)
			ranges += said.ptr[i] == ',';
		ranges++;
		commands++;
		buf_clear(&out);
		snprintf(line, sizeof(line), "P%u OK\r\n", (unsigned)m.tag);
		assert_int_equal(imap_client_next(&m, span_of(line), &out, &ev), strlen(line));
	}
	assert_int_equal(ranges, 500);
	assert_true(commands > 5 && commands < 30);
	imap_client_fini(&m);
	buf_fini(&out);
}

int
test_imap_client(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conversations_go_as_they_should),
		cmocka_unit_test(an_endless_server_ends),
		cmocka_unit_test(h3_nothing_is_read_before_the_handshake),
		cmocka_unit_test(a_long_removal_is_cut_into_commands),
	};

	return cmocka_run_group_tests_name("imap_client", tests, NULL, NULL);
}
