/*
 * test_script_header.c - fields that the scripts of many users set in one message: as many contents as there are
 * different headers, up to a limit, beyond which the message still goes to all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/pipeline/script_answer.h"
#include "server/queue/intake.h"
#include "store/contents.h"
#include "store/users.h"
#include "tests/harness/site.h"

#define CONF                                                                                       \
	"hostname: mail.example.org\n"                                                             \
	"domains: { default: example.org, local: [example.org] }\n"
#define HEADER "From: carl@example.org\r\nSubject: hi\r\n\r\n"
#define USERS        600
#define VERSIONS_MAX 256 /* script_header.c */

struct adding {
	struct store_job job;
	char names[USERS][16];
};

static enum step
add_users(struct store_job *job, struct txn *txn)
{
	struct adding *adding = LIST_ITEM(job, struct adding, job);
	enum err err = OK;
	struct user user;
	uint64_t id;

	for (unsigned i = 0; i < USERS && err == OK; i++) {
		snprintf(adding->names[i], sizeof(adding->names[i]), "user%03u", i + 1);
		user_init(&user);
		user.name = span_of(adding->names[i]);
		err = user_add(txn, &user, 1000, &id);
		if (err == OK && id != i + 1)
			err = ERR_CORRUPT;
	}
	return step_of(job, err);
}

struct sent {
	struct site site;
	struct intake *in;
	bool ended;
	enum err result;
};

static void
on_done(struct intake *in, enum err result)
{
	struct sent *s = in->holder;

	s->ended = true;
	s->result = result;
	intake_drop(&s->in);
}

static const struct intake_events events = { .done = on_done };

/* Each user's script sets X-Me to one of VALUES values. */
static struct script_answers *
answers(struct arena *a, unsigned values)
{
	struct script_answers *all = ARENA_NEW(a, struct script_answers);
	struct script_answer *users = ARENA_ARRAY(a, struct script_answer, USERS);
	struct script_action *actions = ARENA_ARRAY(a, struct script_action, USERS);

	for (unsigned i = 0; i < USERS; i++) {
		actions[i] = (struct script_action){ .kind = SCRIPT_SET_HEADER, .text = SPAN("X-Me"),
			.value = arena_printf(a, "%03u", i % values) };
		users[i] = (struct script_answer){ .user_id = i + 1, .name = SPAN("a user"),
			.actions = &actions[i], .count = 1 };
	}
	*all = (struct script_answers){ .users = users, .user_count = USERS };
	return all;
}

/* To all users, with these scripts. */
static void
send_to_all(struct sent *s, unsigned values)
{
	static const struct address nobody = { .flags = ADDRESS_NULL };
	struct mail_options options = { .body = BODY_UNSAID };
	struct address everyone;
	struct pipeline_ask ask = { .conf = s->site.host.conf };
	enum phase at;

	s->ended = false;
	s->in = intake_open(&s->site.host, &events, s);
	s->in->mail.via = MAIL_VIA_LOCAL;
	s->in->mail.service = "local";
	s->in->mail.hostname = SPAN("mail.example.org");
	s->in->mail.peer.is_unix = true;
	envelope_init(&s->in->mail.envelope, &s->in->arena, &nobody, &options);
	assert_int_equal(intake_text(s->in, SPAN(HEADER "hello\r\n")), OK);
	assert_int_equal(intake_text_end(s->in), OK);
	assert_int_equal(address_parse(&s->in->arena, SPAN("everyone@example.org"), &everyone), OK);
	s->in->mail.scripts = answers(&s->in->arena, values);
	ask.mail = &s->in->mail;
	ask.snap = host_snapshot(&s->site.host);
	assert_int_equal(pipeline_run_all(&ask, &everyone, 1, NULL, &s->in->plan, &at), STAGE_NEXT);
	assert_int_equal(s->in->plan.copy_count, USERS);
	intake_submit(s->in);
	for (int i = 0; i < 2000 && !s->ended; i++)
		site_turn(&s->site, 5);
	assert_true(s->ended);
	assert_int_equal(s->result, OK);
}

static uint64_t
contents(struct sent *s)
{
	struct snapshot *snap;
	uint64_t count;

	assert_int_equal(snapshot_open(s->site.host.store, &snap), OK);
	assert_int_equal(table_count(snap, TABLE_contents, &count), OK);
	snapshot_close(&snap);
	return count;
}

static void
assert_newest(struct sent *s, const char *user, size_t n, const char *want)
{
	struct buf message;

	buf_init(&message, 1 << 16);
	assert_int_equal(site_folder_count(&s->site, user, "INBOX"), n);
	assert_true(site_folder_read(&s->site, user, "INBOX", n, &message));
	assert_true(span_eq(buf_span(&message), span_of(want)));
	buf_fini(&message);
}

#define PLAIN "Return-Path: <>\r\n" HEADER "hello\r\n"
#define WITH(VALUE) \
	"Return-Path: <>\r\nFrom: carl@example.org\r\nSubject: hi\r\nX-Me: " VALUE "\r\n\r\nhello\r\n"

static void
test_q_13_six_hundred_headers_of_one_message(void **state)
{
	static struct adding adding = { .job = { .apply = add_users } };
	struct sent s = { .ended = false };

	(void)state;
	site_open(&s.site, CONF);
	assert_int_equal(store_run_job_now(s.site.host.store, &adding.job), OK);
	send_to_all(&s, 1);
	assert_int_equal(contents(&s), 1);
	assert_newest(&s, "user600", 1, WITH("000"));
	send_to_all(&s, VERSIONS_MAX);
	assert_int_equal(contents(&s), 1 + VERSIONS_MAX);
	assert_newest(&s, "user001", 2, WITH("000"));
	assert_newest(&s, "user256", 2, WITH("255"));
	assert_newest(&s, "user600", 2, WITH("087"));
	send_to_all(&s, USERS); /* more than a message has: the others get it as it is, and all get it */
	assert_int_equal(contents(&s), 2 + 2 * VERSIONS_MAX);
	assert_newest(&s, "user001", 3, WITH("000"));
	assert_newest(&s, "user256", 3, WITH("255"));
	assert_newest(&s, "user257", 3, PLAIN);
	assert_newest(&s, "user600", 3, PLAIN);
	site_close(&s.site);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_q_13_six_hundred_headers_of_one_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
