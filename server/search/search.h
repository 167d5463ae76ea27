/*
 * search.h - the thread that keeps the index of words up to what the store has.
 *
 * It looks for new contents and copies twice a second, reads them in slices of SEARCH_SLICE_US and rests
 * between two, much longer while the store's writer has work: a delivery comes first. A run is
 * written when it is full, or when nothing new came for SEARCH_QUIET_MS; until then, and while it
 * lags, who searches reads the messages themselves (imap_cmd_search.c). Where the store stops taking
 * mail (H43) nothing is written. Contents that are encrypted (SEC-08) are not indexed: the index would
 * show their words; they count as unsure and are read at each search.
 */
#ifndef SERVER_SEARCH_SEARCH_H
#define SERVER_SEARCH_SEARCH_H

#include "store/search_index.h"

#define SEARCH_SLICE_US 4000    /* of one snapshot */
#define SEARCH_LOOK_MS 500      /* how often it looks for what is new */
#define SEARCH_REST_MS 1        /* between two slices */
#define SEARCH_REST_BUSY_MS 50  /* the same while the store's writer is at work, or was within: */
#define SEARCH_BUSY_MS 1000
#define SEARCH_QUIET_MS 1000    /* without anything new: what was gathered is written */
#define SEARCH_GATHER_MS 30000  /* or so long after the first of it */
#define SEARCH_PROVEN_MS 60000  /* then search_index_proven() */
#define SEARCH_RETRY_MS 60000   /* after the disk was full or failed */

struct log;
struct search;
struct search_maps;

struct search_service_options {
	struct store *store;
	struct log *log;
	unsigned readers; /* threads that may ask at once: workers */
};

/*
 * Open the index beside the store and start the thread. ERR_IO: the folder cannot be used, no thread starts;
 * logged. Mail flows all the same.
 */
MUST_CHECK enum err search_open(const struct search_service_options *options, struct search **out);
/* Stop the thread and close; what was gathered is lost and read again at the next start. */
void search_close(struct search **search);

/* To ask it, on a worker. */
struct search_index *search_index_of(struct search *search);
struct search_maps *search_maps_of(struct search *search); /* search_map.h */

/* Throw the index away and make it anew: returns at once. Any thread. */
void search_rebuild(struct search *search);

struct search_status {
	const char *state;    /* "current", "indexing", "rebuilding", "waiting" after a failure */
	uint64_t behind;      /* contents that are not in it, about: ids have gaps */
	struct search_stats index;
};
void search_status(struct search *search, struct search_status *out); /* any thread */

#endif
