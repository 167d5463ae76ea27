/*
 * keys.c - the universal keys: dispatcher, key bar, help page and palette read these rows.
 */
#include "tui/keys.h"

#include <stdio.h>

#include "proto/base/err.h"

const struct act_row act_rows[] = {
	{ ACT_DOWN, "j Down", 'j', { KEY_ARROW_DOWN }, 0, NULL, "move down" },
	{ ACT_UP, "k Up", 'k', { KEY_ARROW_UP }, 0, NULL, "move up" },
	{ ACT_PAGE_DOWN, "PgDn Ctrl-F", KEY_PAGE_DOWN, { KEY_CTRL_F }, 0, NULL, "a page down" },
	{ ACT_PAGE_UP, "PgUp Ctrl-B", KEY_PAGE_UP, { KEY_CTRL_B }, 0, NULL, "a page up" },
	{ ACT_HALF_DOWN, "Ctrl-D", KEY_CTRL_D, { 0 }, 0, NULL, "half a page down" },
	{ ACT_HALF_UP, "Ctrl-U", KEY_CTRL_U, { 0 }, 0, NULL, "half a page up" },
	{ ACT_FIRST, "g Home", 'g', { KEY_START }, 0, NULL, "go to the first" },
	{ ACT_LAST, "G End", 'G', { KEY_FINISH }, 0, NULL, "go to the last" },
	{ ACT_LEFT, "h Left", 'h', { KEY_ARROW_LEFT }, 0, NULL, "scroll to the left" },
	{ ACT_RIGHT, "l Right", 'l', { KEY_ARROW_RIGHT }, 0, NULL, "scroll to the right" },
	{ ACT_OPEN, "Enter", KEY_RETURN, { 0 }, 0, NULL, "open" },
	{ ACT_HELP, "? F1", '?', { 0 }, 1, "Help", "help of this screen" },
	{ ACT_ACTIONS, "a F2", 'a', { 0 }, 2, "Acts", "all actions of this screen" },
	{ ACT_VIEW, "v F3", 'v', { 0 }, 3, "View", "view all of it" },
	{ ACT_EDIT, "e F4", 'e', { 0 }, 4, "Edit", "edit" },
	{ ACT_RELOAD, "r F5", 'r', { 0 }, 5, "Load", "reload and sort again" },
	{ ACT_SORT, "o F6", 'o', { 0 }, 6, "Sort", "sort by" },
	{ ACT_FILTER, "f F7", 'f', { 0 }, 7, "Filt", "filter" },
	{ ACT_REMOVE, "d F8 Del", 'd', { KEY_DELETE }, 8, "Del", "remove" },
	{ ACT_COMMAND, ": F9", ':', { 0 }, 9, "Cmd", "find a screen or an action by its words" },
	{ ACT_BACK, "q F10", 'q', { KEY_ESC }, 10, "Back", "back; at the Overview: leave" },
	{ ACT_CREATE, "c Ins", 'c', { KEY_INSERT }, 0, NULL, "create" },
	{ ACT_MARK, "space", ' ', { 0 }, 0, NULL, "mark and step down" },
	{ ACT_MARK_RANGE, "V", 'V', { 0 }, 0, NULL, "mark from here; V again: to here" },
	{ ACT_MARK_ALL, "*", '*', { 0 }, 0, NULL, "mark all that the filter leaves" },
	{ ACT_UNMARK, "-", '-', { 0 }, 0, NULL, "take all marks away" },
	{ ACT_UNFILTER, "F", 'F', { 0 }, 0, NULL, "no filter" },
	{ ACT_SEARCH, "/", '/', { 0 }, 0, NULL, "search" },
	{ ACT_SEARCH_NEXT, "n", 'n', { 0 }, 0, NULL, "next match" },
	{ ACT_SEARCH_BACK, "N", 'N', { 0 }, 0, NULL, "previous match" },
	{ ACT_SORT_BACK, "O", 'O', { 0 }, 0, NULL, "sort the other way round" },
	{ ACT_HOLD_VIEW, "z", 'z', { 0 }, 0, NULL, "hold the live view, or let it go on" },
	{ ACT_WRAP, "w", 'w', { 0 }, 0, NULL, "wrap long lines" },
	{ ACT_DETAIL, "i", 'i', { 0 }, 0, NULL, "details of the row on or off" },
	{ ACT_COPY, "y", 'y', { 0 }, 0, NULL, "copy the row or line to the terminal's clipboard" },
	{ ACT_EXPORT, "x", 'x', { 0 }, 0, NULL, "export what is shown to a file" },
	{ ACT_BOOKMARK, "m", 'm', { 0 }, 0, NULL, "set the bookmark" },
	{ ACT_BOOKMARK_GO, "'", '\'', { 0 }, 0, NULL, "go to the bookmark" },
	{ ACT_TROUBLE_BACK, "{", '{', { 0 }, 0, NULL, "previous problem" },
	{ ACT_TROUBLE_NEXT, "}", '}', { 0 }, 0, NULL, "next problem" },
	{ ACT_UNDO, "u", 'u', { 0 }, 0, NULL, "take back the last change (shown first)" },
	{ ACT_REDO, "Ctrl-R", KEY_CTRL_R, { 0 }, 0, NULL, "do again what was undone" },
	{ ACT_TAB_NEXT, "]", ']', { 0 }, 0, NULL, "next tab" },
	{ ACT_TAB_BACK, "[", '[', { 0 }, 0, NULL, "previous tab" },
	{ ACT_PANE_NEXT, "Tab", KEY_TAB, { 0 }, 0, NULL, "next pane" },
	{ ACT_MORE, "0", '0', { 0 }, 0, NULL, "the other screens" },
	{ ACT_REPAINT, "Ctrl-L", KEY_CTRL_L, { 0 }, 0, NULL, "paint the screen again" },
};

const size_t act_row_count = COUNT(act_rows);

const struct act_row *
act_of_key(uint32_t key)
{
	for (size_t i = 0; i < act_row_count; i++) {
		const struct act_row *row = &act_rows[i];

		if (row->key == key || (row->function && key == (uint32_t)KEY_FN(row->function)))
			return row;
		for (size_t twin = 0; twin < COUNT(row->twins) && row->twins[twin]; twin++)
			if (row->twins[twin] == key)
				return row;
	}
	return NULL;
}

const struct act_row *
act_row_of(enum act act)
{
	for (size_t i = 0; i < act_row_count; i++)
		if (act_rows[i].act == act)
			return &act_rows[i];
	return NULL;
}

const char *
key_label(uint32_t key, char *room)
{
	if (key == KEY_RETURN)
		return "Enter";
	if (key == KEY_TAB)
		return "Tab";
	if (key == KEY_ESC)
		return "Esc";
	if (key == ' ')
		return "space";
	if (key > KEY_FUNCTION)
		snprintf(room, 16, "F%u", (unsigned)(key - KEY_FUNCTION));
	else if (key < 32)
		snprintf(room, 16, "Ctrl-%c", (char)(key + '@'));
	else
		snprintf(room, 16, "%c", key < 127 ? (char)key : '?');
	return room;
}
