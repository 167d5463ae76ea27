/*
 * log_tail.c - reading lines back: a filter over one line, the last lines of a file.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/log_ring.h"

#define TAIL_BLOCK (64 * 1024)
#define TAIL_LOOK_MAX (64 * 1024 * 1024) /* bytes of a file that are searched */
#define TAIL_PATH_MAX 1024

static bool
word_is(const char *wanted, struct span word)
{
	return wanted[0] == '\0' || span_eq(span_of(wanted), word);
}

bool
log_filter_passes(const struct log_filter *f, struct span line)
{
	struct span rest = line, words[4]; /* time, level, area, session */
	enum log_level level;

	for (size_t i = 0; i < COUNT(words); i++) {
		if (!span_cut(rest, ' ', &words[i], &rest))
			return false;
	}
	if (log_level_find(words[1], &level) != OK || level > f->level)
		return false;
	if (!word_is(f->area, words[2]) || !word_is(f->session, words[3]))
		return false;
	return f->text[0] == '\0' || span_find_span_nocase(line, span_of(f->text)) < line.len;
}

static enum err
read_file(int fd, int64_t from, size_t size, struct buf *into)
{
	char *room = buf_reserve(into, size);
	ssize_t n;

	if (!room)
		return ERR_LIMIT;
	n = pread(fd, room, size, from);
	if (n < 0)
		return ERR_IO;
	buf_added(into, (size_t)n);
	return OK;
}

static size_t
count_passing(struct span text, const struct log_filter *filter)
{
	struct span line;
	size_t n = 0;

	while (span_next_line(&text, &line))
		n += log_filter_passes(filter, line);
	return n;
}

static enum err
put_last(struct span text, const struct log_filter *filter, size_t lines, struct buf *out)
{
	size_t passing = count_passing(text, filter);
	size_t skip = passing > lines ? passing - lines : 0;
	struct span line;

	while (span_next_line(&text, &line)) {
		if (!log_filter_passes(filter, line))
			continue;
		if (skip > 0) {
			skip--;
			continue;
		}
		if (buf_put(out, line) != OK || buf_put_char(out, '\n') != OK)
			return ERR_LIMIT;
	}
	return OK;
}

/* Looks at twice as much from the end until enough lines pass or the limit is reached. */
static enum err
tail_fd(int fd, const struct log_filter *filter, size_t lines, struct buf *out)
{
	struct stat st;
	int64_t look = TAIL_BLOCK;
	enum err err;

	if (fstat(fd, &st) != 0)
		return ERR_IO;
	for (;; look *= 4) {
		int64_t from = st.st_size > look ? st.st_size - look : 0;
		struct buf text;
		struct span whole;
		bool enough;

		buf_init(&text, (size_t)look + 1);
		err = read_file(fd, from, (size_t)(st.st_size - from), &text);
		whole = buf_span(&text);
		if (from > 0) /* the first line may be cut */
			whole = span_from(whole, span_find(whole, '\n') + 1);
		enough = from == 0 || look >= TAIL_LOOK_MAX ||
			count_passing(whole, filter) >= lines;
		if (err == OK && enough)
			err = put_last(whole, filter, lines, out);
		buf_fini(&text);
		if (err != OK || enough)
			return err;
	}
}

enum err
log_tail(struct log_writer *w, const char *file, const struct log_filter *filter, size_t lines,
	struct buf *out)
{
	char path[TAIL_PATH_MAX];
	enum err err;
	int fd;

	log_writer_sync(w);
	if (!log_writer_path(w, file, path, sizeof(path)))
		return ERR_NOT_FOUND;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return ERR_NOT_FOUND;
	err = tail_fd(fd, filter, lines, out);
	close(fd);
	return err;
}
