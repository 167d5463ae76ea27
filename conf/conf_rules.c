/*
 * conf_rules.c - rule files into a generation.
 */
#include "conf/conf_rules.h"

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
