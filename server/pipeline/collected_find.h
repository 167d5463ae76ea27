/*
 * collected_find.h - a search for recipients under way: what the files behind collected_who.h share.
 */
#ifndef SERVER_PIPELINE_COLLECTED_FIND_H
#define SERVER_PIPELINE_COLLECTED_FIND_H

#include "server/pipeline/collected_who.h"

/* An address as it stands in a field. */
struct collected_text {
	struct span text; /* the address, for recipient_text_address() */
	struct span raw;  /* the element it is in, with what stands beside; or empty */
	struct span field;
};

struct collected_find {
	const struct collected_ask *ask;
	struct plan *plan;
	struct span header;   /* of the mail, HEADER_SIZE_MAX bytes at most (H7) */
	struct arena scratch; /* of the address at hand */
	size_t looked_max, max;
	size_t looked, looked_up;

	struct address *found;
	size_t count, room;
	size_t *slots; /* hash table over found: place + 1; 0: free */
	size_t slot_count;
	struct mail_target *targets;
	size_t target_count, target_room;

	bool any;         /* somebody was recognised in this step or one before (INM-13) */
	bool needs_at;    /* of this step: an address without '@' is passed over (INM-15) */
	enum conf_collector_read read;
	struct collected_text kept; /* of this step, with forwards and reversed */
	bool has_kept;
	size_t recognised, unused, passed; /* of this step */
	size_t notes_found, notes_passed;
	bool over;        /* noted that a limit was reached */
	enum err failed;  /* the store could not be read */
};

/* One more recipient, as it is, once. False: it was there, or there are too many. */
bool collected_add(struct collected_find *f, const struct address *address, struct span field);
/* One that stands for TARGET or, where that is empty, for ROUTE; with neither for nobody here. */
void collected_add_target(struct collected_find *f, struct span name, struct mail_target target, struct span field);

/* Is NAME, decoded, a user here? *OUT: as stored, in the arena of the plan. */
bool collected_is_user(struct collected_find *f, struct span name, struct span *out);
/* INM-19: a name beside an address of ours. False: there is none. */
bool collected_single(struct collected_find *f, const struct collected_text *at);
/* INM-20. */
void collected_subject(struct collected_find *f);

/* INM-13: the fields, step by step. */
void collected_steps(struct collected_find *f);

#endif
