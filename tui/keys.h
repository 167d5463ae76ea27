/*
 * keys.h - what can be pressed, and what it means everywhere.
 *
 * A lower-case letter means the same on every screen; an upper-case one belongs to the screen, but
 * for those of the table here (F G N O V). Function keys are twins of letters.
 */
#ifndef TUI_KEYS_H
#define TUI_KEYS_H

#include <stdint.h>

#include "proto/base/span.h"

/* Codes of keys: a character is its code point, the others are these. */
enum key {
	KEY_CTRL_A = 1,
	KEY_CTRL_B = 2,
	KEY_CTRL_C = 3,
	KEY_CTRL_D = 4,
	KEY_CTRL_E = 5,
	KEY_CTRL_F = 6,
	KEY_TAB = 9,
	KEY_CTRL_K = 11,
	KEY_CTRL_L = 12,
	KEY_RETURN = 13,
	KEY_CTRL_R = 18,
	KEY_CTRL_U = 21,
	KEY_CTRL_W = 23,
	KEY_CTRL_Z = 26,
	KEY_ESC = 27,
	KEY_RUBOUT = 127,
	KEY_SPECIAL = 0x110000,
	KEY_ARROW_UP,
	KEY_ARROW_DOWN,
	KEY_ARROW_LEFT,
	KEY_ARROW_RIGHT,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_START,
	KEY_FINISH,
	KEY_INSERT,
	KEY_DELETE,
	KEY_BACK_TAB,
	KEY_PASTED,   /* press.text holds it */
	KEY_FUNCTION, /* F1 is KEY_FUNCTION + 1 */
};

#define KEY_FN(n) (KEY_FUNCTION + (n))
#define KEYS_PASTE_MAX 65536 /* bytes of one paste */

struct press {
	uint32_t key;
	struct span text; /* of a paste; lives until the next press */
};

/* What a key does, wherever it can be done. */
enum act {
	ACT_NONE,
	ACT_DOWN,
	ACT_UP,
	ACT_PAGE_DOWN,
	ACT_PAGE_UP,
	ACT_HALF_DOWN,
	ACT_HALF_UP,
	ACT_FIRST,
	ACT_LAST,
	ACT_LEFT,
	ACT_RIGHT,
	ACT_OPEN,
	ACT_VIEW,
	ACT_CREATE,
	ACT_EDIT,
	ACT_REMOVE,
	ACT_MARK,
	ACT_MARK_RANGE,
	ACT_MARK_ALL,
	ACT_UNMARK,
	ACT_FILTER,
	ACT_UNFILTER,
	ACT_SEARCH,
	ACT_SEARCH_NEXT,
	ACT_SEARCH_BACK,
	ACT_SORT,
	ACT_SORT_BACK,
	ACT_RELOAD,
	ACT_HOLD_VIEW,
	ACT_WRAP,
	ACT_DETAIL,
	ACT_COPY,
	ACT_EXPORT,
	ACT_BOOKMARK,
	ACT_BOOKMARK_GO,
	ACT_TROUBLE_NEXT,
	ACT_TROUBLE_BACK,
	ACT_UNDO,
	ACT_REDO,
	ACT_TAB_NEXT,
	ACT_TAB_BACK,
	ACT_PANE_NEXT,
	ACT_ACTIONS,
	ACT_COMMAND,
	ACT_HELP,
	ACT_MORE,
	ACT_REPAINT,
	ACT_BACK,
	ACT_COUNT,
};

struct act_row {
	enum act act;
	const char *keys; /* as help shows them: "j Down" */
	uint32_t key, twins[3];
	uint8_t function;  /* F-key; 0: none */
	const char *label; /* of the key bar; NULL: not there */
	const char *help;
};

extern const struct act_row act_rows[];
extern const size_t act_row_count;

/* The act of a key outside of fields; NULL where it has none. */
const struct act_row *act_of_key(uint32_t key);
const struct act_row *act_row_of(enum act act);
/* "R", "Ctrl-R", "F5", "Enter"; ROOM has at least 16 bytes. */
const char *key_label(uint32_t key, char *room);

#endif
