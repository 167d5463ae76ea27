/*
 * conf_page.c - the page of settings: the rows as tables, one for each section of the file.
 */
#include "conf/conf_page.h"

#include <stdio.h>
#include <string.h>

#include "conf/conf_shapes.h"
#include "conf/conf_value.h"

static const char intro[] =
	"# Settings\n\n"
	"One YAML file, by default `/etc/postroom/postroom.yaml`. Every key has a default, so a short\n"
	"file is a good file. This page is made from the rows of `conf/settings.h`; the unit tests of\n"
	"conf/ fail when it is out of date and write the present one to `build/settings.md`.\n\n"
	"- Paths are relative to the folder the server was started in.\n"
	"- Sizes are bytes, or with `KB`, `MB`, `GB`, `TB`, 1024 each. Times are seconds, or with `ms`,\n"
	"  `s`, `m`, `h`, `d`, `w`.\n"
	"- A secret is a text, `{file: PATH}` or `{sealed: NAME}`.\n"
	"- Not allowed: unknown or duplicate keys, anchors, aliases, tags, more than 1 MiB, nesting beyond\n"
	"  16. All faults are reported at once, with line and column.\n"
	"- The file belongs to root or the server's user and is not writable by others; with a password\n"
	"  in it, not readable by others.\n"
	"- Needs: *nothing*, sessions follow at their next command; *reload*, listeners or files are\n"
	"  opened anew when it is applied; *restart*, from the next start on.\n";

static enum err
put_form(const struct setting *row, struct buf *out)
{
	struct span rest = span_of(row->unit), word;

	if (buf_put(out, span_of(setting_type_name(row->type))) != OK)
		return ERR_LIMIT;
	if (row->type != SETTING_CHOICE && row->type != SETTING_WORDS)
		return OK;
	for (bool first = true; rest.len > 0; first = false) {
		span_cut(rest, '|', &word, &rest);
		if (buf_printf(out, "%s`%.*s`", first ? ": " : ", ", SPAN_FMT(word)) != OK)
			return ERR_LIMIT;
	}
	return OK;
}

static bool
has_bounds(const struct setting *row)
{
	return row->type >= SETTING_SIZE && row->type <= SETTING_SEATS;
}

static enum err
put_row(const struct setting *row, struct buf *out)
{
	if (buf_printf(out, "| `%s` | ", row->key) != OK || put_form(row, out) != OK)
		return ERR_LIMIT;
	if (has_bounds(row) &&
		(buf_put(out, SPAN(", ")) != OK || conf_value_put_text(row, &row->min, out) != OK ||
			buf_put(out, SPAN(" to ")) != OK ||
			conf_value_put_text(row, &row->max, out) != OK))
		return ERR_LIMIT;
	if (setting_is_required(row))
		return buf_printf(out, " | required | %s | %s |\n", setting_needs_name(row->needs),
			row->help);
	return buf_printf(out, " | %s%s%s | %s | %s |\n", row->fallback[0] ? "`" : "",
		row->fallback[0] ? row->fallback : "empty", row->fallback[0] ? "`" : "",
		setting_needs_name(row->needs), row->help);
}

static enum err
put_heading(const char *text, size_t len, struct buf *out)
{
	return buf_printf(out,
		"\n## %.*s\n\n| key | what it is | default | needs | meaning |\n"
		"| --- | --- | --- | --- | --- |\n",
		(int)len, text);
}

static size_t
section_length(const char *key)
{
	return strcspn(key, ".");
}

static bool
is_new_section(size_t i)
{
	size_t len = section_length(settings[i].key);

	return i == 0 || len != section_length(settings[i - 1].key) ||
	       strncmp(settings[i].key, settings[i - 1].key, len) != 0;
}

/* Keys without a section come first, together; what repeats comes last. */
static enum err
put_sections(struct buf *out)
{
	if (put_heading("At the top", 10, out) != OK)
		return ERR_LIMIT;
	for (size_t i = 0; i < SETTINGS_COUNT; i++)
		if (strchr(settings[i].key, '.') == NULL && put_row(&settings[i], out) != OK)
			return ERR_LIMIT;
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		if (strchr(settings[i].key, '.') == NULL)
			continue;
		if (is_new_section(i) &&
			put_heading(settings[i].key, section_length(settings[i].key), out) != OK)
			return ERR_LIMIT;
		if (put_row(&settings[i], out) != OK)
			return ERR_LIMIT;
	}
	return OK;
}

static enum err
put_shape(const struct setting *list, struct buf *out)
{
	const struct conf_shape *shape = conf_shape_of(list->type);
	char heading[CONF_KEY_MAX];
	int len = snprintf(heading, sizeof(heading), "Each of %s", list->key);

	if (put_heading(heading, (size_t)len, out) != OK)
		return ERR_LIMIT;
	for (size_t i = 0; i < shape->count; i++)
		if (put_row(&shape->rows[i], out) != OK)
			return ERR_LIMIT;
	return OK;
}

enum err
conf_page_put(struct buf *out)
{
	if (buf_put(out, SPAN(intro)) != OK || put_sections(out) != OK)
		return ERR_LIMIT;
	for (size_t i = 0; i < SETTINGS_COUNT; i++)
		if (setting_is_shape(settings[i].type) && put_shape(&settings[i], out) != OK)
			return ERR_LIMIT;
	return buf_put(out, SPAN("\nNames under `services`: smtp, submission, submissions, pop3, pop3s, "
				 "imap, imaps, lmtp,\nldap, finger, password, metrics.\n"));
}
