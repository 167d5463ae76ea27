/*
 * fuzz_conf_edit.c - an edit says what it was told to, or nothing at all (CFG-02, H11).
 *
 * The input is a line with the key, a line with the value ('-' first: remove), and the text.
 */
#include "conf/conf_edit.h"
#include "conf/conf_shapes.h"
#include "conf/conf_value.h"
#include "tests/fuzz/fuzz.h"

static void
check_changed(const struct conf_change *change, const struct conf *conf, struct arena *a)
{
	const char *key = arena_text(a, change->key);
	struct conf_entry entry;
	struct buf text;

	if (conf_find(conf, key, &entry) != OK)
		return; /* an item as a whole, or one that is gone */
	/* A name may have been given to the very item that the key names. */
	if (change->remove || span_ends_nocase(change->key, SPAN(".name")))
		return;
	ENSURE(!entry.is_default);
	if (!setting_is_text(entry.setting->type) || entry.setting->type == SETTING_SECRET)
		return;
	buf_init(&text, FUZZ_OUT_MAX);
	ENSURE(conf_put_text(&entry, &text) == OK);
	ENSURE(span_eq(buf_span(&text), change->value));
	buf_fini(&text);
}

FUZZ(in, a, out)
{
	struct conf_change change = { .key = SPAN_NONE };
	struct conf_faults faults;
	struct span text;
	struct conf *conf;

	span_cut(in, '\n', &change.key, &text);
	span_cut(text, '\n', &change.value, &text);
	change.remove = span_starts(change.value, SPAN("-"));
	conf_faults_init(&faults);
	if (conf_edit(text, &change, out, &faults) == OK) {
		ENSURE(conf_load(buf_span(out), &conf, &faults) == OK);
		if (span_find(change.key, '\0') == change.key.len)
			check_changed(&change, conf, a);
		conf_free(&conf);
	} else {
		ENSURE(buf_span(out).len == 0);
	}
	conf_faults_fini(&faults);
}
