/*
 * fuzz_archive_rules.c - a line of archive.rules is read or refused with a reason; what was read lies inside of it.
 * A text of them is taken whole, or has faults.
 */
#include "conf/archive_rules.h"
#include "tests/fuzz/fuzz.h"

static void
check_inside(struct span part, struct span line)
{
	ENSURE(part.len == 0 || (part.ptr >= line.ptr && part.ptr + part.len <= line.ptr + line.len));
	ENSURE(span_find_any(part, SPAN(" \t")) == part.len);
}

static void
check_text(struct span in, struct arena *a)
{
	static struct conf_faults faults;
	struct archive_rules rules;
	enum err err;

	conf_faults_init(&faults);
	err = archive_rules_parse(in, a, &rules, &faults);
	ENSURE((err == OK) == (faults.errors == 0) && rules.count <= ARCHIVE_RULES_MAX);
	conf_faults_fini(&faults);
}

FUZZ(in, a, out)
{
	struct archive_rule rule;
	const char *why = NULL;

	check_text(in, a);
	if (archive_rule_parse(in, &rule, &why) != OK) {
		ENSURE(why && why[0]);
		return;
	}
	ENSURE(rule.days >= 0 && rule.days <= ARCHIVE_KEEP_DAYS_MAX && rule.from.len + rule.to.len > 0);
	check_inside(rule.from, in);
	check_inside(rule.to, in);
}
