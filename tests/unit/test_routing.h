/*
 * test_routing.h - rows of addresses, asked of the whole pipeline in one site.
 *
 * A row's answer is one line: the copies in the order they were decided, "anna >x@far.test -" (a user's
 * INBOX, the queue, kept nowhere; ">x@far.test=lan:192.0.2.1:25" where a LAN rule says; "!x@far.test" a report to
 * the sender; "anna*" another version than what came; "monitor:anna" of a role of its own), or the code of the
 * refusal.
 */
#ifndef TESTS_UNIT_TEST_ROUTING_H
#define TESTS_UNIT_TEST_ROUTING_H

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "server/pipeline/pipeline.h"
#include "tests/harness/site.h"

#define CHEAP "auth: { hash_memory: 8MB, hash_passes: 1 }\n"
#define CONF                                                                                       \
	"hostname: mail.example.org\n"                                                             \
	"domains: { default: example.org, local: [example.org, \"*.sub.example.org\", "            \
	"\"fred@isp.test\"] }\n"                                                                   \
	"services: { smtp: { listen: [\"127.0.0.1:0\"], access: [\"192.0.2.0/24 noauth\"] } }\n" CHEAP

#define BOXES                                                                                      \
	"collecting: { collectors: [ { name: box1, server: pop.isp.test, username: u, "            \
	"accepted: [example.org, shop.test] }, { name: box2, server: pop.isp.test, username: v, "  \
	"accepted: [box2.test], default_mappings: no } ] }\n"

extern struct site site; /* of the test that runs */

/* Who sends, and by which way. */
enum way {
	STRANGER,  /* SMTP from 198.51.100.9 */
	RANGE,     /* SMTP from a noauth range, with an address elsewhere */
	LMTP,      /* a server in front of us */
	LOCAL,     /* written here */
	ANY_BOX,   /* collected, no collector named */
	BOX1,      /* collected by box1 */
	BOX2,      /* collected by box2 */
	USER_ANNA, /* logged in */
	USER_BERT,
	USER_CARL,
};

struct asked {
	enum way way;
	const char *from; /* NULL: what the way has */
	const char *to;   /* recipients, with blanks between */
	const char *want;
};

/* What all rows are asked about, where a test says so. */
struct asked_message {
	const char *header;  /* without the empty line; NULL: From and a subject */
	uint64_t message_no; /* 0: not given out yet, as `explain` has it */
};
extern struct asked_message asked_message;

/* A site with postmaster, an administrator, and anna, bert, carl. */
void open_site(const char *conf);

/* Each row must get its answer; SIZE of the message, 0: a small one. */
void check_sized(const struct asked *rows, size_t count, uint64_t size);
#define CHECK(rows) check_sized(rows, COUNT(rows), 0)

/* Ask the whole pipeline of a message of SIZE; PLAN lives in ARENA. The answer goes to OUT. */
void routing_ask(struct arena *arena, const struct asked *asked, uint64_t size, struct plan *plan,
	struct buf *out);

/* One copy behind those in OUT. */
void put_copy(struct buf *out, const struct plan_copy *copy);

/* Does asking leave a note with that sentence? */
bool notes_say(const struct asked *asked, const char *text);

int test_routing_collected(void);
int test_routing_who(void);
int test_routing_who_names(void);
int test_collected_header(void);
int test_journal(void);
int test_routing_lan(void);
int test_routing_lists(void);
int test_routing_mailbox(void);
int test_monitor(void);

#endif
