/*
 * console.h - the console: where one is, what the server says, what is asked of a person.
 *
 * console_loop.c feeds it keys, the server's lines and time; it draws into a grid of cells. It never
 * waits and knows no terminal, so a test drives it in the same way.
 *
 *   console.c        places, keys            console_draw.c    the frame around a panel
 *   console_link.c   hello, login, events    console_act.c     doing what a key says
 */
#ifndef TUI_CONSOLE_H
#define TUI_CONSOLE_H

#include "proto/control/rpc_request.h"
#include "tui/command_line.h"
#include "tui/line_edit.h"
#include "tui/print_reply.h"
#include "tui/screen.h"
#include "tui/server_link.h"

#define CONSOLE_ROWS_MIN 10
#define CONSOLE_COLS_MIN 40
#define CONSOLE_SCREENS_MAX 48
#define CONSOLE_TEXT_MAX 256
#define CONSOLE_RECENT 64 /* lines of the log that the Overview keeps */
#define CONSOLE_SAID 10 /* words of the palette that are remembered */
#define CONSOLE_PENDING 50 /* settings of one set */
#define CONSOLE_FLOWS 6
#define CONSOLE_FLOW_MINUTES 60

enum console_state {
	CONSOLE_DOWN,  /* no server */
	CONSOLE_HELLO, /* hello is under way */
	CONSOLE_LOGIN, /* the caller has no rights by itself */
	CONSOLE_UP,
};

struct export;
struct modal;
struct modal_class {
	void (*draw)(struct console *c, struct modal *m);
	void (*press)(struct console *c, struct modal *m, const struct press *press);
	void (*close)(struct console *c, struct modal *m);
	const char *bar; /* what the key bar says */
};

struct modal {
	const struct modal_class *class;
	struct modal *below;
	struct arena arena;
};

/* A line that is asked for at the foot of the screen. */
struct prompt {
	bool open;
	const char *label;
	char note[96]; /* shown behind the text */
	struct line_edit edit;
	struct screen *screen;
	void (*changed)(struct screen *screen, struct span text); /* or NULL */
	void (*done)(struct screen *screen, struct span text);
	void (*complete)(struct screen *screen, struct prompt *prompt); /* Tab; or NULL */
};

struct recent {
	char *rows[CONSOLE_RECENT]; /* the row as JSON text, newest last */
	size_t count;
};

struct flow {
	uint64_t now[CONSOLE_FLOW_MINUTES]; /* counter at the end of each minute, newest last */
	uint64_t last, first;
};

struct console {
	struct cells cells;
	struct server_link link;
	struct print_style style;
	enum console_state state;
	control_rights rights;
	bool read_only;
	char user[CONSOLE_TEXT_MAX], role[32], host[CONSOLE_TEXT_MAX], epoch[32];

	struct place *roots[CONSOLE_SCREENS_MAX]; /* by the place in `screens`; each the top of its pile */
	unsigned root;
	struct modal *modal;
	struct prompt prompt;

	char said[CONSOLE_SAID][CONSOLE_TEXT_MAX]; /* chosen in the palette, the newest last */
	size_t said_count;
	char login[64]; /* the name that was typed; the password is asked for */
	char redo[32]; /* the undo that could be undone; empty: none */
	char toast[2 * CONSOLE_TEXT_MAX];
	enum style toast_style;
	int64_t toast_until_ms; /* INT64_MAX: until a key */

	struct arena status_arena;
	const struct json *status; /* NULL: not known yet */
	uint64_t commits;
	struct recent recent;
	uint64_t log_id; /* of the subscription, for log panels */

	int64_t now_ms;  /* monotonic; set before anything is called */
	int64_t lost_ms; /* wall clock in s; when the server went */
	struct {
		char *key, *value;
	} pending[CONSOLE_PENDING]; /* settings that wait to be changed in one step */
	size_t pending_count;
	struct list acts;      /* that wait for an answer; console_act.c's */
	struct buf clip;       /* for the clipboard of the terminal; empty: nothing new */
	struct export *export; /* under way, or NULL */
	bool dirty, repaint, quit, suspend;
	bool is_stale; /* figures and lines came: painted once a second at most */
};

void console_init(struct console *c, const char *path, bool utf8);
void console_fini(struct console *c);
void console_resize(struct console *c, int rows, int cols);
void console_press(struct console *c, const struct press *press);
/* What time brings: toasts end, live views look again. */
void console_tick(struct console *c);
/* Draw all into c->cells. */
void console_draw(struct console *c);
/* What a panel may use: between the title and the message line. */
struct rect console_body(const struct console *c);

/* ---- places (console.c) ---- */

struct screen *console_screen(const struct console *c);
struct place *console_place(const struct console *c);
/* Show a screen of the list; false: there is none of that name. */
bool console_go(struct console *c, const struct screen_class *class);
const struct screen_class *console_find(struct span name);
/* Open CLASS on ROW above where one is. */
struct screen *console_open(struct console *c, const struct screen_class *class,
	const struct json *row, struct span key);
/* A cell of the row that P was opened on; VALUE NULL: that parameter is left out, also where a place below has it. */
void console_place_set(struct place *p, const char *name, const char *value);
/* That cell, where it was set to a text; else empty. */
struct span console_place_get(const struct place *p, const char *name);
void console_back(struct console *c);
void console_tab(struct console *c, int step);
void console_push_modal(struct console *c, struct modal *m, const struct modal_class *class);
void console_pop_modal(struct console *c);
void console_ask(struct console *c, const char *label, struct span text,
	void (*changed)(struct screen *, struct span), void (*done)(struct screen *, struct span));

/* ---- settings that wait (settings_pending.c) ---- */

void settings_pending_edit(struct screen *screen);
void settings_pending_apply(struct screen *screen);
void settings_pending_drop(struct screen *screen);
void settings_pending_title(struct screen *screen, struct buf *out);
/* A method was carried out: what waited for it is done. */
void settings_pending_done(struct console *c, const struct control_method *method);
void settings_pending_fini(struct console *c);

/* ---- messages ---- */

void console_say(struct console *c, enum style style, const char *format, ...) PRINTF_LIKE(3, 4);
void console_say_error(struct console *c, const struct rpc_error *error);

/* Message security refused it: its password is asked for (console_guard.c). False: it is another error. */
bool console_guard_asks(struct console *c, const struct rpc_error *error);

/* ---- the server (console_link.c) ---- */

void console_link_init(struct console *c, const char *path);
void console_link_fini(struct console *c);
/* The caller has no rights by itself: ask for a name and a password. */
void console_ask_login(struct console *c);
/* Told that it came: the newest rows of the log are in c->recent. */
const struct json *console_recent(struct console *c, size_t from_end, struct arena *a);

/* Lines of the log for another subscription than the console's own (log_panel.c). */
void log_panel_event(struct console *c, uint64_t subscription, const struct json *data);

/* ---- acts (console_act.c) ---- */

void console_acts_fini(struct console *c); /* those that wait for an answer, at the end */

/* What a key of the screen does, to the row under the cursor or the marked ones. */
void console_do(struct screen *screen, const struct key_action *action);
/* The same with the values of a form: pairs of name and value, put as members by PUT. */
struct act_values {
	const struct rpc_pair *pairs;
	const bool *keyed; /* belongs into the method's `keys` */
	size_t count;
	int fd; /* of the file that was named; -1: none */
	void *owner; /* the form, told by `done`; by `previewed` where it has to be shown first */
	link_done *done, *previewed;
};
void console_do_with(struct screen *screen, const struct key_action *action,
	const struct act_values *values);
/* What was typed as a command: by the guard of its method, as the key of a screen would do it. */
void console_run_command(struct console *c, const struct command *command);
/* METHOD with PARAMS, one JSON object: at once or after a preview, by its guard. */
void console_do_params(
	struct console *c, const struct control_method *method, struct span params);
/* The answer of a method as a text of its own. */
void console_show_answer(
	struct console *c, const struct control_method *method, const struct json *result);
/* Say what a change did; a password that was made is shown, this once. */
void console_tell_done(
	struct console *c, const struct control_method *method, const struct json *done);
/* Apply what was previewed; WORD is what was typed for it, or empty. Where DONE is not NULL it is
 * told what came of it. */
void console_apply(struct console *c, const struct control_method *method, struct span token,
	struct span word, link_done *done, void *owner);
void console_undo(struct console *c, bool redo);
/* The params of METHOD as far as the place and the row give them; false: one is missing (*lacks). */
bool console_put_params(struct screen *screen, const struct control_method *method,
	const struct key_action *action, const struct act_values *values, struct buf *out);
/* Of which key actions are there on this screen? NULL at the end. */
const struct key_action *console_action(const struct screen *screen, size_t i);
bool console_action_allowed(const struct console *c, const struct key_action *action);

/* ---- modals ---- */

void menu_open_actions(struct console *c);
void menu_open_palette(struct console *c);
void menu_open_help(struct console *c);
void menu_open_screens(struct console *c);
void menu_open_sort(struct screen *screen);
/* A preview from the server: y, or the typed word for G3, applies it. DONE, OWNER: as console_apply. */
void confirm_open(struct console *c, const struct control_method *method,
	struct link_reply *preview, link_done *done, void *owner);

#endif
