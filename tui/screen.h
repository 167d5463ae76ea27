/*
 * screen.h - what a screen is: a method, columns and keys. Most screens have no code at all.
 *
 * screens.c lists the screens; each is a screen_class, usually in a file of its own, that says which
 * method gives its rows, which columns are shown and what the keys do. The panel (a table where none
 * is named) does the rest: paging, sorting, filter, marks, live updates. docs/console.md has the
 * recipe.
 *
 * Where a method needs parameters, they are found by their names, in this order: what a form asked
 * for; the fixed `params` of the row; for `targets` the marked rows or the one under the cursor; a
 * cell of that name in the row; the `subject` of the place one is in, or a cell of the row it was
 * opened on.
 */
#ifndef TUI_SCREEN_H
#define TUI_SCREEN_H

#include "proto/base/arena.h"
#include "proto/base/json.h"
#include "proto/control/control_method.h"
#include "tui/cells.h"
#include "tui/keys.h"

struct console;
struct print_style;
struct screen;
struct form_class;
struct edit_class;
struct screen_class;

#define SCREEN_TABS_MAX 12

enum column_flag {
	COLUMN_GROW = 1,   /* takes what is left over */
	COLUMN_LETTER = 2, /* the first letter only, in upper case */
};

/* A cell that is made of several of the row. */
typedef void cell_put(const struct json *row, const struct print_style *style, struct buf *out);

struct column {
	const char *title, *field; /* field: a column of the method */
	uint8_t width;             /* what it would like */
	uint8_t leave;             /* when it is narrow: 1 leaves first; 0 stays */
	uint8_t flags;
	cell_put *put; /* NULL: the field as its type wants it */
};

/* A key of the screen. The first of form, open, run, method that is named is what it does; guard and
 * right are those of the method's row. A form with open: that screen shows the answer. */
struct key_action {
	uint32_t key; /* an upper-case letter of its own, or c, e, d, v or KEY_RETURN */
	const char *label; /* "Retry now" */
	const char *method;
	const char *params; /* JSON members that are always so: "\"steps\":true" */
	const char *take;   /* parameters that may be left out and are taken from the row: "target" */
	const char *marked; /* this parameter, a list, is the keys of the marked rows */
	const struct form_class *form;
	const struct screen_class *open;
	void (*run)(struct screen *screen);
	/* where the row's FIELD is VALUE it is this method instead: hold and release on one key */
	struct {
		const char *field, *value, *method;
	} other;
	const char *help; /* NULL: that of the method's row */
	struct { /* a row whose FIELD is true cannot be meant; WHY says so */
		const char *field, *why;
	} never;
};

/* A labelled line of the pane below a table. */
struct detail {
	const char *label, *field;
	uint8_t rows; /* at most, for long ones; 0: 1 */
	cell_put *put; /* NULL: the field as its type wants it */
};

/* A line above a table: what PUT makes of the answer of METHOD, which wants no parameters. */
struct above {
	const char *method;
	cell_put *put;
};

struct panel_class {
	size_t size; /* of the state */
	void (*open)(struct screen *screen);
	void (*close)(struct screen *screen);
	/* It is shown, or the server is there again: ask for what is missing. */
	void (*enter)(struct screen *screen);
	/* About once a second; STORE: something in the store changed since. */
	void (*changed)(struct screen *screen, bool store);
	/* A key as it was pressed; false: look it up as an act. */
	bool (*press)(struct screen *screen, const struct press *press);
	bool (*act)(struct screen *screen, enum act act); /* false: not here */
	void (*draw)(struct screen *screen, struct rect at);
	void (*title)(struct screen *screen, struct buf *out); /* what stands behind the name */
	bool (*may_leave)(struct screen *screen); /* false: it has asked a question */
	/* The row under the cursor with its key; false: there is none. */
	bool (*row)(struct screen *screen, const struct json **row, struct span *key);
	/* The line under the cursor, for `y`; all that is shown, for `x` (NULL of a table: its method
	 * is asked). */
	void (*copy)(struct screen *screen, struct buf *out);
	void (*whole)(struct screen *screen, struct buf *out);
	/* Instead of the usual key bar; NULL: that. */
	void (*bar_text)(struct screen *screen, struct buf *out);
	const enum act *acts; /* what it does of the universal keys, ended by ACT_NONE */
};

struct screen_class {
	const char *name;  /* a word: for `:` and --plain */
	const char *title; /* for people */
	const char *tab;   /* its title among tabs; NULL: `title` */
	char digit;        /* of the screen bar; 0: in the list of others, or below another screen */
	const struct panel_class *panel; /* NULL: a table */
	const char *method; /* NULL: the panel knows by itself */
	const char *params; /* JSON members that are always so */
	const char *take;   /* parameters that may be left out and are taken as others are: "user" */
	const char *subject; /* the name under which parameters mean the row it was opened on: */
	const char *subject_field; /* this cell of it, or its key where that is NULL */
	const char *sort;    /* to begin with: "name" or "-time" */
	const char *filter;  /* to begin with, before the key of what it was opened on: "target:" */
	const struct column *columns;
	const struct key_action *keys;
	const struct screen_class *open; /* what Enter opens on a row */
	unsigned parts; /* text of a message: enum message_part; read once, since that is audited */
	const struct detail *detail;
	const struct above *above; /* a line between title and table */
	const struct form_class *form; /* of a form panel */
	const struct edit_class *edit; /* of an edit panel */
	const struct screen_class *const *tabs; /* with itself among them; ended by NULL */
	void (*title_more)(struct screen *screen, struct buf *out); /* what stands first behind the name */
	const char *help; /* one sentence or two */
	bool still;       /* never by itself: each look costs, or is audited */
	bool poll;        /* what it lists changes without a change of the store: look every 2 s */
};

extern const struct panel_class table_panel, text_panel, form_panel, edit_panel, log_panel, overview_panel;
/* All screens that can be reached by a digit, the list of others, or a name; ended by NULL. */
extern const struct screen_class *const screens[];

/* Where one is: a screen, or several as tabs, on the row it was opened on. */
struct place {
	struct place *back;
	const struct screen_class *class;
	struct screen *screens[SCREEN_TABS_MAX]; /* opened as they are looked at */
	unsigned tab, tab_count;
	struct arena arena;
	struct span key;        /* of the row; empty: none */
	const struct json *row; /* or NULL */
};

struct screen {
	const struct screen_class *class;
	const struct control_method *method; /* NULL: none */
	struct control_schema columns;       /* of the method */
	struct console *console;
	struct place *place;
	struct arena arena; /* of its own life */
	void *state;        /* of the panel */
};

/* ---- for panels ---- */

static inline uint64_t
json_number_or(const struct json *value, uint64_t fallback)
{
	uint64_t number;

	return json_u64(value, UINT64_MAX, &number) == OK ? number : fallback;
}

static inline const struct panel_class *
screen_panel(const struct screen *screen)
{
	return screen->class->panel ? screen->class->panel : &table_panel;
}

/* The type of a column of the screen's method. */
enum control_type screen_column_type(const struct screen *screen, const char *field);
/* Has a caller with the console's rights the right to METHOD? */
bool screen_may(const struct console *console, const char *method);

#endif
