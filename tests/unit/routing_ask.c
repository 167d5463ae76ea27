/*
 * routing_ask.c - see test_routing.h.
 */
#include <stdio.h>
#include <string.h>

#include "server/pipeline/names.h"
#include "server/pipeline/pipeline.h"
#include "tests/unit/test_routing.h"

struct site site;
struct asked_message asked_message;

static const char *
sender_of(const struct asked *asked)
{
	static const char *const senders[] = { [STRANGER] = "bo@far.test", [RANGE] = "bo@far.test",
		[LMTP] = "bo@far.test", [LOCAL] = "daemon@example.org", [ANY_BOX] = "bo@far.test",
		[BOX1] = "bo@far.test", [BOX2] = "bo@far.test", [USER_ANNA] = "anna@example.org",
		[USER_BERT] = "bert@example.org", [USER_CARL] = "carl@example.org" };

	return asked->from ? asked->from : senders[asked->way];
}

static enum mail_via
via_of(enum way way)
{
	if (way >= USER_ANNA)
		return MAIL_VIA_SUBMISSION;
	if (way >= ANY_BOX)
		return MAIL_VIA_POP3;
	return way == LOCAL ? MAIL_VIA_LOCAL : way == LMTP ? MAIL_VIA_LMTP : MAIL_VIA_MX;
}

static void
login(struct mail *mail, struct snapshot *snap, const char *name)
{
	struct user user;

	assert_int_equal(user_find_by_name(snap, span_of(name), &user), OK);
	mail->user_id = user.user_id;
	mail->user = span_of(name);
}

static struct mail *
mail_of(struct arena *arena, struct snapshot *snap, const struct asked *asked, uint64_t size)
{
	static const char *const users[] = { [USER_ANNA] = "anna", [USER_BERT] = "bert",
		[USER_CARL] = "carl" };
	struct mail_options options = { 0 };
	struct mail *mail = ARENA_NEW(arena, struct mail);
	struct address sender = { .flags = ADDRESS_NULL };

	mail->arena = arena;
	mail->via = via_of(asked->way);
	mail->service = "smtp";
	mail->hostname = SPAN("mail.example.org");
	snprintf(mail->peer.text, sizeof(mail->peer.text), "192.0.2.9");
	memcpy(mail->peer.ip, (uint8_t[16]){ [10] = 0xff, 0xff, 192, 0, 2, 9 }, 16);
	if (asked->way != RANGE)
		mail->peer.ip[12] = 198;
	mail->peer.is_ipv4 = true;
	mail->peer.is_unix = asked->way == LMTP;
	if (mail->via == MAIL_VIA_MX)
		mail->access = conf_service(site.host.conf, SERVICE_smtp)->access;
	if (asked->way >= USER_ANNA)
		login(mail, snap, users[asked->way]);
	mail->collect = asked->way == BOX1 ? SPAN("box1") : asked->way == BOX2 ? SPAN("box2")
									       : SPAN_NONE;
	mail->own.count = 1;
	memcpy(mail->own.ip[0], (uint8_t[16]){ [10] = 0xff, 0xff, 192, 0, 2, 1 }, 16);
	if (sender_of(asked)[0])
		assert_int_equal(address_parse(arena, span_of(sender_of(asked)), &sender), OK);
	envelope_init(&mail->envelope, arena, &sender, &options);
	mail->message_no = asked_message.message_no;
	mail->header = asked_message.header ? arena_printf(arena, "%s\r\n", asked_message.header) :
		arena_printf(arena, "From: %s\r\nSubject: x\r\n\r\n", sender_of(asked));
	mail->size = size ? size : mail->header.len;
	assert_int_equal(header_check(mail->header, NULL, &mail->facts), OK);
	return mail;
}

void
put_copy(struct buf *out, const struct plan_copy *copy)
{
	static const char *const marks[] = { [COPY_FOLDER] = "", [COPY_REMOTE] = ">",
		[COPY_DISCARD] = "-", [COPY_BOUNCE] = "!", [COPY_STORE] = "" };
	struct span text = copy->kind == COPY_FOLDER ? copy->user
			   : copy->kind == COPY_DISCARD ? SPAN("")
							: copy->target;

	assert_int_equal(buf_printf(out, "%s%s%s%s%.*s%s", buf_span(out).len ? " " : "",
				 copy->role ? copy_role_words[copy->role] : "", copy->role ? ":" : "",
				 marks[copy->kind], SPAN_FMT(text), copy->version && !copy->role ? "*" : ""), OK);
	if (copy->route.len > 0)
		assert_int_equal(buf_printf(out, "=%.*s", SPAN_FMT(copy->route)), OK);
}

void
routing_ask(struct arena *arena, const struct asked *asked, uint64_t size, struct plan *plan,
	struct buf *out)
{
	struct address recipients[16];
	struct pipeline_ask question = { .conf = site.host.conf };
	struct span rest = span_of(asked->to), word;
	size_t count = 0;
	enum verdict verdict;
	enum phase at;

	while (rest.len > 0) {
		(void)span_cut(rest, ' ', &word, &rest);
		assert_int_equal(address_parse(arena, word, &recipients[count++]), OK);
	}
	plan_init(plan, arena);
	assert_int_equal(snapshot_open(site.host.store, &question.snap), OK);
	question.mail = mail_of(arena, question.snap, asked, size);
	verdict = pipeline_run_all(&question, recipients, count, NULL, plan, &at);
	snapshot_close(&question.snap);
	if (verdict != STAGE_NEXT) {
		assert_int_equal(buf_printf(out, "%u", plan->reply.code), OK);
		return;
	}
	for (const struct plan_copy *copy = plan->copies; copy; copy = copy->next)
		put_copy(out, copy);
}

void
check_sized(const struct asked *rows, size_t count, uint64_t size)
{
	size_t bad = 0;

	for (size_t i = 0; i < count; i++) {
		struct arena arena;
		struct plan plan;
		struct buf out;

		arena_init(&arena, NULL);
		buf_init(&out, 1 << 20);
		routing_ask(&arena, &rows[i], size, &plan, &out);
		if (!span_eq(buf_span(&out), span_of(rows[i].want))) {
			bad++;
			fprintf(stderr, "row %zu, %s -> %s: have '%.*s', want '%s'\n", i,
				sender_of(&rows[i]), rows[i].to, SPAN_FMT(buf_span(&out)),
				rows[i].want);
		}
		buf_fini(&out);
		arena_reset(&arena);
	}
	assert_int_equal(bad, 0);
}

bool
notes_say(const struct asked *asked, const char *text)
{
	struct span rest;
	struct arena arena;
	struct plan plan;
	struct note note;
	struct buf out;
	bool found = false;

	arena_init(&arena, NULL);
	buf_init(&out, 1 << 20);
	routing_ask(&arena, asked, 0, &plan, &out);
	rest = plan_notes(&plan);
	while (note_take(&rest, &note) == PARSE_DONE) {
		buf_clear(&out);
		assert_int_equal(note_format(&note, &out), OK);
		found |= span_find_span(buf_span(&out), span_of(text)) < buf_span(&out).len;
	}
	buf_fini(&out);
	arena_reset(&arena);
	return found;
}

void
open_site(const char *conf)
{
	site_open(&site, conf);
	site_add_user(&site, "postmaster", NULL);
	site_set_user(&site, "postmaster", "admin", "yes");
	site_add_user(&site, "anna", NULL);
	site_add_user(&site, "bert", NULL);
	site_add_user(&site, "carl", NULL);
}
