/*
 * menu_inside.h - the state of a list to choose from, shared by menu.c, menu_lists.c and palette.c.
 */
#ifndef TUI_MENU_INSIDE_H
#define TUI_MENU_INSIDE_H

#include "tui/table_panel.h"

#define MENU_LINES_MAX 256
#define MENU_TEXT_MAX 128

struct menu_line {
	char text[MENU_TEXT_MAX], keys[24];
	bool off;                         /* a heading, or what one may not do */
	bool found;                       /* by the server, or typed: shown whatever the words are */
	const struct key_action *action;  /* one of these */
	const struct screen_class *screen;
	const struct screen_class *open;  /* above `screen`, on `row` with `key` */
	const struct json *row;
	struct span key;
	enum act act;
	const char *sort;
	bool runs;             /* the words are a command */
	struct span words;     /* come into the line of words instead */
	const char *help;
	const char *also; /* more words that find it */
	const char *cli;  /* the words of the command that does the same */
};

struct menu {
	struct modal modal;
	const char *title;
	struct line_edit edit;
	size_t at, top;
	struct menu_line *lines;
	size_t count;
	size_t shown[MENU_LINES_MAX];
	size_t shown_count;
	struct arena found; /* of the lines that the palette made for these words */
	size_t fixed;	    /* the lines before those */
	struct palette *palette; /* in modal.arena; NULL: an ordinary list */
	/* What Enter does with a line instead of all else; the menu is gone by then. */
	void (*chosen)(struct console *c, const struct menu_line *line);
};

struct menu *menu_new(const char *title);
struct menu_line *menu_line_add(struct menu *m, const char *text);
/* The last was added: show it. */
void menu_show(struct console *c, struct menu *m);
/* The lines for the words as they are now. */
void menu_narrow(struct menu *m);

/* ---- menu_lists.c ---- */

void menu_add_actions(struct console *c, struct menu *m);
void menu_add_screens(struct menu *m, bool others);
void menu_add_acts(struct console *c, struct menu *m);

/* ---- palette.c ---- */

/* The words changed: other lines, and a question to the server. */
void palette_changed(struct console *c, struct menu *m);
void palette_complete(struct console *c, struct menu *m);
/* The words, chosen with Enter, are remembered; false: they were only put into the line. */
bool palette_choose(struct console *c, struct menu *m, const struct menu_line *line);
void palette_close(struct menu *m);

#endif
