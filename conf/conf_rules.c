/*
 * conf_rules.c - rule files into a generation.
 */
#include "conf/conf_rules.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "conf/conf_file.h"
#include "proto/base/utf8.h"

#define CONTENT_RULES_MAX 65536 /* bytes; as SCRIPT_TEXT_MAX of the server */

static const struct {
	const char *name, *words;
	size_t setting; /* in struct conf */
} files[RULE_FILE_COUNT] = {
#define X(id, what, setting, words) [RULE_FILE_##id] = { what, words, offsetof(struct conf, setting) },
	RULE_FILES(X)
#undef X
};

const char *
conf_rules_name(enum rule_file file)
{
	return files[file].name;
}

const char *
conf_rules_words(enum rule_file file)
{
	return files[file].words;
}

unsigned
conf_rules_language(enum rule_file file)
{
	return file == RULE_FILE_SMTP ? RULES_OF_SMTP : file == RULE_FILE_DOWNLOAD ? RULES_OF_DOWNLOAD : 0;
}

const struct rule_set *
conf_rules_set(const struct conf *conf, enum rule_file file)
{
	return file == RULE_FILE_SMTP ? &conf->smtp_rules : file == RULE_FILE_DOWNLOAD ? &conf->download_rules : NULL;
}

const char *
conf_rules_path(
	struct arena *a, const char *conf_path, const struct conf *conf, enum rule_file file)
{
	const struct span *path = (const void *)((const char *)conf + files[file].setting);
	struct span folder = span_of(conf_path);
	size_t slash = span_find_last(folder, '/');

	if (span_starts(*path, SPAN("/")) || slash == folder.len)
		return arena_text(a, *path);
	return arena_text(a, arena_printf(a, "%.*s/%.*s", SPAN_FMT(span_range(folder, 0, slash)),
		SPAN_FMT(*path)));
}

struct span
conf_rules_text(const struct conf *conf, enum rule_file file)
{
	const struct rule_set *set = conf_rules_set(conf, file);
	struct span text = set ? set->text : file == RULE_FILE_LAN ? conf->lan_rules.text : conf->content_rules;

	return text.ptr ? text : SPAN("");
}

size_t
conf_rules_count(const struct conf *conf, enum rule_file file)
{
	const struct rule_set *set = conf_rules_set(conf, file);

	if (set)
		return set->count;
	return file == RULE_FILE_LAN ? conf->lan_rules.count : conf->content_rules.len > 0;
}

static enum err
take_lan(struct conf *conf, struct span text, struct conf_faults *faults)
{
	enum err err = lan_rules_parse(text, &conf->arena, &conf->lan_rules, faults);

	if (err == OK)
		lan_rules_check_collectors(&conf->lan_rules, &conf->collectors, faults);
	else
		conf->lan_rules = (struct lan_rules){ .count = 0 };
	return err;
}

static enum err
take_set(struct conf *conf, enum rule_file file, struct span text, struct conf_faults *faults)
{
	struct rule_set *set = file == RULE_FILE_SMTP ? &conf->smtp_rules : &conf->download_rules;
	enum err err = rule_text_parse(text, conf_rules_language(file), &conf->arena, set, faults);

	if (err != OK)
		*set = (struct rule_set){ .language = conf_rules_language(file) };
	return err;
}

/* Whether it compiles is asked elsewhere, of a child: no script is looked at in this process (H74). */
static enum err
check_content(struct span text, struct conf_faults *faults)
{
	const struct yaml_place nowhere = { 0 };

	if (text.len > CONTENT_RULES_MAX)
		conf_fault_add(faults, nowhere, SPAN_NONE, "a script has at most 64 KiB");
	else if (!utf8_is_valid(text) || span_find(text, '\0') < text.len)
		conf_fault_add(faults, nowhere, SPAN_NONE, "a script is text in UTF-8");
	else
		return OK;
	return ERR_SYNTAX;
}

static enum err
take_content(struct conf *conf, struct span text, struct conf_faults *faults)
{
	enum err err = check_content(text, faults);

	conf->content_rules = err == OK ? arena_copy(&conf->arena, text) : SPAN_NONE;
	return err;
}

enum err
conf_rules_take(
	struct conf *conf, enum rule_file file, struct span text, struct conf_faults *faults)
{
	enum err err = file == RULE_FILE_LAN ? take_lan(conf, text, faults)
		: file == RULE_FILE_CONTENT  ? take_content(conf, text, faults)
					     : take_set(conf, file, text, faults);

	conf_faults_sort(faults);
	return err;
}

enum err
conf_rules_load(struct conf *conf, enum rule_file file, const char *conf_path,
	struct conf_faults *faults)
{
	const struct yaml_place nowhere = { 0 };
	struct span text = SPAN_NONE;
	struct arena arena;
	struct stat st;
	enum err err;

	arena_init(&arena, NULL);
	err = conf_file_read_max(conf_rules_path(&arena, conf_path, conf, file),
		RULE_FILE_TEXT_MAX, &arena, &text, &st);
	if (err == OK || err == ERR_NOT_FOUND)
		err = conf_rules_take(conf, file, text, faults);
	else
		conf_fault_add(faults, nowhere, SPAN_NONE, "cannot be read: %s", err_name(err));
	arena_reset(&arena);
	return err;
}

enum err
conf_rules_check(enum rule_file file, struct span text, size_t *count, struct conf_faults *faults)
{
	struct lan_rules lan = { .count = 0 };
	struct rule_set set = { .count = 0 };
	struct arena scratch;
	enum err err;

	arena_init(&scratch, NULL);
	if (file == RULE_FILE_LAN)
		err = lan_rules_parse(text, &scratch, &lan, faults);
	else if (file == RULE_FILE_CONTENT)
		err = check_content(text, faults);
	else
		err = rule_text_parse(text, conf_rules_language(file), &scratch, &set, faults);
	*count = err == OK ? lan.count + set.count + (file == RULE_FILE_CONTENT && text.len > 0) : 0;
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
	err = conf_file_read_max(path, RULE_FILE_TEXT_MAX, &arena, &now, &st);
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
conf_rules_undo(const struct conf_rules_undo *undo, const struct conf_note *note, uint32_t *number,
	struct conf_faults *faults)
{
	struct arena arena;
	struct span text;
	size_t count;
	enum err err;

	arena_init(&arena, NULL);
	err = conf_history_text(undo->path, undo->before, &arena, &text);
	if (err == OK)
		err = conf_rules_check(undo->file, text, &count, faults);
	if (err == OK)
		err = conf_rules_save(undo->path, undo->last_read, text, note, number);
	arena_reset(&arena);
	return err;
}

/* ---- the last good text ---- */

static const char *
kept_path(struct arena *a, const char *path)
{
	return arena_text(a, arena_printf(a, "%s.history/in-force", path));
}

enum err
conf_rules_kept(const char *path, struct arena *a, struct span *text)
{
	struct stat st;

	return conf_file_read_max(kept_path(a, path), RULE_FILE_TEXT_MAX, a, text, &st);
}

enum err
conf_rules_keep(const char *path, struct span text)
{
	struct arena arena;
	struct span kept;
	enum err err;

	arena_init(&arena, NULL);
	err = conf_rules_kept(path, &arena, &kept);
	if (err == ERR_NOT_FOUND && text.len == 0) {
		err = OK; /* there never were any */
	} else if (err != OK || !span_eq(kept, text)) {
		const char *to = kept_path(&arena, path);
		const char *folder = arena_text(&arena, arena_printf(&arena, "%s.history", path));

		(void)!mkdir(folder, 0700);
		err = conf_file_replace(to, text, NULL);
	}
	arena_reset(&arena);
	return err;
}
