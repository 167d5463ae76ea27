/*
 * control_show.h - what a message says, for message.show, queue.message and archive.show: in the reply, or byte by byte
 * into a file.
 */
#ifndef SERVER_CONTROL_CONTROL_SHOW_H
#define SERVER_CONTROL_CONTROL_SHOW_H

#include "server/control/control_call.h"
#include "store/contents.h"
#include "store/entries.h"

/* Heading, size, flags where it is in a mailbox, header, body. */
struct control_letter {
	const struct content *content;
	struct span front;	   /* lines before the header */
	const struct entry *entry; /* NULL: it is in no mailbox, and known by the parameter `id` */
	uint64_t size;
	int64_t received_ms;
	/* more members of the reply, or NULL */
	void (*more)(struct control_call *call, struct snapshot *snap, void *arg);
	void *arg;
};

/* The step check; the reading is audited: WHAT ("message read") and two fields say of what. FD: -1, in the reply alone. */
bool control_show_begin(struct control_call *call, int fd, const char *what, struct log_field object,
	struct log_field number);
/* In the step read, the first time; then control_show_more() while it is not over. */
bool control_show_has_begun(const struct control_call *call);
enum step control_show_letter(
	struct control_call *call, struct snapshot *snap, const struct control_letter *l);
enum step control_show_more(struct control_call *call, struct snapshot *snap);
bool control_show_spill(struct control_call *call);

#endif
