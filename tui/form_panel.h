/*
 * form_panel.h - fields that are filled in and saved as one change.
 *
 * Two kinds: the form of an object (a screen with panel form_panel; its method shows the object,
 * `save` sets what was changed) and the form of a key (form_open_for), which asks for the
 * parameters of the key's method.
 */
#ifndef TUI_FORM_PANEL_H
#define TUI_FORM_PANEL_H

#include "tui/console.h"

#define FORM_FIELDS_MAX 64

enum form_kind {
	FORM_TEXT,
	FORM_NUMBER,
	FORM_TIME,   /* "90s", "15m"; the method has it in seconds */
	FORM_FLAG,   /* yes or no */
	FORM_CHOICE, /* one of `choices`: "always|pop3|smtp" */
	FORM_LIST,   /* several, by ';' */
	FORM_WORDS,  /* several of `choices`, by ',' */
	FORM_LINE,   /* one item of a list: several fields of this name, in their order */
	FORM_SECRET, /* never shown */
	FORM_FILE,   /* its name; of a parameter of type fd, one in a form */
	FORM_SHOWN,  /* cannot be changed here */
};

struct form_field {
	const char *tab;  /* NULL: that of the one before */
	const char *name; /* in the answer of the method, and as key or parameter */
	const char *label;
	enum form_kind kind;
	const char *choices;
	const char *help;
	/* form of a key: begins with this cell of the row under the cursor, or with what the place was
	 * opened on: "."; of an object: this of the answer is its value */
	const char *from;
	bool names_row; /* the row that is there afterwards has this key */
	const char *pick; /* F4 offers the names of these lists: "user.list maillist.list" */
	bool keyed; /* form of a key: goes into the method's `keys`; the form of an object always does, and of
		     * what is only shown that which is keyed */
};

struct form_class {
	const char *title;
	const char *save; /* of an object: "user.set"; NULL for the form of a key */
	const char *does; /* what F2 does: "Search"; NULL: Save, Ask where nothing is changed, or the label of the key */
	const struct form_field *fields; /* ended by a NULL name */
	/*
	 * Form of a key: the parameter MADE is written by `make` from the fields, and shown below them as it will be; other
	 * fields go along only where they are parameters. False: they make none, which `cannot` says. `begin` fills
	 * the fields in from the row (NULL: there is none), where their cells are not what people fill in. F3 opens
	 * `trial` on a row with what was made under the name `trial_field`, and the row's number.
	 */
	const char *made, *cannot, *trial_field;
	bool (*make)(struct screen *form, struct buf *out);
	void (*begin)(struct screen *form, const struct json *row);
	const struct screen_class *trial;
};

/* The NTH field of that name, from 0, as it was typed; empty where there is none. */
struct span form_get(struct screen *form, const char *name, size_t nth);
/* It begins with VALUE. */
void form_begin_with(struct screen *form, const char *name, size_t nth, struct span value);

/* Ask for what ACTION needs, and do it. */
void form_open_for(struct screen *screen, const struct key_action *action);

#endif
