/*
 * control_transfer.h - lists out to files and in again: what users, mappings and their like share.
 *
 * Out: a handler whose `read` puts one object after another, spilled to the descriptor between slices.
 * In: a file whose lines become the targets of a call, each changed by itself; a bad line is reported by
 * its number and does not stop the others.
 */
#ifndef SERVER_CONTROL_CONTROL_TRANSFER_H
#define SERVER_CONTROL_CONTROL_TRANSFER_H

#include "proto/base/csv.h"
#include "server/control/control_call.h"

#define TRANSFER_FILE_MAX (16 * 1024 * 1024) /* bytes of a file that is imported */
#define TRANSFER_LINES_MAX 100000

/* Worker: all of FD into the call's arena. Fails the call. */
bool control_read_file(struct control_call *call, int fd, struct span *out);

/* ---- out ---- */

struct transfer_out {
	struct buf text;
	struct span name; /* of the last one, where they are walked by name */
	char name_bytes[64];
	uint64_t after;   /* id of the last one, where by id */
	unsigned layout;  /* the walker's own */
	int fd;
};

/* The steps check and spill; call->state is a struct transfer_out then. */
bool transfer_out_check(struct control_call *call);
/* The same with T, which stands first in a state of the handler's own. */
bool transfer_out_begin(struct control_call *call, struct transfer_out *t);
bool transfer_out_spill(struct control_call *call);
void transfer_out_name(struct transfer_out *t, struct span name); /* remember it, copied */
/* The step read: NEXT puts one more of them, and says ERR_NOT_FOUND at the end. */
enum step transfer_out_read(struct control_call *call, struct snapshot *snap,
	enum err (*next)(struct transfer_out *, struct snapshot *), const char *object);

/* ---- in ---- */

struct transfer_item {
	struct span line; /* empty: what is not in the file goes; `id` or the key says what */
	uint64_t id;
};

/* In front of a handler's own state. */
struct transfer_in {
	struct transfer_item *items;
	struct span *keys;	   /* "line 12", as people count them */
	size_t count, size, lines; /* lines: those of the file, before others are added */
	uint64_t after;	      /* the walker's own: the last id seen */
	struct arena scratch; /* of one line, on the worker or the writer */
};

void transfer_in_init(struct control_call *call, struct transfer_in *t);
/* Add one; KEY is in the call's arena. Fails the call beyond TRANSFER_LINES_MAX. */
bool transfer_in_add(struct control_call *call, struct transfer_in *t, struct transfer_item item,
	struct span key);
/*
 * Worker: the lines of the parameter `file` become items, empty ones and comments (#) passed over. A
 * file that is no text is refused whole.
 */
bool transfer_in_lines(struct control_call *call, struct transfer_in *t);
/* The items are the call's targets now. */
void transfer_in_targets(struct control_call *call, const struct transfer_in *t);
/* The note: "18 of 20 lines imported, 2 skipped". */
void transfer_in_note(struct control_call *call, const struct transfer_in *t);

#endif
