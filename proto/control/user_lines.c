/*
 * user_lines.c - see user_lines.h.
 */
#include "proto/control/user_lines.h"

#include <string.h>

enum cell_kind { CELL_TEXT, CELL_FLAG, CELL_COUNT };

static const struct column {
	const char *member, *title;
	enum cell_kind kind;
	unsigned layouts; /* in which of them it stands; 0: in all */
} columns_all[] = {
#define X(member, title, kind, layouts) { #member, title, CELL_##kind, layouts },
	USER_COLUMN_ROWS(X)
#undef X
};

_Static_assert(COUNT(columns_all) == USER_COLUMNS, "a row a column");
_Static_assert(USER_COLUMNS <= CSV_FIELDS_MAX, "a line has room");

const char *
user_column_member(enum user_column column)
{
	return columns_all[column].member;
}

static bool
in_layout(const struct column *column, unsigned layout)
{
	return column->layouts == USER_IN_ALL || (column->layouts & layout);
}

/* ---- out ---- */

enum err
user_titles_put(struct buf *out, unsigned layout)
{
	enum err err = OK;

	for (size_t i = 0; i < USER_COLUMNS && err == OK; i++)
		if (in_layout(&columns_all[i], layout))
			err = csv_put_text(out, span_of(columns_all[i].title), i > 0);
	return err == OK ? buf_put(out, SPAN("\r\n")) : err;
}

enum err
user_line_put(struct buf *out, const struct user_line *line, unsigned layout)
{
	enum err err = OK;

	for (size_t i = 0; i < USER_COLUMNS && err == OK; i++) {
		const struct column *column = &columns_all[i];

		if (!in_layout(column, layout))
			continue;
		if (column->kind == CELL_TEXT)
			err = csv_put_text(out, line->cells[i].text, i > 0);
		else if (buf_put(out, i > 0 ? SPAN(",") : SPAN("")) == OK)
			err = buf_put_u64(out, line->cells[i].number);
		else
			err = ERR_LIMIT;
	}
	return err == OK ? buf_put(out, SPAN("\r\n")) : err;
}

/* ---- titles ---- */

bool
user_line_is_titles(struct span line)
{
	while (line.len > 0 && (line.ptr[0] == '"' || line.ptr[0] == ' '))
		line = span_from(line, 1);
	return span_eq_nocase(span_range(line, 0, strlen("user id")), SPAN("user id"));
}

static enum err
bad(const char **why, const char *text)
{
	*why = text;
	return ERR_SYNTAX;
}

static enum err
title_find(struct span title, uint8_t *out)
{
	for (uint8_t i = 0; i < USER_COLUMNS; i++)
		if (span_eq_nocase(title, span_of(columns_all[i].title))) {
			*out = i;
			return OK;
		}
	return ERR_NOT_FOUND;
}

enum err
user_titles_parse(
	struct arena *a, struct span line, struct user_columns *columns, const char **why)
{
	struct span fields[CSV_FIELDS_MAX];
	bool seen[USER_COLUMNS] = { false };

	if (csv_parse(a, line, fields, &columns->count) != OK || columns->count > USER_COLUMNS)
		return bad(why, "these are not the titles of users");
	for (size_t i = 0; i < columns->count; i++) {
		if (title_find(fields[i], &columns->at[i]) != OK)
			return bad(why, "a title is not one that `user export` writes");
		if (seen[columns->at[i]])
			return bad(why, "a title stands there twice");
		seen[columns->at[i]] = true;
	}
	return OK;
}

/* ---- in ---- */

static bool
layout_of_count(size_t count, unsigned *layout)
{
	static const unsigned layouts[] = { USER_IN_ALL, USER_IN_PASSWORDS, USER_IN_VERBOSE,
		USER_IN_VERBOSE | USER_IN_PASSWORDS };

	for (size_t i = 0; i < COUNT(layouts); i++) {
		size_t columns = 0;

		for (size_t c = 0; c < USER_COLUMNS; c++)
			columns += in_layout(&columns_all[c], layouts[i]);
		if (columns != count)
			continue;
		*layout = layouts[i];
		return true;
	}
	return false;
}

static enum err
columns_by_count(size_t count, struct user_columns *out, const char **why)
{
	unsigned layout;

	if (!layout_of_count(count, &layout))
		return bad(why, "has not 2, 3, 13 or 14 columns");
	out->count = 0;
	for (uint8_t i = 0; i < USER_COLUMNS; i++)
		if (in_layout(&columns_all[i], layout))
			out->at[out->count++] = i;
	return OK;
}

static bool
flag_parse(struct span field, uint64_t *out)
{
	static const struct {
		struct span word;
		uint64_t number;
	} words[] = { { { "1", 1 }, 1 }, { { "0", 1 }, 0 }, { { "", 0 }, 0 }, { { "yes", 3 }, 1 },
		{ { "no", 2 }, 0 }, { { "true", 4 }, 1 }, { { "false", 5 }, 0 } };

	for (size_t i = 0; i < COUNT(words); i++)
		if (span_eq_nocase(field, words[i].word)) {
			*out = words[i].number;
			return true;
		}
	return false;
}

static enum err
cell_parse(const struct column *column, struct span field, struct user_cell *cell, const char **why)
{
	cell->present = true;
	if (column->kind == CELL_TEXT) {
		cell->text = field;
		return OK;
	}
	if (column->kind == CELL_COUNT)
		return field.len == 0 || span_u64(field, UINT32_MAX, &cell->number) == OK
			       ? OK
			       : bad(why, "the size in kB is no number");
	return flag_parse(field, &cell->number) ? OK : bad(why, "a flag is neither 1 nor 0");
}

enum err
user_line_parse(struct arena *a, struct span line, const struct user_columns *columns,
	struct user_line *out, const char **why)
{
	struct span fields[CSV_FIELDS_MAX];
	struct user_columns by_count;
	size_t count;
	enum err err = OK;

	*out = (struct user_line){ 0 };
	if (csv_parse(a, line, fields, &count) != OK)
		return bad(why, "is no line of a CSV file");
	if (!columns) {
		err = columns_by_count(count, &by_count, why);
		columns = &by_count;
	}
	if (err == OK && count != columns->count)
		return bad(why, "has not as many columns as the titles");
	for (size_t i = 0; i < count && err == OK; i++)
		err = cell_parse(&columns_all[columns->at[i]], fields[i],
			&out->cells[columns->at[i]], why);
	if (err == OK && out->cells[USER_COLUMN_name].text.len == 0)
		return bad(why, "has no name");
	return err;
}

/* ---- bulk lines ---- */

static struct span
skip_blanks(struct span s)
{
	while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
		s = span_from(s, 1);
	return s;
}

/* A word, or what stands in double quotes; a doubled quote in there is one. */
static enum err
word_take(struct arena *a, struct span *rest, struct span *word)
{
	size_t end;

	*rest = skip_blanks(*rest);
	if (rest->len == 0 || rest->ptr[0] != '"') {
		end = span_find_any(*rest, SPAN(" \t"));
		*word = span_range(*rest, 0, end);
		*rest = span_from(*rest, end);
		return OK;
	}
	if (csv_take_quoted(a, rest, word) != OK)
		return ERR_SYNTAX;
	return rest->len == 0 || span_find_any(*rest, SPAN(" \t")) == 0 ? OK : ERR_SYNTAX;
}

/* The first word of *REST, without its quotes; *REST is what follows. */
static struct span
title_take(struct span *rest)
{
	size_t from = 0, end;
	struct span word;

	while (from < rest->len && span_find(SPAN("\", \t;"), rest->ptr[from]) < 5)
		from++;
	*rest = span_from(*rest, from);
	end = span_find_any(*rest, SPAN("\", \t;"));
	word = span_range(*rest, 0, end);
	*rest = span_from(*rest, end);
	return word;
}

bool
bulk_line_is_titles(struct span line)
{
	static const char *const names[] = { "name", "user", "username", "login", "user_name" };
	struct span name = title_take(&line);

	if (!span_eq_nocase(title_take(&line), SPAN("password")))
		return false;
	for (size_t i = 0; i < COUNT(names); i++)
		if (span_eq_nocase(name, span_of(names[i])))
			return true;
	return false;
}

bool
bulk_line_is_csv(struct arena *a, struct span line)
{
	struct span fields[CSV_FIELDS_MAX];
	uint64_t flag;
	size_t count;

	if (csv_parse(a, line, fields, &count) != OK || (count != 2 && count != 3) ||
		fields[1].len == 0 || span_eq(fields[1], SPAN("0")) || span_eq(fields[1], SPAN("1")))
		return false;
	/* "name,no,$y$...": its hash must not become a comment, which all may see */
	return count == 2 || !flag_parse(fields[1], &flag) || !span_starts(fields[2], SPAN("$"));
}

static enum err
words_parse(struct arena *a, struct span rest, struct bulk_line *out, const char **why)
{
	if (word_take(a, &rest, &out->name) != OK || word_take(a, &rest, &out->password) != OK)
		return bad(why, "a double quote is not closed, or something stands behind it");
	rest = span_trim(rest);
	if (rest.len == 0 || rest.ptr[0] != '"') {
		out->comment = rest;
		return OK;
	}
	if (word_take(a, &rest, &out->comment) != OK || span_trim(rest).len > 0)
		return bad(why, "the double quotes of the comment do not fit");
	return OK;
}

static enum err
commas_parse(struct arena *a, struct span line, struct bulk_line *out, const char **why)
{
	struct span fields[CSV_FIELDS_MAX];
	size_t count;

	if (csv_parse(a, line, fields, &count) != OK || count > 3)
		return bad(why, "is not name,password,comment");
	out->name = fields[0];
	out->password = count > 1 ? fields[1] : SPAN_NONE;
	out->comment = count > 2 ? fields[2] : SPAN_NONE;
	return OK;
}

/* A name has neither blank nor comma, so the first of them tells. */
static bool
has_commas(struct span line)
{
	size_t from = 0, at;

	if (line.len > 0 && line.ptr[0] == '"')
		from = 1 + span_find(span_from(line, 1), '"');
	at = from + span_find_any(span_from(line, from), SPAN(" \t,"));
	return at < line.len && line.ptr[at] == ',';
}

enum err
bulk_line_parse(struct arena *a, struct span line, struct bulk_line *out, const char **why)
{
	enum err err;

	*out = (struct bulk_line){ .comment = SPAN_NONE };
	line = skip_blanks(line);
	err = has_commas(line) ? commas_parse(a, line, out, why) : words_parse(a, line, out, why);
	if (err != OK)
		return err;
	if (out->name.len == 0)
		return bad(why, "has no name");
	return out->password.len > 0 ? OK : bad(why, "has no password");
}
