/*
 * spool_door_inside.h - what the files of a door to a folder share (spool_door.h).
 *
 *   spool_door.c         its life on the loop, a worker for each step
 *   spool_door_talk.c    one step: what has come, as far as it goes. On a worker
 *   spool_door_files.c   folders and files. On a worker
 */
#ifndef SERVER_QUEUE_SPOOL_DOOR_INSIDE_H
#define SERVER_QUEUE_SPOOL_DOOR_INSIDE_H

#include "proto/smtp/smtp_data.h"
#include "server/net/crypto.h"
#include "server/net/loop.h"
#include "server/net/work.h"
#include "server/queue/spool_door.h"

#define SPOOL_DOOR_STEP (1 << 20) /* bytes of input that one step takes: then it is the turn of other long work */
#define SPOOL_DOOR_INPUT 65536
#define SPOOL_DOOR_PATH 1024
#define SPOOL_DOOR_ADDRESS 600
#define SPOOL_DOOR_TEMPORARY 32

struct spool_file {
	int fd, folder; /* -1: not open */
	char to[SPOOL_DOOR_ADDRESS], temporary[SPOOL_DOOR_TEMPORARY];
	struct crypto_sha256_stream hash;
};

struct spool_door {
	struct list link; /* of its host's */
	struct host *host;
	struct loop_io io;
	struct loop_timer patience;

	/* A worker's, while `lent`. */
	struct work work;
	bool lent;
	int fd;
	bool users; /* PATH/out/LOCAL-PART */
	bool greeted, over, more; /* more: to be taken in another step */
	bool takes_text, good; /* good: all of the text was written so far */
	struct smtp_data data;
	char root[SPOOL_DOOR_PATH], from[SPOOL_DOOR_ADDRESS], why[200];
	char input[SPOOL_DOOR_INPUT];
	size_t len, used, taken; /* taken: in this step */
	struct spool_file files[SPOOL_DOOR_RECIPIENTS];
	size_t count;
};

/* ---- spool_door_talk.c ---- */

/* As far as what has come goes, SPOOL_DOOR_STEP bytes of it at most. True: there is more to be taken now. */
bool spool_door_step(struct spool_door *d);

/* ---- spool_door_files.c ---- false: d->why says it ---- */

/* The folder is there, and may be written to. */
bool spool_door_usable(struct spool_door *d);
bool spool_door_open_file(struct spool_door *d, struct spool_file *f); /* for f->to */
bool spool_door_put(struct spool_door *d, struct span text); /* into all of them */
/* Under its own name, unless it was taken already; on disk, both. */
bool spool_door_close_file(struct spool_door *d, struct spool_file *f);
void spool_door_drop_all(struct spool_door *d); /* what has no name yet goes */

#endif
