/*
 * conf_rules.c - rule files into a generation.
 */
#include "conf/conf_rules.h"

#include <limits.h>
#include <string.h>

#include "conf/conf_file.h"

const char *
conf_rules_path(struct arena *a, const char *conf_path, struct span path)
{
	struct span folder = span_of(conf_path);
	size_t slash = span_find_last(folder, '/');

	if (span_starts(path, SPAN("/")) || slash == folder.len)
		return arena_text(a, path);
	return arena_text(a, arena_printf(a, "%.*s/%.*s", SPAN_FMT(span_range(folder, 0, slash)),
		SPAN_FMT(path)));
}

enum err
conf_rules_take(struct conf *conf, struct span text, struct conf_faults *faults)
{
	enum err err = lan_rules_parse(text, &conf->arena, &conf->lan_rules, faults);

	if (err == OK)
		lan_rules_check_collectors(&conf->lan_rules, &conf->collectors, faults);
	else
		conf->lan_rules = (struct lan_rules){ .count = 0 };
	conf_faults_sort(faults);
	return err;
}

enum err
conf_rules_load(struct conf *conf, const char *conf_path, struct conf_faults *faults)
{
	const struct yaml_place nowhere = { 0 };
	struct span text = SPAN_NONE;
	struct arena arena;
	struct stat st;
	enum err err;

	arena_init(&arena, NULL);
	err = conf_file_read_max(conf_rules_path(&arena, conf_path, conf->rules_lan),
		LAN_RULES_TEXT_MAX, &arena, &text, &st);
	if (err == OK || err == ERR_NOT_FOUND)
		err = conf_rules_take(conf, text, faults);
	else
		conf_fault_add(faults, nowhere, SPAN_NONE, "cannot be read: %s", err_name(err));
	arena_reset(&arena);
	return err;
}

enum err
conf_rules_check(struct span text, size_t *count, struct conf_faults *faults)
{
	struct lan_rules rules;
	struct arena scratch;
	enum err err;

	arena_init(&scratch, NULL);
	err = lan_rules_parse(text, &scratch, &rules, faults);
	*count = err == OK ? rules.count : 0;
	conf_faults_sort(faults);
	arena_reset(&scratch);
	return err;
}

/* The folder of the file, where it is not there yet. */
static void
make_folder(const char *path)
{
	char folder[PATH_MAX];
	struct span name = span_of(path);
	size_t len = span_find_last(name, '/');

	if (len == name.len || len == 0 || len >= sizeof(folder))
		return;
	memcpy(folder, path, len);
	folder[len] = '\0';
	(void)!mkdir(folder, 0750); /* where it cannot be made, writing the file says so */
}

enum err
conf_rules_save(const char *path, struct span last_read, struct span text,
	const struct conf_note *note, uint32_t *number)
{
	struct span now = SPAN("");
	struct arena arena;
	struct stat st;
	bool is_there;
	enum err err;

	*number = 0;
	arena_init(&arena, NULL);
	err = conf_file_read_max(path, LAN_RULES_TEXT_MAX, &arena, &now, &st);
	is_there = err == OK;
	if (err == ERR_NOT_FOUND) {
		make_folder(path);
		err = OK;
	}
	if (err == OK && !span_eq(now, last_read))
		err = ERR_BUSY;
	if (err == OK && !(is_there && span_eq(now, text))) {
		err = conf_history_add(path, now, note, number);
		if (err == OK)
			err = conf_file_replace(path, text, is_there ? &st : NULL);
	}
	arena_reset(&arena);
	return err;
}

enum err
conf_rules_undo(const char *path, uint32_t before, struct span last_read,
	const struct conf_note *note, uint32_t *number, struct conf_faults *faults)
{
	struct arena arena;
	struct span text;
	size_t count;
	enum err err;

	arena_init(&arena, NULL);
	err = conf_history_text(path, before, &arena, &text);
	if (err == OK)
		err = conf_rules_check(text, &count, faults);
	if (err == OK)
		err = conf_rules_save(path, last_read, text, note, number);
	arena_reset(&arena);
	return err;
}
