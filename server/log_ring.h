/*
 * log_ring.h - what log.c (lines, rings) and log_writer.c (files) share; for those two alone.
 */
#ifndef SERVER_LOG_RING_H
#define SERVER_LOG_RING_H

#include <pthread.h>
#include <time.h>

#include "proto/base/buf.h"
#include "server/log.h"
#include "server/log_files.h"

#define LOG_LINE_TAIL 8 /* " ..." and LF behind a line that was cut */

struct log_record {
	int64_t ns; /* when, so that lines of several rings come in order */
	uint32_t len;
	uint8_t level;
	uint8_t file; /* enum log_file_kind: it stands there besides; LOG_FILE_MAIN: nowhere */
};

struct log {
	struct log_writer *writer;
	pthread_mutex_t lock;
	char *bytes;
	uint64_t head, tail; /* counted from the start; modulo the size */
	uint64_t dropped;
	struct buf line, value;
	int64_t now_ns; /* of the line that is made */
	time_t stamp_s;
	char stamp[32], zone[8];
};

struct log *log_new(struct log_writer *writer);
void log_free(struct log *log);
bool log_peek(struct log *log, int64_t *ns); /* of the oldest record; false where there is none */
bool log_take(struct log *log, struct log_record *record, char *into, uint64_t *dropped);

enum log_level log_writer_level(const struct log_writer *w);
void log_writer_wake(struct log_writer *w, bool urgent);

bool log_writer_path(struct log_writer *w, const char *file, char *out, size_t size);

#endif
