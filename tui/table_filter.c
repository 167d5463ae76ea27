/*
 * table_filter.c - Tab in the line of a filter: the fields that a word may begin with.
 */
#include <stdio.h>
#include <string.h>

#include "proto/control/control_filter.h"
#include "tui/table_inside.h"

#define FIELDS_MAX 64

struct fields {
	struct span names[FIELDS_MAX];
	size_t count;
};

static void
field_add(struct fields *f, struct span name, struct span begin)
{
	if (f->count == FIELDS_MAX || name.len <= begin.len ||
		!span_eq_nocase(span_range(name, 0, begin.len), begin))
		return;
	for (size_t i = 0; i < f->count; i++)
		if (span_eq(f->names[i], name))
			return;
	f->names[f->count++] = name;
}

/* Has the list one of the columns that the word stands for? */
static bool
has_column(const struct screen *s, const char *columns)
{
	struct span rest = span_of(columns), one;

	while (rest.len > 0) {
		(void)span_cut(rest, ' ', &one, &rest);
		if (control_schema_find(&s->columns, one))
			return true;
	}
	return columns[0] == '\0';
}

static void
fields_find(const struct screen *s, struct span begin, struct fields *f)
{
	static const struct {
		const char *word, *columns;
	} words[] = {
#define X(word, columns) { word, columns },
		CONTROL_FILTER_FIELDS(X)
#undef X
	};

	*f = (struct fields){ .count = 0 };
	for (size_t i = 0; i < COUNT(words); i++)
		if (has_column(s, words[i].columns))
			field_add(f, span_of(words[i].word), begin);
	for (size_t i = 0; i < s->columns.count; i++)
		field_add(f, s->columns.items[i].name, begin);
}

static size_t
common(const struct fields *f)
{
	size_t len = f->names[0].len;

	for (size_t i = 1; i < f->count; i++) {
		size_t same = 0;

		while (same < len && same < f->names[i].len &&
			f->names[i].ptr[same] == f->names[0].ptr[same])
			same++;
		len = same;
	}
	return len;
}

void
table_filter_complete(struct screen *s, struct prompt *p)
{
	struct span text = line_edit_text(&p->edit), begin;
	struct fields f;
	struct arena a;
	size_t at = text.len;
	struct buf note;

	while (at > 0 && text.ptr[at - 1] != ' ' && text.ptr[at - 1] != '-')
		at--;
	begin = span_from(text, at);
	fields_find(s, begin, &f);
	if (f.count == 0)
		return;
	arena_init(&a, NULL);
	line_edit_set(&p->edit,
		arena_printf(&a, "%.*s%.*s%s", SPAN_FMT(span_range(text, 0, at)),
			SPAN_FMT(span_range(f.names[0], 0, common(&f))), f.count == 1 ? ":" : ""));
	arena_reset(&a);
	buf_init(&note, PRINT_MAX);
	for (size_t i = 0; i < f.count && f.count > 1; i++) {
		print_put(&note, i ? SPAN(" ") : SPAN(""));
		print_put(&note, f.names[i]);
	}
	snprintf(p->note, sizeof(p->note), "%.*s", SPAN_FMT(span_range(buf_span(&note), 0, 90)));
	buf_fini(&note);
}
