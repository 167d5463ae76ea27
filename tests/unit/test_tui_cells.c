/*
 * test_tui_cells.c - the grid: hostile text, widths, cutting (H70); keys, themes and tables of them.
 */
#include <stdlib.h>

#include "tests/unit/test_tui.h"
#include "tui/cells.h"
#include "tui/keys.h"
#include "tui/keyset.h"
#include "tui/line_edit.h"
#include "tui/screens.h"
#include "tui/theme.h"

static const char *
screen(struct cells *c, struct buf *out)
{
	buf_clear(out);
	cells_text(c, out);
	assert_int_equal(buf_put_char(out, '\0'), OK);
	return buf_span(out).ptr;
}

static void
puts_into(bool utf8, const char *text, int cols, const char *want)
{
	struct cells c;
	struct buf out;
	char line[256];

	buf_init(&out, TEXT_MAX);
	cells_init(&c, utf8);
	cells_resize(&c, 1, 40);
	cells_put(&c, (struct rect){ 0, 0, 1, cols }, span_of(text), STYLE_PLAIN);
	snprintf(line, sizeof(line), "%s\n", want);
	assert_string_equal(screen(&c, &out), line);
	cells_fini(&c);
	buf_fini(&out);
}

static void
hostile_text_h70(void **state)
{
	(void)state;
	puts_into(true, "plain", 40, "plain");
	puts_into(true, "a\033[2Jb", 40, "a\\x1B[2Jb");
	puts_into(true, "a\xc2\x9b" "31mb", 40, "a\\x9B31mb");     /* C1 CSI */
	puts_into(true, "a\xff" "b", 40, "a\\xFFb");               /* no UTF-8 */
	puts_into(true, "a\xe2\x80\xae" "b", 40, "a\\u{202E}b");     /* right-to-left override */
	puts_into(true, "a\xe2\x80\x8b" "b", 40, "a\\u{200B}b");     /* zero width */
	puts_into(true, "a\xf3\xa0\x81\x81" "b", 40, "a\\u{E0041}b"); /* tag */
	puts_into(true, "\xcc\x81" "x", 40, "\\u{301}x");           /* a mark without its letter */
	puts_into(true, "a\nb", 40, "a");
	puts_into(true, "\x7f", 40, "\\x7F");
	puts_into(false, "\xc3\xa9", 40, "\\xE9");
	puts_into(false, "\xe2\x82\xac", 40, "\\u{20AC}");
}

static void
marks_are_cut(void **state)
{
	char text[64] = "e", want[64] = "e";

	(void)state;
	for (int i = 0; i < 12; i++)
		memcpy(text + strlen(text), "\xcc\x81", 3);
	for (int i = 0; i < 4; i++)
		memcpy(want + strlen(want), "\xcc\x81", 3);
	memcpy(text + strlen(text), "x", 2);
	memcpy(want + strlen(want), "x", 2);
	puts_into(true, text, 40, want);
}

static void
cutting(void **state)
{
	(void)state;
	puts_into(true, "abcdef", 6, "abcdef");
	puts_into(true, "abcdef", 5, "abcd~");
	puts_into(true, "abcdef", 1, "~");
	puts_into(true, "\xe6\x97\xa5\xe6\x9c\xac", 4, "\xe6\x97\xa5\xe6\x9c\xac");
	puts_into(true, "\xe6\x97\xa5\xe6\x9c\xac", 3, "\xe6\x97\xa5~"); /* no half of a wide one */
	puts_into(true, "\xe6\x97\xa5\xe6\x9c\xac", 2, "~");
}

/* A wide character that is half overwritten leaves no half behind. */
static void
wide_halves(void **state)
{
	struct cells c;
	struct buf out;

	(void)state;
	buf_init(&out, TEXT_MAX);
	cells_init(&c, true);
	cells_resize(&c, 1, 8);
	cells_put(&c, (struct rect){ 0, 0, 1, 8 }, SPAN("\xe6\x97\xa5\xe6\x9c\xac"), STYLE_PLAIN);
	cells_put(&c, (struct rect){ 0, 1, 1, 2 }, SPAN("ab"), STYLE_PLAIN);
	assert_string_equal(screen(&c, &out), " ab\n");
	cells_put(&c, (struct rect){ 0, -3, 1, 2 }, SPAN("zz"), STYLE_PLAIN); /* clipped */
	cells_put(&c, (struct rect){ 9, 0, 1, 2 }, SPAN("zz"), STYLE_PLAIN);
	cells_put(&c, (struct rect){ 0, 7, 1, 2 }, SPAN("\xe6\x97\xa5"), STYLE_PLAIN);
	assert_string_equal(screen(&c, &out), " ab\n");
	cells_fini(&c);
	buf_fini(&out);
}

/* The rule of console.md, section 4: no letter twice, no lower-case letter that is a screen's own. */
static void
keys_mean_one_thing(void **state)
{
	static const char universal[] = "cedv";

	(void)state;
	for (size_t i = 0; i < act_row_count; i++) {
		assert_non_null(act_rows[i].help);
		assert_ptr_equal(act_of_key(act_rows[i].key), &act_rows[i]);
		for (size_t t = 0; t < 3 && act_rows[i].twins[t]; t++)
			assert_ptr_equal(act_of_key(act_rows[i].twins[t]), &act_rows[i]);
	}
	for (size_t i = 0; screens[i]; i++)
		for (const struct key_action *k = screens[i]->keys; k && k->label; k++) {
			bool letter = k->key >= 'a' && k->key <= 'z';

			assert_true(!letter || strchr(universal, (int)k->key));
			assert_true(k->key == KEY_RETURN || letter || !act_of_key(k->key));
			for (const struct key_action *other = k + 1; other->label; other++)
				assert_int_not_equal(k->key, other->key);
		}
}

/* Twins: each act that is a method is a command; columns and methods exist. */
static void
screens_are_whole(void **state)
{
	(void)state;
	for (size_t i = 0; screens[i]; i++) {
		const struct screen_class *class = screens[i];
		const struct control_method *m;
		struct control_schema columns;

		assert_non_null(class->help);
		for (const struct key_action *k = class->keys; k && k->label; k++) {
			m = k->method ? control_method_find(span_of(k->method)) : NULL;
			assert_true(!k->method || m);
			assert_true(!m || m->words[0] || m->guard == CONTROL_G0);
		}
		if (!class->method)
			continue;
		m = control_method_find(span_of(class->method));
		assert_non_null(m);
		control_schema_parse(m->columns, &columns);
		for (const struct column *col = class->columns; col && col->title; col++)
			assert_non_null(control_schema_find(&columns, span_of(col->field)));
		for (const struct detail *d = class->detail; d && d->label; d++)
			assert_non_null(control_schema_find(&columns, span_of(d->field)));
	}
}

static void
marked_keys(void **state)
{
	struct keyset set = { 0 };
	struct span key;
	size_t at = 0, seen = 0;
	char name[16];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "k%d", i);
		keyset_add(&set, span_of(name));
		keyset_add(&set, span_of(name));
	}
	assert_int_equal(set.count, 1000);
	for (int i = 0; i < 1000; i += 2) {
		snprintf(name, sizeof(name), "k%d", i);
		keyset_remove(&set, span_of(name));
	}
	assert_false(keyset_has(&set, SPAN("k10")));
	assert_true(keyset_has(&set, SPAN("k11")));
	while (keyset_next(&set, &at, &key))
		seen++;
	assert_int_equal(seen, 500);
	keyset_fini(&set);
}

static void
editing_a_line(void **state)
{
	static const uint32_t typed[] = { 'a', 0xe9, 'c', KEY_ARROW_LEFT, KEY_ARROW_LEFT,
		KEY_RUBOUT, 'x', KEY_CTRL_E, ' ', 'w', KEY_CTRL_W, '!' };
	struct line_edit e;
	struct press paste = { KEY_PASTED, SPAN("1\n2\033") };

	(void)state;
	line_edit_init(&e);
	assert_true(line_edit_press(&e, &(struct press){ .key = KEY_RUBOUT })); /* empty: nothing */
	for (size_t i = 0; i < COUNT(typed); i++)
		assert_true(line_edit_press(&e, &(struct press){ .key = typed[i] }));
	assert_true(line_edit_press(&e, &paste));
	assert_true(span_eq(line_edit_text(&e), SPAN("x\xc3\xa9" "c !1;2")));
	assert_false(line_edit_press(&e, &(struct press){ .key = KEY_ESC }));
	line_edit_fini(&e);
}

static void
themes(void **state)
{
	(void)state;
	unsetenv("NO_COLOR");
	assert_true(theme_choose(NULL)->colour);
	setenv("NO_COLOR", "1", 1);
	assert_string_equal(theme_choose(NULL)->name, "mono");
	assert_string_equal(theme_choose("cvd")->name, "cvd");
	setenv("NO_COLOR", "", 1);
	assert_true(theme_choose(NULL)->colour);
	unsetenv("NO_COLOR");
}

int
test_tui_cells(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_text_h70),
		cmocka_unit_test(marks_are_cut),
		cmocka_unit_test(cutting),
		cmocka_unit_test(wide_halves),
		cmocka_unit_test(keys_mean_one_thing),
		cmocka_unit_test(screens_are_whole),
		cmocka_unit_test(marked_keys),
		cmocka_unit_test(editing_a_line),
		cmocka_unit_test(themes),
	};

	return cmocka_run_group_tests_name("cells", tests, NULL, NULL);
}
