/*
 * conf_history.c - copies beside the file, and the ways that change it on disk.
 */
#include "conf/conf_history.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf_file.h"
#include "conf/yaml_tree.h"
#include "proto/base/ascii.h"

#define NUMBERS_MAX (2 * CONF_HISTORY_KEEP) /* copies that are looked at in the folder */
#define TEXT_MAX (16 * 1024 * 1024) /* bytes of a text; rule files are longer than this one's */
#define PATH_SIZE 2048                      /* of names in the folder; longer ones are ERR_IO */

struct numbers {
	uint32_t items[NUMBERS_MAX]; /* the highest first */
	size_t count;
};

static bool
history_path(const char *path, uint32_t number, const char *kind, char *out)
{
	int len = number == 0 ? snprintf(out, PATH_SIZE, "%s.history", path)
			      : snprintf(out, PATH_SIZE, "%s.history/%08u.%s", path, number, kind);

	return len > 0 && len < PATH_SIZE;
}

static int
higher_first(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x == *y ? 0 : *x > *y ? -1 : 1;
}

static void
take_name(struct span name, struct numbers *out)
{
	struct span digits, kind;
	uint64_t number;

	if (!span_cut(name, '.', &digits, &kind) || !span_eq(kind, SPAN("yaml")) ||
		span_u64(digits, UINT32_MAX - 1, &number) != OK || number == 0)
		return;
	if (out->count < NUMBERS_MAX)
		out->items[out->count++] = (uint32_t)number;
}

static enum err
read_numbers(const char *path, struct numbers *out)
{
	char folder[PATH_SIZE];
	const struct dirent *entry;
	DIR *dir;

	out->count = 0;
	if (!history_path(path, 0, "", folder))
		return ERR_IO;
	dir = opendir(folder);
	if (dir == NULL)
		return errno == ENOENT ? OK : ERR_IO;
	while ((entry = readdir(dir)) != NULL)
		take_name(span_of(entry->d_name), out);
	closedir(dir);
	qsort(out->items, out->count, sizeof(out->items[0]), higher_first);
	return OK;
}

static enum err
put_clean(struct buf *out, const char *word, struct span text)
{
	text = span_range(text, 0, CONF_NOTE_MAX);
	if (buf_printf(out, "%s ", word) != OK)
		return ERR_LIMIT;
	for (size_t i = 0; i < text.len; i++)
		if (buf_put_char(out, ascii_is_control(text.ptr[i]) ? '?' : text.ptr[i]) != OK)
			return ERR_LIMIT;
	return buf_put_char(out, '\n');
}

static enum err
write_note(const char *path, uint32_t number, const struct conf_note *note)
{
	char name[PATH_SIZE];
	struct buf text;
	enum err err = ERR_IO;

	buf_init(&text, 4 * CONF_NOTE_MAX);
	if (history_path(path, number, "note", name) &&
		buf_printf(&text, "time_ms %lld\n", (long long)note->time_ms) == OK &&
		put_clean(&text, "who", note->who) == OK &&
		put_clean(&text, "what", note->what) == OK)
		err = conf_file_replace(name, buf_span(&text), NULL);
	buf_fini(&text);
	return err;
}

static void
forget_oldest(const char *path, const struct numbers *numbers)
{
	char name[PATH_SIZE];

	for (size_t i = CONF_HISTORY_KEEP - 1; i < numbers->count; i++) {
		if (history_path(path, numbers->items[i], "yaml", name))
			unlink(name);
		if (history_path(path, numbers->items[i], "note", name))
			unlink(name);
	}
}

enum err
conf_history_add(
	const char *path, struct span text, const struct conf_note *note, uint32_t *number)
{
	char name[PATH_SIZE];
	struct numbers numbers;
	enum err err;

	if (!history_path(path, 0, "", name) || (mkdir(name, 0700) != 0 && errno != EEXIST))
		return ERR_IO;
	err = read_numbers(path, &numbers);
	if (err != OK)
		return err;
	*number = numbers.count > 0 ? numbers.items[0] + 1 : 1;
	/* The note first: a copy without one would be a change by nobody. */
	err = write_note(path, *number, note);
	if (err == OK && history_path(path, *number, "yaml", name))
		err = conf_file_replace(name, text, NULL);
	if (err == OK)
		forget_oldest(path, &numbers);
	return err;
}

static void
read_note(const char *path, uint32_t number, struct arena *a, struct conf_note *out)
{
	struct span rest, line, word, value;
	char name[PATH_SIZE];
	uint64_t time_ms = 0;
	struct stat st;

	if (!history_path(path, number, "note", name) || conf_file_read(name, a, &rest, &st) != OK)
		return;
	while (span_next_line(&rest, &line)) {
		span_cut(line, ' ', &word, &value);
		if (span_eq(word, SPAN("time_ms")) && span_u64(value, INT64_MAX, &time_ms) == OK)
			out->time_ms = (int64_t)time_ms;
		else if (span_eq(word, SPAN("who")))
			out->who = value;
		else if (span_eq(word, SPAN("what")))
			out->what = value;
	}
}

enum err
conf_history_list(const char *path, struct arena *a, struct conf_past **out, size_t *count)
{
	struct numbers numbers;
	enum err err = read_numbers(path, &numbers);

	*count = 0;
	if (err != OK)
		return err;
	*out = ARENA_ARRAY(a, struct conf_past, numbers.count + 1);
	for (size_t i = 0; i < numbers.count; i++) {
		struct conf_past *past = &(*out)[(*count)++];

		past->number = numbers.items[i];
		read_note(path, past->number, a, &past->note);
	}
	return OK;
}

enum err
conf_history_text(const char *path, uint32_t number, struct arena *a, struct span *out)
{
	char name[PATH_SIZE];
	struct stat st;

	if (number == 0 || !history_path(path, number, "yaml", name))
		return ERR_NOT_FOUND;
	return conf_file_read_max(name, TEXT_MAX, a, out, &st);
}

/* History first, then the file: a crash in between leaves a copy too many, never one too few. */
static enum err
write_change(const char *path, struct span old, struct span text, const struct stat *like,
	const struct conf_note *note)
{
	uint32_t number;
	enum err err;

	if (span_eq(old, text))
		return OK;
	err = conf_history_add(path, old, note, &number);
	return err == OK ? conf_file_replace(path, text, like) : err;
}

static enum err
undo_to(const char *path, uint32_t number, struct span last_read, struct arena *a,
	const struct conf_note *note, struct buf *out, struct conf_faults *faults)
{
	struct span now, text;
	struct numbers numbers;
	struct conf *conf;
	struct stat st;
	enum err err = read_numbers(path, &numbers);

	if (err == OK && number == 0 && numbers.count > 0)
		number = numbers.items[0];
	if (err == OK)
		err = conf_history_text(path, number, a, &text);
	if (err == OK)
		err = conf_file_read(path, a, &now, &st);
	if (err == OK && !span_eq(now, last_read))
		err = ERR_BUSY;
	if (err == OK)
		err = conf_load(text, &conf, faults);
	if (err != OK)
		return err;
	conf_free(&conf);
	err = write_change(path, now, text, &st, note);
	return err == OK ? buf_put(out, text) : err;
}

enum err
conf_history_undo(const char *path, uint32_t number, struct span last_read,
	const struct conf_note *note, struct buf *out, struct conf_faults *faults)
{
	struct arena arena;
	enum err err;

	arena_init(&arena, NULL);
	err = undo_to(path, number, last_read, &arena, note, out, faults);
	arena_reset(&arena);
	return err;
}

enum err
conf_history_take_back(const char *path, uint32_t number)
{
	struct span before, now;
	char name[PATH_SIZE];
	struct arena arena;
	struct stat st;
	enum err err;

	arena_init(&arena, NULL);
	err = conf_history_text(path, number, &arena, &before);
	if (err == OK)
		err = conf_file_read_max(path, TEXT_MAX, &arena, &now, &st); /* its owner and mode */
	if (err == OK)
		err = conf_file_replace(path, before, &st);
	if (err == OK && history_path(path, number, "yaml", name))
		unlink(name);
	if (err == OK && history_path(path, number, "note", name))
		unlink(name);
	arena_reset(&arena);
	return err;
}

/* The bytes of KEY's value in TEXT, empty where it is not there. */
static struct span
raw_value(struct span text, const struct yaml_tree *tree, struct span key)
{
	const struct yaml_node *node = yaml_find(tree, key);

	return node != NULL ? span_range(text, node->start.offset, node->end.offset) : SPAN_NONE;
}

/* ERR_BUSY: somebody else changed one of the keys that CHANGES are about; ERR_SYNTAX: broke it. */
static enum err
look_for_clash(struct span ours, struct span theirs, const struct conf_change *changes, size_t count,
	struct arena *a, struct conf_faults *faults)
{
	struct yaml_tree old, now;

	if (yaml_tree_build(theirs, a, &now, faults) != OK)
		return ERR_SYNTAX;
	if (yaml_tree_build(ours, a, &old, faults) != OK)
		return ERR_BUSY;
	for (size_t i = 0; i < count; i++)
		if (!span_eq(raw_value(ours, &old, changes[i].key),
			    raw_value(theirs, &now, changes[i].key)))
			return ERR_BUSY;
	return OK;
}

enum err
conf_edit_save(const char *path, struct span last_read, const struct conf_change *changes,
	size_t count, const struct conf_note *note, struct buf *out, struct conf_faults *faults)
{
	struct arena arena;
	struct span now;
	struct stat st;
	enum err err;

	arena_init(&arena, NULL);
	err = conf_file_read(path, &arena, &now, &st);
	if (err == OK && !span_eq(now, last_read))
		err = look_for_clash(last_read, now, changes, count, &arena, faults);
	if (err == OK)
		err = conf_edit_all(now, changes, count, out, faults);
	if (err == OK)
		err = write_change(path, now, buf_span(out), &st, note);
	arena_reset(&arena);
	return err;
}

enum err
conf_text_save(const char *path, struct span was, struct span text, const struct conf_note *note,
	struct conf_faults *faults)
{
	struct conf *conf = NULL;
	struct arena arena;
	struct span now;
	struct stat st;
	enum err err = conf_load(text, &conf, faults);

	if (err != OK)
		return err;
	conf_free(&conf);
	arena_init(&arena, NULL);
	err = conf_file_read(path, &arena, &now, &st);
	if (err == OK && !span_eq(now, was))
		err = ERR_BUSY;
	if (err == OK)
		err = write_change(path, now, text, &st, note);
	arena_reset(&arena);
	return err;
}
