/*
 * log.c - lines are made by the thread that has something to say, and put into its ring.
 *
 * A record in a ring: its length, level and whether it is of the security log or that of the download rules, then the line with
 * its LF. The log thread (log_writer.c) takes whole records out.
 */
#include "server/log.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/base/buf.h"
#include "server/log_ring.h"

static const char *const level_names[] = {
	[LEVEL_ERROR] = "error",
	[LEVEL_WARNING] = "warning",
	[LEVEL_INFO] = "info",
	[LEVEL_DEBUG] = "debug",
};

const char *
log_level_name(enum log_level level)
{
	return level_names[level];
}

enum err
log_level_find(struct span name, enum log_level *out)
{
	for (size_t i = 0; i < COUNT(level_names); i++) {
		if (!span_eq_nocase(name, span_of(level_names[i])))
			continue;
		*out = (enum log_level)i;
		return OK;
	}
	return ERR_NOT_FOUND;
}

/* ---- a line ---- */

/* "2026-03-01T12:00:00.123+01:00"; the part above milliseconds is made once a second. */
static enum err
put_time(struct log *log)
{
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	log->now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	if (now.tv_sec != log->stamp_s) {
		char zone[8];

		localtime_r(&now.tv_sec, &tm);
		strftime(log->stamp, sizeof(log->stamp), "%Y-%m-%dT%H:%M:%S", &tm);
		strftime(zone, sizeof(zone), "%z", &tm); /* +hhmm */
		memcpy(log->zone, zone, 3);
		log->zone[3] = ':';
		memcpy(log->zone + 4, zone + 3, 3);
		log->stamp_s = now.tv_sec;
	}
	return buf_printf(&log->line, "%s.%03ld%s ", log->stamp, now.tv_nsec / 1000000, log->zone);
}

static bool
wants_quotes(struct span text)
{
	return span_find_any(text, SPAN(" \"=\\")) < text.len;
}

/* TEXT is clean; only what ends or escapes a quoted value is escaped. */
static enum err
put_quoted(struct buf *out, struct span text)
{
	if (buf_put_char(out, '"') != OK)
		return ERR_LIMIT;
	while (text.len > 0) {
		size_t n = span_find_any(text, SPAN("\"\\"));

		if (buf_put(out, span_range(text, 0, n)) != OK)
			return ERR_LIMIT;
		if (n < text.len && (buf_put_char(out, '\\') != OK ||
					    buf_put_char(out, text.ptr[n]) != OK))
			return ERR_LIMIT;
		text = span_from(text, n + 1);
	}
	return buf_put_char(out, '"');
}

static enum err
put_text(struct log *log, struct span text)
{
	enum err err;

	buf_clear(&log->value);
	err = log_clean(&log->value, span_range(text, 0, LOG_LINE_MAX));
	if (wants_quotes(text)) {
		enum err quoted = put_quoted(&log->line, buf_span(&log->value));

		return err != OK ? err : quoted;
	}
	if (buf_put(&log->line, buf_span(&log->value)) != OK)
		return ERR_LIMIT;
	return err;
}

static enum err
put_number(struct buf *out, int64_t number)
{
	if (number < 0 && buf_put_char(out, '-') != OK)
		return ERR_LIMIT;
	return buf_put_u64(out, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

static enum err
put_field(struct log *log, const struct log_field *field)
{
	if (buf_put_char(&log->line, ' ') != OK || buf_put(&log->line, span_of(field->key)) != OK ||
		buf_put_char(&log->line, '=') != OK)
		return ERR_LIMIT;
	if (!field->text.ptr)
		return put_number(&log->line, field->number);
	return put_text(log, field->text);
}

static enum err
put_head(struct log *log, const struct log_line *line)
{
	struct span message = line->message.len > 0 ? line->message : SPAN("-");

	if (put_time(log) != OK ||
		buf_printf(&log->line, "%s %s %s ", level_names[line->level], line->area,
			line->session ? line->session : "-") != OK)
		return ERR_LIMIT;
	if (log_clean(&log->line, message) != OK || buf_put_char(&log->line, ' ') != OK)
		return ERR_LIMIT;
	return log_clean(&log->line, span_of(line->text));
}

/* The whole line into log->line, cut where it grows too long (H71). */
static void
format(struct log *log, const struct log_line *line)
{
	enum err err;

	buf_clear(&log->line);
	err = put_head(log, line);
	for (size_t i = 0; err == OK && i < LOG_FIELDS_MAX && line->fields[i].key; i++) {
		if (!line->fields[i].text.ptr || line->fields[i].text.len > 0)
			err = put_field(log, &line->fields[i]);
	}
	log->line.max = LOG_LINE_MAX + LOG_LINE_TAIL;
	if (err != OK && buf_put(&log->line, SPAN(" ...")) != OK)
		log->dropped++;
	if (buf_put_char(&log->line, '\n') != OK)
		log->dropped++;
	log->line.max = LOG_LINE_MAX;
}

/* ---- rings ---- */

struct log *
log_new(struct log_writer *writer)
{
	struct log *log = calloc(1, sizeof(*log));

	ENSURE(log);
	log->bytes = malloc(LOG_RING_SIZE);
	ENSURE(log->bytes);
	log->writer = writer;
	pthread_mutex_init(&log->lock, NULL);
	buf_init(&log->line, LOG_LINE_MAX);
	buf_init(&log->value, (size_t)LOG_LINE_MAX * 2);
	return log;
}

void
log_free(struct log *log)
{
	pthread_mutex_destroy(&log->lock);
	buf_fini(&log->line);
	buf_fini(&log->value);
	free(log->bytes);
	free(log);
}

static void
copy_in(struct log *log, const void *from, size_t size)
{
	size_t at = log->head % LOG_RING_SIZE;
	size_t first = LOG_RING_SIZE - at < size ? LOG_RING_SIZE - at : size;

	memcpy(log->bytes + at, from, first);
	memcpy(log->bytes, (const char *)from + first, size - first);
	log->head += size;
}

static void
copy_out(struct log *log, void *into, size_t size)
{
	size_t at = log->tail % LOG_RING_SIZE;
	size_t first = LOG_RING_SIZE - at < size ? LOG_RING_SIZE - at : size;

	memcpy(into, log->bytes + at, first);
	memcpy((char *)into + first, log->bytes, size - first);
	log->tail += size;
}

bool
log_peek(struct log *log, int64_t *ns)
{
	struct log_record record;
	bool any;

	pthread_mutex_lock(&log->lock);
	any = log->head != log->tail;
	if (any) {
		copy_out(log, &record, sizeof(record));
		log->tail -= sizeof(record);
		*ns = record.ns;
	}
	pthread_mutex_unlock(&log->lock);
	return any;
}

/* One record, its LF included; false where the ring is empty. *dropped are those lost before it. */
bool
log_take(struct log *log, struct log_record *record, char *into, uint64_t *dropped)
{
	bool any;

	pthread_mutex_lock(&log->lock);
	*dropped = log->dropped;
	log->dropped = 0;
	any = log->head != log->tail;
	if (any) {
		copy_out(log, record, sizeof(*record));
		copy_out(log, into, record->len);
	}
	pthread_mutex_unlock(&log->lock);
	return any;
}

bool
log_is_on(const struct log *log, enum log_level level)
{
	return log && level <= log_writer_level(log->writer);
}

/* LOG-02, DLR-11: areas with a file of their own. */
static uint8_t
file_of(const char *area)
{
	static const struct {
		const char *area;
		enum log_file_kind file;
	} own[] = { { "security", LOG_FILE_SECURITY }, { "dlrules", LOG_FILE_DLRULES } };

	for (size_t i = 0; i < COUNT(own); i++)
		if (strcmp(area, own[i].area) == 0)
			return own[i].file;
	return LOG_FILE_MAIN;
}

void
log_put(struct log *log, const struct log_line *line)
{
	struct log_record record = { .level = line->level };
	struct span text;
	bool urgent;

	if (!log_is_on(log, line->level))
		return;
	record.file = file_of(line->area);
	pthread_mutex_lock(&log->lock);
	format(log, line);
	text = buf_span(&log->line);
	record.ns = log->now_ns;
	record.len = (uint32_t)text.len;
	if (log->head - log->tail + sizeof(record) + text.len > LOG_RING_SIZE) {
		log->dropped++;
	} else {
		copy_in(log, &record, sizeof(record));
		copy_in(log, text.ptr, text.len);
	}
	urgent = log->head - log->tail > LOG_RING_SIZE / 2;
	pthread_mutex_unlock(&log->lock);
	log_writer_wake(log->writer, urgent);
}

void
log_protocol(struct log *log, const char *area, const char *session, bool from_peer,
	struct span line)
{
	bool masked = false;
	struct span shown = from_peer ? log_mask(line, &masked) : line;

	log_put(log, &(struct log_line){ .level = LEVEL_INFO, .area = area, .session = session,
			     .text = from_peer ? "C" : "S",
			     .fields = { { "line", shown },
				     { masked ? "secret" : NULL, SPAN("***") } } });
}
