/*
 * console_server.c - see console_server.h.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/test_tui.h"

#include "tests/unit/console_server.h"

#define READ_SIZE 65536
#define SCREEN_FILE_MAX 32768

void
play_connect(struct play *p)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair),
		0);
	p->fd = pair[1];
	buf_clear(&p->in);
	server_link_take(&p->console.link, pair[0]);
	play_pump(p);
}

void
play_break(struct play *p)
{
	close(p->fd);
	p->fd = -1;
	play_pump(p);
}

void
play_begin(struct play *p, const struct answer *answers, int rows, int cols)
{
	*p = (struct play){ .answers = answers, .fd = -1 };
	buf_init(&p->in, CONTROL_LINE_MAX * 4);
	buf_init(&p->asked, CONTROL_LINE_MAX * 4);
	buf_init(&p->screen, TEXT_MAX * 4);
	console_init(&p->console, "/nonexistent/control.sock", true);
	p->console.now_ms = 1000000;
	p->console.style.utc = true;
	p->console.style.now_s = 1795269720; /* 2026-11-21 14:02 */
	p->console.link.retry_at_ms = INT64_MAX;
	console_resize(&p->console, rows, cols);
	play_connect(p);
}

void
play_end(struct play *p)
{
	console_fini(&p->console);
	if (p->fd >= 0)
		close(p->fd);
	buf_fini(&p->in);
	buf_fini(&p->asked);
	buf_fini(&p->screen);
}

static const char *
answer_to(const struct play *p, struct span method, struct span line)
{
	for (const struct answer *a = p->answers; a->method; a++)
		if (span_eq(span_of(a->method), method) &&
			(!a->with || span_find_span(line, span_of(a->with)) < line.len))
			return a->result;
	return "!{\"code\":\"method\",\"why\":\"the play has no answer\"}";
}

static void
answer(struct play *p, struct span line)
{
	const struct json *request;
	struct span method;
	const char *text;
	struct arena a;
	struct buf out;
	uint64_t id;

	arena_init(&a, NULL);
	buf_init(&out, CONTROL_LINE_MAX);
	assert_int_equal(json_parse(&a, line, &request, NULL), OK);
	method = json_text(json_find(request, SPAN("method")));
	if (json_u64(json_find(request, SPAN("id")), UINT64_MAX, &id) == OK) {
		struct span params = span_from(line, span_find_span(line, SPAN("\"params\":")) + 9);

		assert_int_equal(buf_printf(&p->asked, "%.*s %.*s\n", SPAN_FMT(method),
					 SPAN_FMT(span_range(params, 0, params.len - 1))),
			OK);
		text = answer_to(p, method, line);
		assert_int_equal(buf_printf(&out,
					 text[0] == '!' ?
						 "{\"id\":%llu,\"error\":{\"code\":1,\"message\":\"x\",\"data\":%s}}\n" :
						 "{\"id\":%llu,\"result\":%s}\n",
					 (unsigned long long)id, text + (text[0] == '!')),
			OK);
		assert_int_equal(write(p->fd, buf_span(&out).ptr, buf_span(&out).len),
			(ssize_t)buf_span(&out).len);
	}
	buf_fini(&out);
	arena_reset(&a);
}

static bool
serve(struct play *p)
{
	char *room = p->fd >= 0 ? buf_reserve(&p->in, READ_SIZE) : NULL;
	ssize_t got = room ? read(p->fd, room, READ_SIZE) : 0;
	size_t end;

	if (got <= 0)
		return false;
	buf_added(&p->in, (size_t)got);
	while ((end = span_find(buf_span(&p->in), '\n')) < buf_span(&p->in).len) {
		answer(p, span_range(buf_span(&p->in), 0, end));
		buf_consume(&p->in, end + 1);
	}
	return true;
}

void
play_pump(struct play *p)
{
	bool busy = true;

	for (int turns = 0; busy && turns < 50; turns++) {
		server_link_turn(&p->console.link, p->console.now_ms);
		console_draw(&p->console); /* a table asks for rows when it is drawn */
		server_link_turn(&p->console.link, p->console.now_ms);
		busy = serve(p);
	}
	server_link_turn(&p->console.link, p->console.now_ms);
}

static uint32_t
key_of(struct span name)
{
	static const struct {
		const char *name;
		uint32_t key;
	} rows[] = {
		{ "Enter", KEY_RETURN }, { "Esc", KEY_ESC }, { "Tab", KEY_TAB },
		{ "Up", KEY_ARROW_UP }, { "Down", KEY_ARROW_DOWN }, { "PgDn", KEY_PAGE_DOWN },
		{ "PgUp", KEY_PAGE_UP }, { "Home", KEY_START }, { "End", KEY_FINISH },
		{ "Del", KEY_DELETE }, { "Back", KEY_RUBOUT }, { "F2", KEY_FN(2) }, { "F3", KEY_FN(3) }, { "F4", KEY_FN(4) },
		{ "F5", KEY_FN(5) }, { "F9", KEY_FN(9) }, { "F10", KEY_FN(10) },
		{ "Left", KEY_ARROW_LEFT }, { "Right", KEY_ARROW_RIGHT },
		{ "Ctrl-R", KEY_CTRL_R }, { "Ctrl-U", KEY_CTRL_U },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (span_eq(span_of(rows[i].name), name))
			return rows[i].key;
	fail_msg("no key is called %.*s", SPAN_FMT(name));
	return 0;
}

void
play_keys(struct play *p, const char *keys)
{
	struct span rest = span_of(keys), name;
	struct press press = { 0 };

	while (rest.len > 0) {
		if (rest.ptr[0] == '<' && span_find(rest, '>') < rest.len) {
			name = span_range(rest, 1, span_find(rest, '>'));
			rest = span_from(rest, name.len + 2);
			press.key = key_of(name);
		} else {
			assert_true(utf8_next(&rest, &press.key));
		}
		console_press(&p->console, &press);
		play_pump(p);
	}
}

void
play_event(struct play *p, const char *topic, const char *data)
{
	struct buf out;

	buf_init(&out, CONTROL_LINE_MAX);
	assert_int_equal(buf_printf(&out,
				 "{\"method\":\"event\",\"params\":{\"subscription\":1,\"topic\":\"%s\","
				 "\"seq\":1,\"data\":%s}}\n",
				 topic, data),
		OK);
	assert_int_equal(write(p->fd, buf_span(&out).ptr, buf_span(&out).len),
		(ssize_t)buf_span(&out).len);
	buf_fini(&out);
	play_pump(p);
}

void
play_storm(struct play *p, const char *letters, int count)
{
	static const uint32_t others[] = { KEY_RETURN, KEY_ESC, KEY_TAB, KEY_BACK_TAB, KEY_ARROW_UP,
		KEY_ARROW_DOWN, KEY_PAGE_DOWN, KEY_PAGE_UP, KEY_START, KEY_FINISH, KEY_DELETE,
		KEY_RUBOUT, KEY_CTRL_D, KEY_CTRL_U, KEY_CTRL_R, KEY_CTRL_W, KEY_CTRL_L, KEY_FN(2),
		KEY_FN(3), KEY_FN(4), KEY_FN(5), KEY_FN(9), KEY_FN(11), 0x65e5, 0x202e, KEY_SPECIAL };
	size_t letter_count = strlen(letters);
	uint32_t seed = 20261121;

	for (int i = 0; i < count; i++) {
		struct press press = { 0 };
		uint32_t dice;

		seed = seed * 1664525 + 1013904223;
		dice = seed >> 16;
		press.key = dice % 4 ? (uint32_t)(unsigned char)letters[(dice >> 2) % letter_count] :
				       others[(dice >> 2) % COUNT(others)];
		if (dice % 97 == 0)
			press = (struct press){ KEY_PASTED, SPAN("y\ny\033[201~") };
		console_press(&p->console, &press);
		p->console.quit = false;
		p->console.now_ms += dice % 700;
		console_tick(&p->console);
		if (dice % 51 == 0)
			console_resize(&p->console, 1 + (int)(dice % 61), 1 + (int)(dice % 201));
		if (dice % 211 == 0 && p->fd >= 0)
			play_break(p);
		else if (p->fd < 0 && dice % 3 == 0)
			play_connect(p);
		else if (dice % 31 == 0 && p->fd >= 0)
			play_event(p, "status", PLAY_STATUS);
		else
			play_pump(p);
		assert_true(span_find_span(buf_span(&p->asked), SPAN("apply {\"token\":\"\"")) >=
			buf_span(&p->asked).len);
		buf_clear(&p->asked);
	}
}

const char *
play_screen(struct play *p)
{
	console_draw(&p->console);
	buf_clear(&p->screen);
	cells_text(&p->console.cells, &p->screen);
	assert_int_equal(buf_put_char(&p->screen, '\0'), OK);
	return buf_span(&p->screen).ptr;
}

/* All but the screen bar, in which a new screen appears. */
static bool
same_screen(const char *a, const char *b)
{
	size_t first = strcspn(a, "\n"), bar_a, bar_b;

	if (strncmp(a, b, first) != 0 || b[first] != '\n')
		return false;
	bar_a = first + 1 + strcspn(a + first + 1, "\n");
	bar_b = first + 1 + strcspn(b + first + 1, "\n");
	return strcmp(a + bar_a, b + bar_b) == 0;
}

bool
play_is_page(struct play *p, const char *name)
{
	static char page[SCREEN_FILE_MAX];
	char path[128];
	const char *screen = play_screen(p);
	FILE *file;
	size_t got;

	snprintf(path, sizeof(path), "docs/screens/%s-%dx%d.txt", name, p->console.cells.cols,
		p->console.cells.rows);
	if (getenv("POSTROOM_WRITE_SCREENS")) {
		file = fopen(path, "w");
		assert_non_null(file);
		fputs(screen, file);
		fclose(file);
		return true;
	}
	file = fopen(path, "r");
	got = file ? fread(page, 1, sizeof(page) - 1, file) : 0;
	page[got] = '\0';
	if (file)
		fclose(file);
	if (same_screen(page, screen))
		return true;
	print_message("the screen is not %s (if it should not be: POSTROOM_WRITE_SCREENS=1 "
		      "build/test-tui):\n%s", path, screen);
	return false;
}

void
play_pages(struct play *p, const struct play_tour *tour)
{
	static const int sizes[][2] = { { 24, 80 }, { 36, 120 }, { 10, 40 } };

	for (size_t size = 0; size < COUNT(sizes) - !tour->tiny; size++) {
		bool same = true;

		play_begin(p, tour->answers, sizes[size][0], sizes[size][1]);
		if (tour->told)
			play_event(p, "status", PLAY_STATUS);
		for (size_t i = 0; i < tour->count; i++) {
			play_keys(p, tour->pages[i].keys);
			same &= play_is_page(p, tour->pages[i].name);
		}
		play_end(p);
		assert_true(same);
	}
}

bool
play_sees(struct play *p, const char *text)
{
	const char *screen = play_screen(p);

	if (strstr(screen, text))
		return true;
	print_message("not on the screen: %s\n%s", text, screen);
	return false;
}

bool
play_was_asked(struct play *p, const char *text)
{
	struct span asked = buf_span(&p->asked);
	bool found = span_find_span(asked, span_of(text)) < asked.len;

	if (!found)
		print_message("not asked: %s\nbut:\n%.*s", text, SPAN_FMT(asked));
	buf_clear(&p->asked);
	return found;
}
