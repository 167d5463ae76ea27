/*
 * imap_fetch_inside.h - one FETCH, for imap_cmd_fetch.c, imap_fetch_message.c and imap_fetch_bytes.c alone.
 *
 *     imap_cmd_fetch.c      the set, VANISHED, \Seen, one message after the other
 *     imap_fetch_message.c  a message: found, and the values of which there is one a message
 *     imap_fetch_bytes.c    BODY[...], BINARY[...]: bytes of it
 */
#ifndef SERVER_IMAP_IMAP_FETCH_INSIDE_H
#define SERVER_IMAP_IMAP_FETCH_INSIDE_H

#include "proto/imap/imap_fetch.h"
#include "proto/mime/mime_decoder.h"
#include "proto/mime/mime_parser.h"
#include "server/imap/entry_reader.h"
#include "server/imap/imap_flags.h"
#include "server/imap/imap_numbers.h"
#include "server/imap/imap_store_job.h"
#include "server/queue/derive_stored.h"

#define FETCH_SPANS_MAX 1024 /* fields of a header that stand apart from each other */

/* How an item of bytes is sent. */
enum fetch_phase {
	FETCH_ITEM,   /* its section is to be found */
	FETCH_COUNT,  /* decoded: how many will it be */
	FETCH_BYTES,  /* a range of the message as it is */
	FETCH_DECODE, /* a range of it decoded */
};

/* The message under way. The spans die with the snapshot: it is loaded again in each turn. */
struct fetch_message {
	uint32_t seq;
	struct entry entry;
	struct copy copy;
	struct content content;
	struct mime_derived derived;
	bool loaded;
	bool has_text, has_derived; /* content, derived can be read */
};

struct fetch_task {
	struct imap_session *session;
	struct imap_fetch fetch;
	struct uid_ranges seqs;
	struct view_walk walk;
	unsigned items;		      /* IMAP_FETCH_ */
	bool wants_copy, wants_text, wants_derived;

	struct uid_ranges vanished; /* of the modifier VANISHED */
	size_t vanished_at;
	bool prepared, marks; /* \Seen is to be set first */
	struct uid_ranges unseen;
	struct imap_store_job seen;

	struct imap_flag_reader flags; /* of this turn, as the next */
	struct entry_reader entries;
	struct arena scratch; /* of one message */
	bool in_message;
	struct fetch_message message;
	struct derive_work derive;
	bool derives, has_record;
	struct span record; /* that it made; in scratch */

	size_t item; /* of fetch.bytes */
	enum fetch_phase phase;
	uint64_t at, end;	 /* in the message; what is still to be sent or decoded */
	uint64_t start;		 /* of what is decoded */
	uint64_t skip, left;	 /* decoded bytes: to be left out, to be sent */
	uint64_t counted;
	bool has_nul;
	struct mime_decoder decoder;
	uint64_t warm_until;
	uint64_t pinned; /* body; 0: none */
	struct span *spans; /* FETCH_SPANS_MAX, in the command arena */
	char *inner_header; /* MIME_PART_HEADER_MAX bytes there; NULL: none was wanted yet */

	unsigned missing;
	bool damaged, unknown_cte;
};

/* ---- imap_fetch_message.c ---- */

/*
 * The message UID, number SEQ: its line as far as one turn goes. IMAP_DONE: the whole line is there, or
 * it is left out. Else call again in a later turn.
 */
enum imap_turn fetch_message_begin(struct fetch_task *task, uint32_t seq, uint32_t uid);
enum imap_turn fetch_message_go_on(struct fetch_task *task);

/* ---- imap_fetch_bytes.c ---- */

/* The rest of the items of bytes. */
enum imap_turn fetch_bytes_go_on(struct fetch_task *task);

#endif
