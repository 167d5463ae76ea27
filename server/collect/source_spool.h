/*
 * source_spool.h - a folder of files as a source (FXF-01, INM-31): shared by source_spool.c (the session) and
 * source_spool_files.c (what is done with files, on a worker).
 *
 *     PATH/out/USER/NAME.eml   mail for the users that the file names, the text alone; USER in any letter case
 *     PATH/in/NAME.eml         where it names none: mail for anybody here, its envelope in front:
 *
 *         X-Envelope-From: <a@far.test>        both are taken off
 *         X-Envelope-To: <anna@example.test>
 *
 * NAME is the unique id. Who writes does so under another name (no .eml), then renames. What was taken leaves an
 * empty NAME.taken for SPOOL_TAKEN_MS: a writer that died before it noted that it was done finds it, and writes no
 * second copy (FXF-02). A file of no bytes is no message: it is being written, or its writer died.
 */
#ifndef SERVER_COLLECT_SOURCE_SPOOL_H
#define SERVER_COLLECT_SOURCE_SPOOL_H

#include "proto/base/arena.h"
#include "proto/mail/mail_lines.h"
#include "server/collect/source_inside.h"
#include "server/net/loop.h"
#include "server/net/work.h"

#define SPOOL_PIECE (256 * 1024)	     /* bytes of a file that are in memory at a time */
#define SPOOL_NAME_MAX 200		     /* bytes of a file's name */
#define SPOOL_TAKEN_MS (7LL * 24 * 3600 * 1000) /* wall clock, by the file's time */
#define SPOOL_EMPTY_MS (10LL * 60 * 1000) /* likewise: an empty file may be written so long, then it is broken */
#define SPOOL_LIST_STEP 5000 /* files that are told in one turn of the loop */
#define SPOOL_PATH_SIZE 1024 /* of a path in the folder, its end included */
#define SPOOL_ADDRESS_SIZE 512
#define SPOOL_ENDING ".eml"
#define SPOOL_TAKEN ".taken"
#define SPOOL_UNFINISHED ".tmp" /* behind a name with a dot in front */

struct spool_item {
	struct spool_item *next;
	struct span user;   /* as the collector names him; empty: PATH/in */
	struct span folder; /* his, as the disk has it; the same */
	struct span name;   /* with its ending */
	uint64_t size;	    /* 0: it is broken */
};

struct spool_order {
	enum source_order order;
	uint32_t number;
};

enum spool_task { SPOOL_SCAN, SPOOL_READ, SPOOL_REMOVE, SPOOL_SYNC };

struct source_spool {
	struct source source;
	struct loop_call call;
	bool ready, to_list, closing, over, doomed;
	bool removed; /* files are gone, of which the disk does not know yet */
	size_t list_at; /* so many are told */
	struct loop_timer list_on;
	struct source_problem problem;

	/* The list, in the order of the scan; numbers are from 1. */
	struct arena arena;
	struct spool_item *first, **last;
	struct spool_item **items; /* by number - 1 */
	size_t count;
	uint64_t bytes;

	/* Orders; the oldest is under way. */
	struct spool_order orders[SOURCE_AHEAD];
	size_t order_at, order_count;
	struct mail_lines lines;
	struct span piece; /* what the holder has not taken yet: of `bytes_read`, or static */
	bool begun, tail_given, held;

	/* A worker's, while `lent`. */
	struct work work;
	bool lent;
	enum spool_task task;
	const struct spool_item *item;
	int fd; /* the file under way; -1: none */
	char *buffer;
	size_t read_size; /* of SPOOL_READ; 0 at its end */
	enum err err;	  /* ERR_NOT_FOUND: it is not there; ERR_CORRUPT: it is no message */
	char why[SOURCE_ANSWER_SIZE];
	char from[SPOOL_ADDRESS_SIZE], to[SPOOL_ADDRESS_SIZE]; /* of the envelope, "" where it says none */
	int64_t now_ms;
};

/* ---- source_spool_files.c: `run` of the work ---- */

void spool_work(struct work *work);
/* The fields of an envelope at the front of TEXT into FROM and TO; how many bytes they are. */
size_t spool_take_envelope(struct span text, struct span *from, struct span *to);

#endif
