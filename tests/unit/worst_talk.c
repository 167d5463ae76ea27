/*
 * worst_talk.c - what is done with what a client says, for test_worst_case.c.
 */
#include "proto/base/json.h"
#include "proto/imap/imap_fetch.h"
#include "proto/imap/imap_list.h"
#include "proto/imap/imap_search.h"
#include "proto/imap/imap_server.h"
#include "proto/imap/imap_utf7.h"
#include "proto/pop3/pop3_server.h"
#include "proto/smtp/smtp_server.h"
#include "tests/unit/worst_case.h"

/* The machine answers each event until IN is used up; a message is begun first where TEXT. */
static void
run_smtp(struct span in, bool text)
{
	static const struct smtp_server_config config = { .hostname = { "a.test", 6 },
		.command_line = 2048, .line_length = 65536, .recipients = UINT32_MAX,
		.bad_commands = UINT32_MAX - 1 };
	struct smtp_server m;
	struct smtp_event ev;
	struct arena arena;
	struct buf out;
	size_t used;

	arena_init(&arena, NULL);
	buf_init(&out, 65536);
	smtp_server_init(&m, &config, &arena, false);
	if (text) {
		m.state = SMTP_STATE_DATA;
		smtp_data_init(&m.data, config.line_length);
	}
	do {
		used = smtp_server_next(&m, in, &ev);
		in = span_from(in, used);
		if (m.pending != SMTP_NEED_BYTES)
			smtp_server_answer(&m,
				ev.reply.code ? ev.reply : SMTP_REPLY(250, NULL, "OK"), &out);
		arena_reset(&arena);
		buf_clear(&out);
	} while (in.len > 0 && ev.kind != SMTP_CLOSE && (used > 0 || ev.kind != SMTP_NEED_BYTES));
	smtp_server_fini(&m);
	buf_fini(&out);
}

void
worst_smtp_commands(struct span in, struct buf *out)
{
	(void)out;
	run_smtp(in, false);
}

void
worst_smtp_text(struct span in, struct buf *out)
{
	(void)out;
	run_smtp(in, true);
}

void
worst_pop3(struct span in, struct buf *unused)
{
	static const struct pop3_server_config config = { .command_line = 2048,
		.bad_commands = UINT32_MAX - 1 };
	struct pop3_server m;
	struct pop3_event ev;
	struct buf out;
	size_t used;

	(void)unused;
	buf_init(&out, 65536);
	pop3_server_init(&m, &config, false);
	do {
		used = pop3_server_next(&m, in, &ev);
		in = span_from(in, used);
		if (m.pending != POP3_NEED_BYTES)
			pop3_server_answer(
				&m, ev.kind == POP3_SETTLED ? ev.reply : POP3_OK("OK"), &out);
		buf_clear(&out);
	} while (in.len > 0 && ev.kind != POP3_CLOSE && (used > 0 || ev.kind != POP3_NEED_BYTES));
	pop3_server_fini(&m);
	buf_fini(&out);
}

/* As a stranger, or as one who has logged in; reads bring WORST_PIECE bytes each. */
static void
run_imap(struct span in, bool authenticated)
{
	struct imap_server_config config = { .message_size = MB, .bad_commands = UINT32_MAX - 1 };
	struct arena arena;
	struct imap_server m;
	struct imap_event ev = { .kind = IMAP_NEED_BYTES };
	struct buf out;
	size_t used, end = 0;

	arena_init(&arena, NULL);
	config.arena = &arena;
	buf_init(&out, 65536);
	imap_server_init(&m, &config, false);
	m.authenticated = authenticated;
	m.command.max = authenticated ? IMAP_COMMAND_MAX : IMAP_COMMAND_STRANGER;
	while (in.len > 0 && ev.kind != IMAP_CLOSE) {
		end = ev.kind == IMAP_NEED_BYTES ? end + WORST_PIECE : end;
		used = imap_server_next(&m, span_range(in, 0, end), &ev);
		in = span_from(in, used);
		end -= used < end ? used : end;
		if (ev.kind == IMAP_APPEND_BEGIN)
			imap_server_take(&m, &out);
		else if (m.pending != IMAP_NEED_BYTES)
			imap_server_answer(
				&m, ev.kind == IMAP_SETTLED ? ev.reply : IMAP_OK("OK"), &out);
		arena_reset(&arena);
		buf_clear(&out);
	}
	imap_server_fini(&m);
	buf_fini(&out);
}

void
worst_imap_stranger(struct span in, struct buf *out)
{
	(void)out;
	run_imap(in, false);
}

void
worst_imap_user(struct span in, struct buf *out)
{
	(void)out;
	run_imap(in, true);
}

/* All that walks arguments. */
void
worst_imap_arguments(struct span in, struct buf *out)
{
	struct imap_search search;
	struct imap_fetch fetch;
	struct imap_list list;
	struct imap_cursor c;
	struct arena arena;

	(void)out;
	arena_init(&arena, NULL);
	imap_cursor_init(&c, in, &arena);
	(void)!imap_take_search(&c, &search);
	imap_cursor_init(&c, in, &arena);
	(void)!imap_take_fetch(&c, true, &fetch);
	imap_cursor_init(&c, in, &arena);
	(void)!imap_take_list(&c, &list);
	imap_cursor_init(&c, span_from(in, 1), &arena);
	(void)!imap_skip_value(&c);
	arena_reset(&arena);
}

void
worst_imap_set(struct span in, struct buf *out)
{
	struct imap_seqset set;
	struct arena arena;

	(void)out;
	arena_init(&arena, NULL);
	(void)!imap_seqset_parse(&arena, in, &set);
	arena_reset(&arena);
}

void
worst_imap_utf7(struct span in, struct buf *out)
{
	(void)!imap_utf7_decode(in, out);
	buf_clear(out);
	(void)!imap_utf7_encode(in, out);
}

void
worst_json(struct span in, struct buf *out)
{
	const struct json *value;
	struct arena arena;

	(void)out;
	arena_init(&arena, NULL);
	(void)!json_parse(&arena, in, &value, NULL);
	arena_reset(&arena);
}
