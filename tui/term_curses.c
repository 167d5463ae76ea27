/*
 * term_curses.c - the terminal by way of ncursesw; no other file knows it.
 *
 * Only cells that differ from the last frame are handed to curses, which sends what the terminal
 * needs for them. The screen is never cleared but by Ctrl-L.
 */
#define NCURSES_WIDECHAR 1
#include "proto/base/base64.h"
#include "tui/term.h" /* before curses, which makes a macro of OK */

#include <ncurses.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#undef lines
#define ESC_DELAY_MS 25
#define PASTE_QUIET_S 2 /* a paste without an end is over after that long */
#define CODE_PASTE_BEGIN (KEY_MAX + 1)
#define CODE_PASTE_END (KEY_MAX + 2)

static struct {
	bool open, pasting;
	const struct theme *theme;
	struct cell *last; /* what curses has been given */
	int rows, cols;
	char paste[KEYS_PASTE_MAX];
	size_t paste_len;
	time_t paste_at;
	struct termios before; /* how we found it */
	bool has_before;
	char restore[128]; /* the bytes that leave the screen */
	size_t restore_len;
} t;

static attr_t
look_attributes(const struct look *look)
{
	return (look->flags & LOOK_BOLD ? A_BOLD : 0) |
		(look->flags & LOOK_REVERSE ? A_REVERSE : 0) |
		(look->flags & LOOK_UNDERLINE ? A_UNDERLINE : 0) |
		(look->flags & LOOK_DIM ? A_DIM : 0);
}

static void
start_colours(void)
{
	if (!has_colors() || COLORS < 8)
		t.theme = theme_find("mono");
	if (!t.theme->colour)
		return;
	start_color();
	use_default_colors();
	for (short i = 0; i < STYLE_COUNT; i++)
		init_pair((short)(i + 1), t.theme->looks[i].fg, t.theme->looks[i].bg);
}

/* Bracketed paste, on or off. */
static void
paste_mode(bool on)
{
	static const char begin[] = "\033[?2004h", end[] = "\033[?2004l";

	if (write(STDOUT_FILENO, on ? begin : end, sizeof(begin) - 1) < 0)
		t.pasting = false;
}

static void
prepare_restore(void)
{
	const char *parts[] = { "\033[?2004l", exit_attribute_mode, exit_ca_mode, cursor_normal };

	t.restore_len = 0;
	for (size_t i = 0; i < COUNT(parts); i++) {
		size_t len = parts[i] ? strlen(parts[i]) : 0;

		if (t.restore_len + len > sizeof(t.restore))
			continue;
		memcpy(t.restore + t.restore_len, parts[i] ? parts[i] : "", len);
		t.restore_len += len;
	}
}

void
term_emergency(void)
{
	if (!t.open)
		return;
	if (t.has_before)
		tcsetattr(STDIN_FILENO, TCSANOW, &t.before);
	if (write(STDOUT_FILENO, t.restore, t.restore_len) < 0)
		t.open = false;
}

enum err
term_open(const struct theme *theme)
{
	SCREEN *screen;

	t.has_before = tcgetattr(STDIN_FILENO, &t.before) == 0;
	screen = newterm(NULL, stdout, stdin);
	if (!screen || !cursor_address) {
		if (screen) {
			endwin();
			delscreen(screen);
		}
		return ERR_DENIED;
	}
	t.theme = theme;
	set_escdelay(ESC_DELAY_MS);
	raw();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	idlok(stdscr, FALSE);
	leaveok(stdscr, FALSE);
	start_colours();
	define_key("\033[200~", CODE_PASTE_BEGIN);
	define_key("\033[201~", CODE_PASTE_END);
	paste_mode(true);
	prepare_restore();
	t.open = true;
	return OK;
}

void
term_close(void)
{
	if (!t.open)
		return;
	paste_mode(false);
	endwin();
	free(t.last);
	t.last = NULL;
	t.rows = t.cols = 0;
	t.open = false;
}

void
term_suspend(void)
{
	paste_mode(false);
	endwin();
	signal(SIGTSTP, SIG_DFL);
	raise(SIGTSTP);
	signal(SIGTSTP, SIG_IGN);
	refresh();
	paste_mode(true);
}

void
term_size(int *rows, int *cols)
{
	struct winsize size;

	*rows = LINES;
	*cols = COLS;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
		*rows = size.ws_row;
		*cols = size.ws_col;
	}
}

void
term_resized(int rows, int cols)
{
	resizeterm(rows, cols);
}

/* ---- keys ---- */

static uint32_t
special_key(wint_t code)
{
	static const struct {
		int curses;
		uint32_t key;
	} rows[] = {
		{ KEY_UP, KEY_ARROW_UP }, { KEY_DOWN, KEY_ARROW_DOWN },
		{ KEY_LEFT, KEY_ARROW_LEFT }, { KEY_RIGHT, KEY_ARROW_RIGHT },
		{ KEY_PPAGE, KEY_PAGE_UP }, { KEY_NPAGE, KEY_PAGE_DOWN },
		{ KEY_HOME, KEY_START }, { KEY_END, KEY_FINISH }, { KEY_IC, KEY_INSERT },
		{ KEY_DC, KEY_DELETE }, { KEY_BTAB, KEY_BACK_TAB },
		{ KEY_BACKSPACE, KEY_RUBOUT }, { KEY_ENTER, KEY_RETURN },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if ((wint_t)rows[i].curses == code)
			return rows[i].key;
	if (code >= (wint_t)KEY_F(1) && code <= (wint_t)KEY_F(12))
		return KEY_FN(code - KEY_F(0));
	return 0;
}

/* Esc and a digit that came together are a function key. */
static uint32_t
after_escape(void)
{
	wint_t code;
	int kind = get_wch(&code);

	if (kind == OK && code >= '0' && code <= '9')
		return KEY_FN(code == '0' ? 10 : code - '0');
	if (kind == OK)
		unget_wch((wchar_t)code);
	else if (kind == KEY_CODE_YES)
		ungetch((int)code);
	return KEY_ESC;
}

static void
paste_add(wint_t code)
{
	struct buf one;

	buf_init(&one, 8);
	if (code == '\r')
		code = '\n';
	if (utf8_put(&one, (uint32_t)code) == OK &&
		t.paste_len + buf_span(&one).len <= sizeof(t.paste)) {
		memcpy(t.paste + t.paste_len, buf_span(&one).ptr, buf_span(&one).len);
		t.paste_len += buf_span(&one).len;
	}
	buf_fini(&one);
	t.paste_at = time(NULL);
}

/* True: a whole paste is there. */
static bool
paste_next(int kind, wint_t code, struct press *press)
{
	if (kind == OK && t.pasting && time(NULL) - t.paste_at <= PASTE_QUIET_S) {
		paste_add(code);
		return false;
	}
	t.pasting = kind == KEY_CODE_YES && code == CODE_PASTE_BEGIN;
	if (t.pasting) {
		t.paste_len = 0;
		t.paste_at = time(NULL);
		return false;
	}
	*press = (struct press){ KEY_PASTED, { t.paste, t.paste_len } };
	return true;
}

bool
term_next(struct press *press)
{
	wint_t code;
	int kind;

	while ((kind = get_wch(&code)) != ERR) {
		if (t.pasting ||
			(kind == KEY_CODE_YES &&
				(code == CODE_PASTE_BEGIN || code == CODE_PASTE_END))) {
			if (paste_next(kind, code, press))
				return true;
			continue;
		}
		*press = (struct press){ .key = (uint32_t)code };
		if (kind == KEY_CODE_YES)
			press->key = special_key(code);
		else if (code == KEY_ESC)
			press->key = after_escape();
		else if (code == 8)
			press->key = KEY_RUBOUT;
		else if (code == '\n')
			press->key = KEY_RETURN;
		if (press->key)
			return true;
	}
	return false;
}

/* ---- cells ---- */

static void
paint_cell(const struct cell *cell, int row, int col)
{
	const struct look *look = &t.theme->looks[cell->style];
	struct span text = { cell->text, cell->len };
	wchar_t wide[CCHARW_MAX + 1] = { 0 };
	cchar_t out;
	size_t n = 0;
	uint32_t code;

	while (text.len > 0 && n < CCHARW_MAX) {
		(void)utf8_next(&text, &code);
		wide[n++] = (wchar_t)code;
	}
	if (setcchar(&out, wide, look_attributes(look),
		    t.theme->colour ? (short)(cell->style + 1) : 0, NULL) != ERR)
		(void)mvadd_wch(row, col, &out); /* the last cell of a screen says ERR and is put */
}

static bool
same(const struct cell *a, const struct cell *b)
{
	return a->len == b->len && a->style == b->style && memcmp(a->text, b->text, a->len) == 0;
}

static bool
has_wide(const struct cell *row, int cols)
{
	for (int i = 0; i < cols; i++)
		if (row[i].len == 0)
			return true;
	return false;
}

static void
paint_row(const struct cell *now, struct cell *last, int row, int cols)
{
	bool whole = has_wide(now, cols) || has_wide(last, cols), differs = false;

	for (int col = 0; col < cols && !differs; col++)
		differs = !same(&now[col], &last[col]);
	if (!differs)
		return;
	for (int col = 0; col < cols; col++)
		if (now[col].len > 0 && (whole || !same(&now[col], &last[col])))
			paint_cell(&now[col], row, col);
	memcpy(last, now, sizeof(*now) * (size_t)cols);
}

static void
forget_frame(const struct cells *cells)
{
	free(t.last);
	t.rows = cells->rows;
	t.cols = cells->cols;
	t.last = calloc((size_t)t.rows * (size_t)t.cols, sizeof(*t.last));
	ENSURE(t.last);
	for (int i = 0; i < t.rows * t.cols; i++)
		t.last[i].style = STYLE_COUNT; /* like no other */
	erase();
}

void
term_paint(const struct cells *cells, bool again)
{
	if (!t.last || cells->rows != t.rows || cells->cols != t.cols || again)
		forget_frame(cells);
	if (again)
		clearok(stdscr, TRUE);
	for (int row = 0; row < t.rows; row++)
		paint_row(&cells->grid[row * t.cols], &t.last[row * t.cols], row, t.cols);
	move(cells->cursor_row, cells->cursor_col);
	wnoutrefresh(stdscr);
	doupdate();
}

void
term_copy(struct span text)
{
	struct buf out;

	buf_init(&out, 4 * KEYS_PASTE_MAX);
	if (buf_put(&out, SPAN("\033]52;c;")) == OK && base64_put(&out, text) == OK &&
		buf_put(&out, SPAN("\007")) == OK &&
		write(STDOUT_FILENO, buf_span(&out).ptr, buf_span(&out).len) < 0)
		buf_clear(&out); /* the terminal is gone: the loop sees it */
	buf_wipe(&out);
}
