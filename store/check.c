/*
 * check.c - walk a whole store, say what is wrong, mend what can be derived.
 *
 * The walks read one snapshot and note what would mend each finding; the notes are then carried out
 * in jobs, and the walks run once more to see what is left.
 */
#include "store/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/check_run.h"
#include "store/commit.h"
#include "store/renew.h"

#define LINE_MAX_BYTES 300
#define FIXES_A_JOB 200 /* fixes carried out in one transaction */
#define MEND_ROUNDS 3

/* ---- sets ---- */

void
id_set_add(struct id_set *set, uint64_t id)
{
	if (set->count == set->room) {
		set->room = set->room ? 2 * set->room : 256;
		set->ids = realloc(set->ids, set->room * sizeof(*set->ids));
		ENSURE(set->ids); /* out of memory ends the process, see arena.h */
	}
	set->ids[set->count++] = id;
	set->sorted = false;
}

static int
compare_ids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Index of the first that is ID or more. */
static size_t
first_from(const struct id_set *set, uint64_t id)
{
	size_t low = 0, high = set->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (set->ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t
id_set_count(struct id_set *set, uint64_t id)
{
	size_t at;

	if (!set->sorted && set->count > 0)
		qsort(set->ids, set->count, sizeof(*set->ids), compare_ids);
	set->sorted = true;
	at = first_from(set, id);
	return id == UINT64_MAX ? set->count - at : first_from(set, id + 1) - at;
}

void
id_set_fini(struct id_set *set)
{
	free(set->ids);
	*set = (struct id_set){ .count = 0 };
}

/* ---- findings and fixes ---- */

void
check_say(struct check *c, bool mends, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list args;
	int len;

	c->findings++;
	c->mendable += mends;
	if (c->quiet || c->findings > CHECK_FINDINGS_MAX)
		return;
	va_start(args, format);
	len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (len >= (int)sizeof(line))
		len = (int)sizeof(line) - 1;
	c->report(c->arg, (struct span){ line, (size_t)len });
}

static struct span
copy_bytes(struct span bytes)
{
	char *copy;

	if (bytes.len == 0)
		return SPAN_NONE;
	copy = malloc(bytes.len);
	ENSURE(copy);
	memcpy(copy, bytes.ptr, bytes.len);
	return (struct span){ copy, bytes.len };
}

struct check_fix *
check_fix_add(struct check *c, check_fix_fn *apply, struct span key, struct span value)
{
	struct check_fix *fix;

	if (c->fix_count == c->fix_room) {
		c->fix_room = c->fix_room ? 2 * c->fix_room : 64;
		c->fixes = realloc(c->fixes, c->fix_room * sizeof(*c->fixes));
		ENSURE(c->fixes);
	}
	fix = &c->fixes[c->fix_count++];
	*fix = (struct check_fix){ .apply = apply };
	fix->key = copy_bytes(key);
	fix->value = copy_bytes(value);
	return fix;
}

static enum err
fix_delete(struct txn *txn, const struct check_fix *fix)
{
	struct key key;
	enum err err;

	key_name(&key, fix->key);
	err = table_delete(txn, fix->table, &key);
	return err == ERR_NOT_FOUND ? OK : err;
}

void
check_fix_delete(struct check *c, enum store_table table, struct span key)
{
	check_fix_add(c, fix_delete, key, SPAN_NONE)->table = table;
}

uint64_t
check_id(const struct row *row)
{
	struct span key = row->key;
	uint64_t id = 0;

	return key_take_u64(&key, &id) == OK ? id : 0;
}

void
check_walk(struct check *c, enum store_table table, check_visit_fn *visit)
{
	struct key at;
	struct row row;
	enum err err;

	key_begin(&at);
	while ((err = table_seek(c->snap, table, &at, &row)) == OK) {
		key_name(&at, row.key);
		if (at.len < KEY_MAX)
			key_put_u8(&at, 0); /* the next key there can be */
		visit(c, &row);
	}
	if (err != ERR_NOT_FOUND)
		check_say(c, false, "%s: cannot be walked: %s", store_table_name(table),
			err_name(err));
}

/* ---- the run ---- */

static void
check_clear(struct check *c)
{
	for (size_t i = 0; i < c->fix_count; i++) {
		free((void *)(uintptr_t)c->fixes[i].key.ptr);
		free((void *)(uintptr_t)c->fixes[i].value.ptr);
	}
	free(c->fixes);
	id_set_fini(&c->folders_seen);
	id_set_fini(&c->copies_named);
	id_set_fini(&c->contents_named);
	id_set_fini(&c->bodies_named);
	id_set_fini(&c->collectors_seen);
	id_set_fini(&c->copies_buried);
	id_set_fini(&c->contents_buried);
	id_set_fini(&c->bodies_buried);
	*c = (struct check){ .store = c->store,
		.report = c->report,
		.arg = c->arg,
		.blocks_lost = c->blocks_lost };
}

static enum err
check_walks(struct check *c)
{
	enum err err = snapshot_open(c->store, &c->snap);

	if (err != OK)
		return err;
	check_queue(c); /* names contents, so before them */
	check_archive(c); /* so does this */
	check_mail(c);
	check_forwards(c);
	check_sharing(c);
	check_secrets(c);
	check_fetched(c);
	check_directory(c);
	snapshot_close(&c->snap);
	return OK;
}

struct fix_job {
	struct store_job job;
	const struct check_fix *fixes;
	size_t count;
};

static enum step
fix_apply(struct store_job *job, struct txn *txn)
{
	struct fix_job *f = (struct fix_job *)job;
	enum err err = OK;

	for (size_t i = 0; i < f->count && err == OK; i++)
		err = f->fixes[i].apply(txn, &f->fixes[i]);
	return step_of(job, err);
}

/* Those that fail are left out: the second walk tells. */
static void
check_mend(struct check *c)
{
	size_t at = 0, batch = FIXES_A_JOB;

	while (at < c->fix_count) {
		struct fix_job f = { .job = { .apply = fix_apply }, .fixes = c->fixes + at };
		enum err err;

		f.count = c->fix_count - at < batch ? c->fix_count - at : batch;
		err = store_run_job_now(c->store, &f.job);
		if (err != OK && f.count > 1) {
			batch = 1; /* one by one, so that only the bad one is lost */
			continue;
		}
		at += f.count;
	}
}

static int
check_and_mend(struct check *c, bool repair)
{
	uint64_t found, left;
	enum err err = check_walks(c);

	found = left = c->findings;
	if (err != OK || found == 0 || !repair)
		return err != OK || found > 0;
	/* what is mended can show what lay behind it, and moves counters */
	for (unsigned round = 0; err == OK && left > 0 && round < MEND_ROUNDS; round++) {
		check_mend(c);
		check_clear(c);
		c->quiet = true;
		err = check_walks(c);
		left = c->findings;
	}
	c->quiet = false;
	c->findings = 0;
	check_say(c, false, "repair: %llu found, %llu left", (unsigned long long)found,
		(unsigned long long)left);
	return err != OK || left > 0;
}

/* A torn last commit is the one fault of opening that repair can do something about. */
static enum err
open_for_check(struct check *c, const struct store_options *options, bool repair)
{
	struct store_options mine = *options;
	struct store_fault why;
	enum err err;

	mine.mode = repair ? STORE_EXCLUSIVE : STORE_CHECK;
	err = store_open(&mine, &c->store, &why);
	if (err != OK)
		check_say(c, false, "%s", why.text);
	if (err != ERR_CORRUPT || !repair || check_fall_back(options->path) != OK)
		return err;
	check_say(c, true,
		"fell back to the commit before the torn one; the torn file is data.mdb.torn");
	err = store_renew(&mine, false, 0); /* clients may know what was lost (H27) */
	if (err != OK) {
		check_say(c, false, "cannot give new numbers: %s", err_name(err));
		return err;
	}
	err = store_open(&mine, &c->store, &why);
	if (err != OK)
		check_say(c, false, "%s", why.text);
	return err;
}

int
store_check(const struct store_options *options, bool repair, check_report_fn *report, void *arg)
{
	struct check c = { .report = report, .arg = arg };
	int status;

	if (open_for_check(&c, options, repair) != OK)
		return 1;
	c.findings = 0;
	status = check_and_mend(&c, repair);
	check_clear(&c);
	store_close(&c.store);
	return status;
}
