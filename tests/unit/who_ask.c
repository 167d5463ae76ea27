/*
 * who_ask.c - see who_ask.h.
 */
#include "tests/unit/who_ask.h"

static const struct conf_collector *
collector_named(const char *name)
{
	const struct conf_collectors *all = &site.host.conf->collectors;

	for (size_t i = 0; i < all->count; i++)
		if (span_eq(all->items[i].name, span_of(name)))
			return &all->items[i];
	fail_msg("no collector %s", name);
	return NULL;
}

void
look_begin(struct looked *l, const char *collector, struct span header)
{
	*l = (struct looked){ .count = 0 };
	arena_init(&l->arena, NULL);
	l->mail = (struct mail){ .arena = &l->arena, .via = MAIL_VIA_POP3, .service = "pop3",
		.hostname = SPAN("mail.example.org"), .collect = span_of(collector), .header = header,
		.size = header.len, .message_no = 1, .id = SPAN("1"), .asks_nobody = true };
	l->mail.peer.is_unix = true;
	pipeline_read_header(site.host.conf, &l->mail);
	plan_init(&l->plan, &l->arena);
	l->ask = (struct collected_ask){ .conf = site.host.conf, .mail = &l->mail,
		.collector = collector_named(collector) };
	assert_int_equal(snapshot_open(site.host.store, &l->ask.snap), OK);
}

void
look_run(struct looked *l, struct buf *out)
{
	struct pipeline_ask question = { .conf = site.host.conf, .snap = l->ask.snap, .mail = &l->mail };
	static const struct mail_options none;
	struct address from;
	enum phase at;

	assert_int_equal(collected_who(&l->ask, &l->plan, &l->to, &l->count), OK);
	for (size_t i = 0; i < l->count; i++) {
		bool chosen = false;

		for (size_t t = 0; t < l->mail.target_count; t++)
			chosen |= span_eq(l->mail.targets[t].key, l->to[i].key);
		assert_int_equal(buf_printf(out, "%s%s%.*s", i ? " " : "", chosen ? ">" : "",
			SPAN_FMT(l->to[i].text)), OK);
	}
	collected_return_path(&l->mail, &from);
	envelope_init(&l->mail.envelope, &l->arena, &from, &none);
	assert_int_equal(pipeline_run_all(&question, l->to, l->count, NULL, &l->plan, &at), STAGE_NEXT);
	assert_int_equal(buf_put(out, SPAN(" =")), OK);
	for (const struct plan_copy *copy = l->plan.copies; copy; copy = copy->next)
		put_copy(out, copy);
}

void
look_end(struct looked *l)
{
	snapshot_close(&l->ask.snap);
	arena_reset(&l->arena);
}

void
check_who(const struct who *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct looked l;
		struct buf out;

		buf_init(&out, 1 << 20);
		look_begin(&l, rows[i].collector, span_of(rows[i].header));
		look_run(&l, &out);
		if (!span_eq(buf_span(&out), span_of(rows[i].want)))
			fail_msg("row %zu: have '%.*s', want '%s'", i, SPAN_FMT(buf_span(&out)), rows[i].want);
		buf_fini(&out);
		look_end(&l);
	}
}

bool
who_says(const struct who *who, const char *text)
{
	struct looked l;
	struct span rest;
	struct note note;
	struct buf out;
	bool found = false;

	buf_init(&out, 1 << 20);
	look_begin(&l, who->collector, span_of(who->header));
	look_run(&l, &out);
	rest = plan_notes(&l.plan);
	while (note_take(&rest, &note) == PARSE_DONE) {
		buf_clear(&out);
		assert_int_equal(note_format(&note, &out), OK);
		found |= span_find_span(buf_span(&out), span_of(text)) < buf_span(&out).len;
	}
	buf_fini(&out);
	look_end(&l);
	return found;
}
