/*
 * collection_inside.h - what the files of a collection share.
 *
 *   collection.c         life: begin, stop, end
 *   collection_known.c   what is known of the mailbox, read by a worker; rows that are written besides messages
 *   collection_list.c    the list as it comes
 *   collection_settle.c  the list beside what is known: what is new, what is to be removed, what has gone
 *   collection_orders.c  orders to the source, SOURCE_AHEAD of them under way, and their answers
 *   collection_head.c    where a header is wanted first: likeness (collect_likeness.h), rules
 *   collection_same.c    is it what was stored before?
 *   collection_anew.c    a mailbox that was made anew: the same messages under other unique ids
 *   collection_rules.c   what download rules say of a message
 *   collection_aside.c   what is left alone for a day
 *   collection_room.c    is there room for one more message (INM-25)?
 *   collection_fetch.c   one message from its order to its commit
 *   collection_text.c    its text on the way into an intake
 *   collection_doubles.c the doubles among messages of one session (INM-21)
 *   collection_plan.c    what the pipeline says of it; what it refuses is kept (TRB-06)
 *
 *     list --> item --+--> HEAD --+--> FETCH --> intake --> pipeline --> commit, with its row --+--> REMOVE --> closed:
 *                     |           +--> known after all ------------------------------------------+             rows go
 *                     +--> known, its days are over ---------------------------------------------+
 */
#ifndef SERVER_COLLECT_COLLECTION_INSIDE_H
#define SERVER_COLLECT_COLLECTION_INSIDE_H

#include "server/collect/collect_account.h"
#include "server/collect/collect_likeness.h"
#include "server/collect/collection.h"
#include "server/collect/collection_doubles.h"
#include "server/collect/download_act.h"
#include "server/collect/source_inside.h"
#include "server/net/loop.h"
#include "server/net/work.h"
#include "server/pipeline/collected_header.h"
#include "server/queue/intake.h"
#include "server/script/scripts.h"
#include "store/commit.h"
#include "store/fetched.h"

#define COLLECTION_STORING_MAX 200	    /* messages of one collection that are here and not yet on disk */
#define COLLECTION_STORING_ALL 1000	    /* of all collections: each gets its part, */
#define COLLECTION_STORING_MIN 8	    /* and so many at least; a message takes up to 50 KB while it is on its way */
#define COLLECTION_HELD_MAX (8u << 20)	    /* bytes of these in memory; one message is always taken */
#define COLLECTION_TURN_US 5000		    /* a turn of the loop that has lasted so long takes no more text */
#define COLLECTION_TEST_MS (2 * 60 * 1000) /* that a test may take: somebody waits for it */
#define COLLECTION_PLAN_TURN 10000	    /* rows, or messages of the list, that one turn looks through */
#define COLLECTION_EXCESS_MAX (256u << 20)  /* bytes beyond limits.message_size that are read and passed over */
#define COLLECTION_TRIES 3		    /* to store one message, where the writer has too much to do */
#define COLLECTION_IO_ERRORS_MAX 10	    /* in a row: the store is of no use now */
#define COLLECTION_KNOWN_SLICE 4000	    /* rows that a worker reads under one snapshot */
#define COLLECTION_KNOWN_MAX 2000000	    /* rows; of more messages some are fetched again */
#define COLLECTION_UNIQUES_MAX (16u << 20)  /* bytes of unique ids that are kept for traces; of others there is none */
#define COLLECTION_CHANGES_MAX 1000	    /* rows that are gathered before they are written, where many change */
#define COLLECTION_COPIES_MAX 1000	    /* of one list that nobody can tell apart, and are counted */
#define COLLECTION_LULL_MS (24 * INT64_C(3600000)) /* without an answered order; or as long as a message may take: */
#define COLLECTION_LULL_RATE 1024	    /* limits.message_size at so many bytes a second */
#define COLLECTION_GONE_S (3 * 86400)	    /* with leave_days: a row stays so long without its message */
#define COLLECTION_ASIDE_S 86400	    /* what could not be stored is tried again after it */

/* A row of the store, and where it is in the list now. In order of the hashes. */
struct collection_known {
	struct fetched row;
	uint32_t number;
	bool listed, unwanted;
	uint16_t unique_len; /* of what may be fetched after all */
	uint32_t alike; /* another with the same mark, from 1; collection_anew.c */
	uint32_t unique_at;  /* of collection.uniques */
	uint64_t size;
};

struct collection_choice; /* collection_rules.c */

enum collection_item_state {
	ITEM_NEW,
	ITEM_ASKED, /* about to be decided */
	ITEM_WANTED,
	ITEM_OVER, /* ordered, or left, or removed */
};

/* A message there that is not known as stored. */
struct collection_item {
	unsigned char hash[FETCHED_HASH_SIZE];
	bool has_hash;
	bool by_header; /* no unique id tells it from others */
	bool removes; /* when it is stored, whatever leave_days says */
	bool doubtful; /* its id is known, and it would be removed: is it the message that was stored? */
	bool unwanted; /* it is looked at only because it may be one that was stored */
	bool was_aside;
	uint8_t tries;
	uint8_t state; /* enum collection_item_state */
	uint16_t unique_len;
	uint32_t unique_at; /* of collection.uniques */
	uint32_t number, first_s; /* first_s: 0, it is seen now */
	struct collection_choice *choice; /* or NULL */
	uint64_t size;
};

/* How far the sizes of the list are added up. */
struct collection_place {
	size_t at; /* so many items */
	uint64_t sizes;
};

/* What is to become of a message there: SOURCE_REMOVE or SOURCE_KEEP. */
struct collection_removal {
	unsigned char hash[FETCHED_HASH_SIZE];
	uint32_t number;
	uint8_t order; /* enum source_order */
	bool has_hash, done; /* done: the source has removed it, or will */
};

/* An order under way. */
struct collection_order {
	enum source_order order;
	uint32_t number;
	size_t at; /* of items, or of removals */
	struct collection_fetch *fetch;
};

/* A message on its way. */
struct collection_fetch {
	struct list link; /* in collection.fetches */
	struct collection *c;
	struct collection_item item; /* as it was when it was ordered */
	struct intake *intake;	     /* NULL: nothing has come yet */
	struct scripts_question scripts;
	struct collect_likeness likeness;
	uint64_t like; /* fetched.mark of it; 0: of one that is known by its header anyway */
	char first[COLLECTED_FROM_LINE_MAX + 2]; /* the first line, until it is known what it is (INM-16) */
	size_t first_len;
	size_t skip; /* of the text that was offered and not taken: the end of such a line */
	bool begun; /* and behind that */
	struct span envelope_from, envelope_to; /* as the server tells them (INM-18), in the intake's arena; or empty */
	uint64_t came; /* bytes of it */
	size_t held;   /* of these, in memory, when the last piece came */
	bool passes;   /* they are more than limits.message_size: nothing of it is kept */
	struct fetched same; /* collection_anew.c: its row, under the id that it has now */
	bool whole, submitted, kept_aside;
	bool is_marked; /* in collection.doubles, by `mark`, and not on disk yet */
	unsigned char mark[COLLECTED_DOUBLE_SIZE];
};

/* A hash table of unique ids, for doubles among them. It grows a little with each: the old one is moved over by and by. */
struct collection_marks {
	uint64_t *places, *old;
	size_t count, room, old_room, old_at;
};

/* Rows of another epoch, by the marks of their headers. */
struct collection_anew {
	uint32_t low, high; /* epochs of what is known; 0: of none */
	uint32_t *slots; /* a hash table: places in `known`, from 1 */
	size_t room;
	size_t count, fresh; /* rows in it; of these, of messages that were there the last time */
};

/* A row that is written besides a message. */
struct collection_change {
	struct fetched row;
	bool drop, only_gone; /* only_gone: the rest of the row stays as it is then, for its message may be stored meanwhile */
};

struct collection {
	struct collection_options o; /* the generation is held */
	struct collection_shown shown;
	struct collection_end end;

	/* Its loop's. */
	struct source *source;
	const char *with, *remote, *tls; /* of the source: "POP3"; who is there; "" */
	bool stopping, closing, source_is_over, is_over;
	bool ready, listed, settled, fetches_none; /* fetches_none: nothing more is ordered to be fetched */
	struct loop_timer patience; /* of a stop, and of a test */
	struct loop_timer lull;
	int64_t lull_ms;
	bool lulled; /* nothing was answered in that time */
	struct loop_call ending;
	unsigned posts; /* under way, to this loop */
	struct arena arena; /* of a pass */

	/* What is known. */
	uint64_t id; /* of its rows; 0: not known yet, or it has none */
	struct fetched_entry entry;
	struct store_job taking;
	struct work reading;
	bool takes, reads, has_known;
	enum err questions; /* of download rules, read with the rows */
	struct collection_known *known;
	size_t known_count, known_room;
	struct collection_change *changes, *written; /* written: in the hands of the writer */
	size_t change_count, change_room, written_count;
	struct store_job writing;
	struct slice_place place;
	bool writes;
	void *old, *given_back; /* blocks that the next worker frees, and those that one is freeing; each begins with the next */

	/* The list. */
	uint64_t listed_count, listed_bytes, listed_here; /* listed_here: known as stored */
	uint32_t epoch; /* of the ids in it; 0: they have none */
	bool by_header; /* messages are told apart by their headers: some, or all, for there are no unique ids */
	bool all_by_header;
	bool gone_noted;
	bool came_again; /* what was removed is in the list */
	bool has_asides; /* a row says of something that it was set aside */
	struct collection_place asked_place, aside_place; /* collection_aside.c: each goes on by itself */
	struct buf uniques;
	struct collection_anew anew;
	struct collection_marks marks;
	struct collection_item *items;
	size_t item_count, item_room;
	uint32_t *heads; /* places in items, of those whose header is wanted */
	size_t head_count, head_room, head_at;
	size_t undecided; /* whose header is on its way */
	bool plans;	  /* the list is whole, and not yet looked through */
	unsigned plan_part;
	size_t plan_at, gone_at;
	uint32_t *wanted; /* places in items, in the order in which they are fetched */
	size_t wanted_count, wanted_room, wanted_at;
	struct collection_removal *removals;
	size_t removal_count, removal_room, removal_at;
	size_t settle_at, settled_count;
	bool passes_again; /* there is news, and what was removed is not settled yet */

	struct download *rules; /* NULL: a test */
	struct list choices;
	bool rules_told; /* all were asked about */

	/* Orders. */
	struct collection_order orders[SOURCE_AHEAD];
	size_t order_first, order_count;
	struct buf head;
	uint64_t head_came;
	bool text_waits, pumps, pump_waits;

	/* Messages. */
	struct list fetches;
	size_t fetch_count, held; /* of these; bytes that they hold in memory */
	size_t storing;
	unsigned io_errors;
	struct collection_doubles doubles;
	int64_t disk_seen_ms, disk_free;
	uint64_t disk_taken;
};

/* Room for one item more in an array that grows. */
void *collection_grow(void *items, size_t count, size_t *room, size_t size);

/*
 * A message that was stored in another session is removed only when it is seen to be that one: POP3 servers give ids
 * again, and some take the number of a message for its id. IMAP never does (RFC 9051, 2.3.1.1).
 */
static inline bool
collection_doubts(const struct collection *c)
{
	return c->o.conf->kind == COLLECTOR_POP3;
}

/* leave_days, or always: what was fetched is not removed at once. */
static inline bool
collection_leaves(const struct collection *c)
{
	return c->o.conf->leave == LEAVE_ALWAYS || c->o.conf->leave_days > 0;
}
uint32_t collection_now_s(const struct collection *c);

/* ---- collection.c ---- */

void collection_enter(struct collection *c, enum collect_state state);
/* One line for `collect list` and the log; the first is why it failed. */
void collection_error(struct collection *c, const char *format, ...) PRINTF_LIKE(2, 3);
/* One message could not be had: the same, and it is counted. */
void collection_item_error(
	struct collection *c, const struct collection_item *item, const char *why, struct span answer);
/* Nothing more is fetched; what is under way is finished. */
void collection_stop_fetching(struct collection *c);
void collection_cut(struct collection *c);
/* Something has ended: is it all? */
void collection_look(struct collection *c);
/* An order was answered, or the first one is about to be given: until the next one it may take COLLECTION_LULL_MS. */
void collection_went_on(struct collection *c);
/* News of its mailbox: it is listed again. */
void collection_pass_again(struct collection *c);

/* ---- collection_known.c ---- */

/* Its number, then its rows and the questions of download rules; collection_go() follows. */
void collection_know(struct collection *c);
struct collection_known *collection_known_find(
	struct collection *c, const unsigned char hash[FETCHED_HASH_SIZE]);
void collection_change(struct collection *c, const struct fetched *row, bool drop);
/* Since when it is not in the list; 0: it is. */
void collection_change_gone(struct collection *c, struct collection_known *known, uint32_t gone_s);
/* Written in slices; collection_look() follows. */
void collection_write_changes(struct collection *c);
/* It may be large: a worker frees it. NULL: nothing. */
void collection_give_back(struct collection *c, void *block);
/* All that was given back; then DONE on the loop, of work that is c->reading; at once where no worker has time. */
void collection_free_blocks(struct collection *c, void (*done)(struct work *work, enum err result));

/* ---- collection_list.c ---- */

/* Logged in, and what is known was read: the list is asked for. */
void collection_go(struct collection *c);
void collection_on_item(struct collection *c, const struct source_item *item);
struct collection_item *collection_add_item(struct collection *c, uint32_t number, uint64_t size);
/* HASH is of a header or a text: of a second one of the same in this list it becomes another. */
void collection_tell_apart(struct collection *c, unsigned char hash[FETCHED_HASH_SIZE]);
/* Of a unique id: it came twice. */
bool collection_is_marked_twice(const struct collection *c, const unsigned char hash[FETCHED_HASH_SIZE]);
void collection_list_clear(struct collection *c); /* before another pass, and at the end */

/* ---- collection_settle.c ---- */

void collection_on_listed(struct collection *c, bool has_unique);
/* A message that is known as stored, as ROW: it goes now; false: it stays. */
bool collection_settle_known(struct collection *c, const struct fetched *row, uint32_t number);
void collection_remove(struct collection *c, const unsigned char *hash, uint32_t number);
void collection_keep(struct collection *c, uint32_t number);
bool collection_has_head_to_ask(struct collection *c);
void collection_want(struct collection *c, size_t at);

/* Each of these goes as far as one turn of the loop allows, and says true where it is done. */

/* The list is looked through. */
bool collection_plan_on(struct collection *c);
/* By header, when all have been looked at: rows of which none was met. */
bool collection_note_gone(struct collection *c);
/* Removals that the source has, and what is left there. */
bool collection_settle_counts(struct collection *c, bool removed);

/* ---- collection_orders.c ---- */

/* Give what orders can be given; close, or listen, where nothing is left to be done. */
void collection_pump(struct collection *c);
/* This turn of the loop has lasted long enough. */
bool collection_is_late(const struct collection *c);
bool collection_on_text(struct collection *c, uint32_t number, struct span text);
void collection_on_answered(struct collection *c, uint32_t number, enum source_order order,
	enum source_result result, struct span answer);
void collection_resume(struct collection *c);
/* In another turn of the loop: collection_pump(), and collection_look(). */
void collection_pump_later(struct collection *c);
bool collection_has_disk(struct collection *c, uint64_t size);
/* A message could not be stored, nor can the next: what is full or fails, and what helps. */
void collection_tell_no_room(struct collection *c, enum err result);

/* ---- collection_head.c ---- */

void collection_tell_cannot_leave(struct collection *c);
bool collection_wants_heads(const struct collection *c);
/* Its header is not to be had. */
void collection_judge_without_head(struct collection *c, size_t at);
void collection_on_head(struct collection *c, size_t at, enum source_result result, struct span answer);

/* ---- collection_same.c ---- */

uint64_t collection_header_mark(struct span header); /* 0: it does not tell */
/* HEADER is that of the message which ROW stands for. */
bool collection_same_header(const struct fetched *row, struct span header);
/*
 * The row as which it is stored already: told by what came, where no header was asked for, or its id may have been given
 * again. NULL: it is new. Once for each fetch: f->like is filled in.
 */
const struct fetched *collection_same_known(struct collection_fetch *f);

/* ---- collection_anew.c ---- */

/* A row that was read, on a worker. */
void collection_anew_see(struct collection *c, const struct fetched *row);
/* The list is whole: in which epoch is it, where its source does not tell? */
void collection_anew_count(struct collection *c);
/* There are rows of another epoch than the mailbox has now. */
bool collection_is_anew(const struct collection *c);
/* The row at PLACE is not in the list: it may be there under another id. */
void collection_anew_add(struct collection *c, size_t place);
/* The header tells whether it is there: not of one that is known. */
bool collection_anew_asks(const struct collection *c, const struct collection_item *item);
/* It was not looked at, and may be one that is known: none of those has gone for sure. */
void collection_anew_unsure(struct collection *c, const struct collection_item *item);
/* Is it a message that is stored, by the mark of its header (0: that does not tell)? *ROW is its row, with the id that it has now. */
bool collection_anew_settle(struct collection *c, const struct collection_item *item, uint64_t mark, struct fetched *row);

/* ---- collection_rules.c ---- */

/* Before a pass; on the loop. */
void collection_begin_rules(struct collection *c);
/* What is asked about its messages; on a worker. */
MUST_CHECK enum err collection_read_questions(struct collection *c);
void collection_free_rules(struct collection *c);
void collection_forget_choices(struct collection *c); /* nothing is under way */
/* It is wanted, left or removed; or ITEM_NEW stays, and its header is wanted first. */
void collection_judge(struct collection *c, size_t at);
void collection_judge_head(struct collection *c, size_t at, struct span header);
/* Who gets it by its rule, in place of others or besides; empty: nobody. */
void collection_chosen(struct collection_fetch *f, struct span *instead, struct span *also);

/* ---- collection_fetch.c ---- */

extern const struct intake_events collection_intake_events; /* the holder: struct collection_fetch */
struct collection_fetch *collection_fetch_new(struct collection *c, const struct collection_item *item);
void collection_fetch_end(struct collection_fetch *f, enum source_result result, struct span answer);
void collection_fetch_free(struct collection_fetch *f);
/* The connection is gone: what has not come whole is given up. */
void collection_fetches_cut(struct collection *c);

/* ---- collection_aside.c ---- */

/* It stays there, and is tried again after a day. */
void collection_set_aside(struct collection *c, const struct collection_item *item);
/* That day is not over. */
bool collection_is_aside(const struct collection *c, const struct fetched *row);
/* What is known of ITEM is its place alone, and by that it was set aside. */
bool collection_place_is_aside(struct collection *c, const struct collection_item *item);

/* ---- collection_text.c ---- */

void collection_text_open(struct collection_fetch *f); /* its intake */
/* What was kept of the first line is no `From ` line: it goes first. False: no room. */
bool collection_text_first(struct collection_fetch *f);
/* False: nothing of it is taken now; collection_resume() follows. */
bool collection_text_put(struct collection_fetch *f, struct span text);

/* ---- collection_plan.c ---- */

void collection_fill_mail(struct collection_fetch *f);
/* For whom, and the phases before AT_END. OK; ERR_BUSY: not now; ERR_DENIED: refused, f->intake->plan.reply says why. */
MUST_CHECK enum err collection_plan_front(struct collection_fetch *f, bool *is_double);
/* It was not stored: it is no double of itself when it comes again. */
void collection_plan_unmark(struct collection_fetch *f);
/* The rest of it. The same. */
MUST_CHECK enum err collection_plan_end(struct collection_fetch *f);
/* It was refused: the Main Administrator gets it (TRB-06). ERR_NOT_FOUND: there is none; ERR_IO, ERR_LIMIT. */
MUST_CHECK enum err collection_plan_keep(struct collection_fetch *f);

#endif
