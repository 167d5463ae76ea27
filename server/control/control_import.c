/*
 * control_import.c - see control_import.h.
 */
#include "server/control/control_import.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/mail/header.h"
#include "proto/mail/mail_date.h"
#include "proto/mail/mbox.h"
#include "server/control/control_notes.h"
#include "server/server.h"
#include "store/entries.h"

#define WINDOW_STEP (256 * 1024)

static const char *const maildir_parts[] = {"cur", "new"};

enum err
import_open(struct import_source *s, struct server *server, int fd, size_t max)
{
	char start[5];
	struct stat st;

	*s = (struct import_source){.server = server, .fd = fd, .max = max};
	buf_init(&s->window, max + 2 * WINDOW_STEP);
	if (fstat(fd, &st) != 0)
		return ERR_IO;
	s->size = (uint64_t)st.st_size;
	if (S_ISDIR(st.st_mode)) {
		s->kind = IMPORT_MAILDIR;
		s->size = 0;
		return OK;
	}
	if (!S_ISREG(st.st_mode))
		return ERR_IO;
	if (pread(fd, start, sizeof(start), 0) == sizeof(start) && memcmp(start, "From ", 5) == 0)
		s->kind = IMPORT_MBOX;
	return OK;
}

void
import_close(struct import_source *s)
{
	if (s->dir)
		closedir(s->dir);
	s->dir = NULL;
	buf_fini(&s->window);
}

/* ---- flags and dates ---- */

static uint32_t
letters(struct span text, const char *from, const uint32_t *to)
{
	uint32_t flags = 0;

	for (size_t i = 0; from[i]; i++)
		if (span_find(text, from[i]) < text.len)
			flags |= to[i];
	return flags;
}

uint32_t
import_status_flags(struct span header)
{
	static const uint32_t status[] = {FLAG_SEEN};
	static const uint32_t extended[] = {FLAG_ANSWERED, FLAG_FLAGGED, FLAG_DELETED, FLAG_DRAFT};

	return letters(header_find(header, SPAN("Status")), "R", status) |
	       letters(header_find(header, SPAN("X-Status")), "AFDT", extended);
}

uint32_t
import_maildir_flags(struct span name)
{
	static const uint32_t flags[] = {
		FLAG_SEEN, FLAG_ANSWERED, FLAG_FLAGGED, FLAG_DELETED, FLAG_DRAFT};
	size_t at = span_find_span(name, SPAN(":2,"));

	return at < name.len ? letters(span_from(name, at + 3), "SRFTD", flags) : 0;
}

static void
message_finish(struct import_source *s, struct arena *a, struct import_message *m, int64_t mtime_s)
{
	struct header_end end = {0};
	struct mail_date date;
	struct span header;

	if (m->text.len == 0)
		m->fault = "is empty";
	else if (m->text.len > s->max)
		m->fault = "is larger than limits.message_size";
	else if (span_find(m->text, '\0') < m->text.len)
		m->fault = "holds a NUL byte";
	if (m->fault)
		return;
	m->text = control_crlf(a, m->text);
	header = span_range(m->text, 0, header_end_find(&end, m->text));
	if (header.len > HEADER_SIZE_MAX) {
		m->fault = "has a header over 1 MiB";
		return;
	}
	m->flags |= import_status_flags(header);
	m->date_s = mtime_s;
	if (mail_date_parse(header_find(header, SPAN("Date")), &date) == OK && date.seconds > 0)
		m->date_s = date.seconds;
}

/* ---- mbox ---- */

static enum err
window_fill(struct import_source *s)
{
	char *room = buf_reserve(&s->window, WINDOW_STEP);
	ssize_t n;

	if (!room)
		return ERR_LIMIT;
	do
		n = pread(s->fd, room, WINDOW_STEP, (off_t)s->at);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return ERR_IO;
	buf_added(&s->window, (size_t)n);
	s->at += (uint64_t)n;
	s->eof = n == 0;
	return OK;
}

static enum err
mbox_next(struct import_source *s, struct arena *a, struct import_message *out)
{
	struct span text = buf_span(&s->window);
	size_t border = mbox_border(text, s->scanned);
	enum err err = OK;

	while (border == text.len && !s->eof && err == OK) {
		s->scanned = text.len > 8 ? text.len - 8 : 0;
		err = window_fill(s);
		if (err == ERR_LIMIT) { /* one message fills it: give it up, look for the next */
			out->fault = "is larger than limits.message_size";
			buf_consume(&s->window, buf_span(&s->window).len - 8);
			s->scanned = 0;
			err = OK;
		}
		text = buf_span(&s->window);
		border = mbox_border(text, s->scanned);
	}
	if (err != OK)
		return err;
	if (text.len == 0)
		return ERR_NOT_FOUND;
	out->name = arena_printf(a, "message %u", ++s->number);
	if (!out->fault) {
		out->text = mbox_unquote(a, mbox_trim(span_range(text, 0, border)));
		message_finish(s, a, out, 0);
	}
	buf_consume(&s->window, border);
	s->scanned = 0;
	return OK;
}

/* ---- files ---- */

/* ERR_DENIED: no regular file. */
static enum err
file_read(struct import_source *s, int fd, struct arena *a, struct import_message *out)
{
	struct stat st;
	size_t len = 0, size;
	ssize_t n = 1;
	char *to;

	if (fstat(fd, &st) != 0)
		return ERR_IO;
	if (!S_ISREG(st.st_mode))
		return ERR_DENIED;
	if ((uint64_t)st.st_size > s->max) {
		out->fault = "is larger than limits.message_size";
		return OK;
	}
	size = (size_t)st.st_size;
	to = arena_alloc(a, size + 1);
	while (len < size && n > 0) {
		n = pread(fd, to + len, size - len, (off_t)len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			len += (size_t)n;
	}
	if (n < 0)
		return ERR_IO;
	out->text = (struct span){to, len};
	message_finish(s, a, out, (int64_t)st.st_mtime);
	return OK;
}

static enum err
eml_next(struct import_source *s, struct arena *a, struct import_message *out)
{
	if (s->number++ > 0)
		return ERR_NOT_FOUND;
	out->name = SPAN("message 1");
	s->at = s->size;
	return file_read(s, s->fd, a, out);
}

/* The next file of cur, then of new. */
static struct dirent *
maildir_file(struct import_source *s)
{
	for (;;) {
		struct dirent *entry;
		int fd;

		while (s->dir && (entry = readdir(s->dir)))
			if (entry->d_name[0] != '.')
				return entry;
		if (s->dir)
			closedir(s->dir);
		s->dir = NULL;
		if (s->dir_no == COUNT(maildir_parts))
			return NULL;
		if (server_open_in(s->server, s->fd, maildir_parts[s->dir_no++], &fd) == OK &&
			!(s->dir = fdopendir(fd)))
			close(fd);
	}
}

static enum err
maildir_next(struct import_source *s, struct arena *a, struct import_message *out)
{
	struct dirent *entry = maildir_file(s);
	enum err err;
	int fd;

	if (!entry)
		return s->number > 0 ? ERR_NOT_FOUND : ERR_IO;
	s->number++;
	s->at++;
	out->name = arena_copy(a, span_of(entry->d_name));
	out->flags = import_maildir_flags(out->name);
	if (server_open_in(s->server, dirfd(s->dir), entry->d_name, &fd) != OK) {
		out->fault = errno == ELOOP ? "is a link, no file" : "cannot be opened";
		return OK;
	}
	err = file_read(s, fd, a, out);
	close(fd);
	if (err == ERR_DENIED)
		out->fault = "is no regular file";
	else if (err != OK)
		out->fault = "cannot be read";
	return OK;
}

enum err
import_next(struct import_source *s, struct arena *a, struct import_message *out)
{
	*out = (struct import_message){0};
	switch (s->kind) {
	case IMPORT_MBOX:
		return mbox_next(s, a, out);
	case IMPORT_MAILDIR:
		return maildir_next(s, a, out);
	case IMPORT_EML:
		break;
	}
	return eml_next(s, a, out);
}
