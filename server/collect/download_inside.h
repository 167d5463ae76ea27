/*
 * download_inside.h - what download_act.c, download_carry.c and download_letter.c share, and nobody else.
 */
#ifndef SERVER_COLLECT_DOWNLOAD_INSIDE_H
#define SERVER_COLLECT_DOWNLOAD_INSIDE_H

#include "proto/base/list.h"
#include "server/collect/download_act.h"

#define DOWNLOAD_AREA "dlrules" /* of the log (DLR-11) */
#define DOWNLOAD_READ_SLICE 1000 /* questions, of all collectors, that are read under one snapshot */
#define DOWNLOAD_DROP_MAX 200 /* questions that lost their message and go in one transaction; others the next time */
#define DOWNLOAD_WORDS_MAX 300	/* bytes of a field of the header that are shown */

/* A question about a message of the collector. */
struct download_known {
	uint64_t question_no;
	struct span known, sender, subject, rule, by;
	int64_t until_ms;
	enum download_answer_given given;
	bool met; /* its message was asked about */
};

struct download {
	struct host *host;
	struct generation *generation;
	const struct conf *conf;
	const struct conf_collector *collector;
	uint64_t collector_id; /* of questions */
	unsigned in_mail;
	bool has_unique, has_head;
	struct arena arena; /* the questions */
	struct download_known *questions;
	size_t count, room;
	uint64_t read_to; /* the last of all that was read */
	uint32_t *slots; /* place + 1, by hash of `known`; mask + 1 of them */
	size_t mask;
	struct list acting; /* struct download_acting.link */
};

/* A slice of download_read(). *MORE: there may be others. */
MUST_CHECK enum err download_read_slice(struct download *d, struct snapshot *snap, bool *more);
/* What a field of HEADER says to people: unfolded, decoded, cut; in A. Never empty. */
struct span download_words(struct arena *a, struct span header, const char *field);
/* ---- letters (download_letter.c): pure ---- */

struct download_letter {
	struct span collector, rule, header;
	struct span from, about; /* download_words() */
	struct span sign;	 /* in words: "ask" */
	uint64_t size;		 /* SOURCE_SIZE_UNKNOWN */
	uint64_t question_no;	 /* 0: it is a notice */
	int64_t until_ms;
	int zone_minutes;
	const struct span *names; /* whom it is for */
	size_t name_count;
};
/* Subject and text, UTF-8, for own_mail.h. In A. */
struct span download_letter_subject(struct arena *a, const struct download_letter *letter);
struct span download_letter_text(struct arena *a, const struct download_letter *letter);

#endif
