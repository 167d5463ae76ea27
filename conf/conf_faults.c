/*
 * conf_faults.c - the list of what is wrong.
 */
#include "conf/conf_faults.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/base/ascii.h"

void
conf_faults_init(struct conf_faults *faults)
{
	*faults = (struct conf_faults){ 0 };
	arena_init(&faults->arena, NULL);
}

void
conf_faults_fini(struct conf_faults *faults)
{
	arena_reset(&faults->arena);
	conf_faults_init(faults);
}

struct span
conf_printable(struct arena *a, struct span text)
{
	struct span cut = span_range(text, 0, CONF_FAULT_TEXT_MAX);
	char *copy = arena_alloc(a, cut.len + 1);

	for (size_t i = 0; i < cut.len; i++)
		copy[i] = ascii_is_control(cut.ptr[i]) || ascii_is_8bit(cut.ptr[i]) ? '?'
										     : cut.ptr[i];
	return (struct span){ copy, cut.len };
}

static PRINTF_LIKE(5, 0) void
add(struct conf_faults *faults, struct yaml_place at, struct span key, bool is_warning,
	const char *format, va_list args)
{
	char text[CONF_FAULT_TEXT_MAX + 1];
	struct conf_fault *fault;
	int len = vsnprintf(text, sizeof(text), format, args);

	faults->errors += !is_warning;
	if (faults->count == CONF_FAULTS_MAX) {
		faults->left_off++;
		return;
	}
	fault = &faults->items[faults->count++];
	fault->line = at.line;
	fault->column = at.column;
	fault->is_warning = is_warning;
	fault->key = conf_printable(&faults->arena, key);
	fault->text = conf_printable(&faults->arena,
		(struct span){ text,
			len < CONF_FAULT_TEXT_MAX ? (size_t)len : CONF_FAULT_TEXT_MAX });
}

void
conf_fault_add(
	struct conf_faults *faults, struct yaml_place at, struct span key, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(faults, at, key, false, format, args);
	va_end(args);
}

void
conf_warning_add(
	struct conf_faults *faults, struct yaml_place at, struct span key, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(faults, at, key, true, format, args);
	va_end(args);
}

static int
by_place(const void *a, const void *b)
{
	const struct conf_fault *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->column == y->column ? 0 : x->column < y->column ? -1 : 1;
}

void
conf_faults_sort(struct conf_faults *faults)
{
	qsort(faults->items, faults->count, sizeof(faults->items[0]), by_place);
}

enum err
conf_fault_put(const struct conf_fault *fault, const char *path, struct buf *out)
{
	if (buf_put(out, span_of(path)) != OK)
		return ERR_LIMIT;
	if (fault->line > 0 && buf_printf(out, ":%u:%u", fault->line, fault->column) != OK)
		return ERR_LIMIT;
	if (buf_put(out, fault->is_warning ? SPAN(": warning: ") : SPAN(": ")) != OK)
		return ERR_LIMIT;
	if (fault->key.len > 0 && buf_printf(out, "%.*s: ", SPAN_FMT(fault->key)) != OK)
		return ERR_LIMIT;
	return buf_put(out, fault->text);
}
