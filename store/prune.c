/*
 * prune.c - which messages match a rule: a walk over mailboxes, in slices.
 */
#include "store/prune.h"

#include "store/ids.h"
#include "store/keywords.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)
/* What a slice may cost, in entries looked at: 8 ms or so where nothing must come from the disk. */
#define SLICE_COST 100000
#define COST_COPY 15
#define COST_FOLDER 25

/* ---- matching ---- */

static bool
folder_fits(const struct prune_rule *rule, struct span folder)
{
	return span_eq(rule->folder, PRUNE_ALL_FOLDERS) || folder_name_eq(rule->folder, folder);
}

static bool
flags_fit(const struct prune_rule *rule, uint32_t flags)
{
	bool read = flags & FLAG_SEEN, flagged = flags & FLAG_FLAGGED;

	return (rule->read == PRUNE_READ_ANY || (rule->read == PRUNE_READ) == read) &&
	       (rule->flagged == PRUNE_FLAGGED_ANY ||
		       (rule->flagged == PRUNE_FLAGGED) == flagged) &&
	       (!rule->deleted || flags & FLAG_DELETED);
}

static bool
age_fits(const struct prune_rule *rule, uint64_t first_ms, uint64_t now_ms)
{
	return rule->age == 0 || (now_ms > first_ms && now_ms - first_ms >= rule->age * DAY_MS);
}

/* All but the folder and the age. */
static bool
look_fits(const struct prune_rule *rule, const struct prune_look *look)
{
	return flags_fit(rule, look->flags) && look->size >= rule->size &&
	       (!rule->spam || look->spam);
}

bool
prune_rule_matches(const struct prune_rule *rule, const struct prune_look *look, uint64_t now_ms)
{
	return folder_fits(rule, look->folder) && look_fits(rule, look) &&
	       age_fits(rule, look->first_ms, now_ms);
}

/* ---- one slice ---- */

struct scanning {
	struct snapshot *snap;
	struct prune_scan *scan;
	prune_fn *fn;
	void *arg;
	struct user user;
	struct folder folder;
	const struct prune_rule *rules[2 * PRUNE_RULES_A_USER]; /* that are for this folder */
	size_t rule_count;
	bool asks_spam;
	uint32_t spam_bits, ham_bits; /* keywords of the folder */
	uint64_t cost;
	bool enough;
};

static bool
is_over(const struct scanning *x)
{
	return x->enough || x->cost >= SLICE_COST;
}

/* Of others than the one who is asked for, none. */
static enum err
rules_read(struct scanning *x)
{
	struct prune_scan *scan = x->scan;
	struct prune_rule rule = { .user_id = 0 };
	size_t room = 0;
	enum err err;

	while ((err = prune_rule_next(x->snap, &rule)) == OK || err == ERR_CORRUPT)
		room++;
	arena_reset(&scan->arena);
	scan->rules = ARENA_ARRAY(&scan->arena, struct prune_rule, room + 1);
	scan->rule_count = 0;
	rule = (struct prune_rule){ .user_id = 0 };
	while ((err = prune_rule_next(x->snap, &rule)) == OK || err == ERR_CORRUPT) {
		if (err != OK || (scan->only_user != 0 && rule.user_id != PRUNE_FOR_ALL &&
					 rule.user_id != scan->only_user))
			continue;
		scan->rules[scan->rule_count] = rule;
		fields_copy(&prune_rule_table, &scan->rules[scan->rule_count++], &scan->arena);
	}
	scan->has_rules = true;
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
rules_follow(struct scanning *x)
{
	uint64_t change_id;
	enum err err = id_last(x->snap, COUNTER_change, &change_id);

	if (err != OK || (x->scan->has_rules && change_id == x->scan->change_id))
		return err;
	x->scan->change_id = change_id;
	return rules_read(x);
}

/* The first rule of USER_ID or of one behind; rule_count: there is none. */
static size_t
rules_from(const struct prune_scan *scan, uint64_t user_id)
{
	size_t low = 0, high = scan->rule_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (scan->rules[middle].user_id < user_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- a message ---- */

static bool
is_any_of(struct span words, const char *a, const char *b)
{
	return keyword_in(words, span_of(a)) || keyword_in(words, span_of(b));
}

static bool
words_say_spam(const struct scanning *x, const struct entry *e, struct span words)
{
	bool ham = e->flags & x->ham_bits || is_any_of(words, "$NotJunk", "NotJunk") ||
		   keyword_in(words, SPAN("NonJunk"));

	return !ham && (e->flags & x->spam_bits || is_any_of(words, "$Junk", "Junk"));
}

/* *known: COPY is that of the entry. False: it is damaged, and what it says not known. */
static bool
copy_of(struct scanning *x, const struct entry *e, struct copy *copy, bool *known)
{
	if (!*known) {
		x->cost += COST_COPY;
		*known = copy_get(x->snap, e->copy_id, copy) == OK;
	}
	return *known;
}

static void
look_at(struct scanning *x, const struct entry *e)
{
	struct prune_look look = { .flags = e->flags & FLAGS_SYSTEM, .size = e->size };
	struct copy copy = { .keywords = SPAN_NONE };
	bool known = false;

	if (x->asks_spam && (!(e->flags & FLAG_MORE_KEYWORDS) || copy_of(x, e, &copy, &known)))
		look.spam = words_say_spam(x, e, copy.keywords);
	for (size_t i = 0; i < x->rule_count; i++) {
		const struct prune_rule *rule = x->rules[i];
		struct prune_found found = { &x->user, &x->folder, e, rule, 0 };

		if (!look_fits(rule, &look) || (rule->age > 0 && !copy_of(x, e, &copy, &known)))
			continue;
		found.first_ms = known ? copy.first_ms : 0;
		if (!age_fits(rule, found.first_ms, x->scan->now_ms))
			continue;
		x->enough = x->fn(x->arg, &found);
		return;
	}
}

/* ---- a folder ---- */

/* Of those of USER_ID the ones for the folder. */
static void
choose_rules(struct scanning *x, uint64_t user_id)
{
	const struct prune_scan *scan = x->scan;

	for (size_t i = rules_from(scan, user_id); i < scan->rule_count; i++) {
		const struct prune_rule *rule = &scan->rules[i];

		if (rule->user_id != user_id || x->rule_count == COUNT(x->rules))
			return;
		x->cost++;
		if (!folder_fits(rule, x->folder.name))
			continue;
		x->rules[x->rule_count++] = rule;
		x->asks_spam |= rule->spam;
	}
}

static enum err
read_keywords(struct scanning *x)
{
	struct folder_keywords k;
	enum err err;

	x->spam_bits = x->ham_bits = 0;
	if (!x->asks_spam)
		return OK;
	err = folder_keywords_get(x->snap, x->folder.folder_id, &k);
	if (err != OK)
		return err == ERR_CORRUPT ? OK : err; /* their names are lost: nothing is spam */
	x->spam_bits = folder_keyword_bit(&k, SPAN("$Junk")) | folder_keyword_bit(&k, SPAN("Junk"));
	x->ham_bits = folder_keyword_bit(&k, SPAN("$NotJunk")) |
		      folder_keyword_bit(&k, SPAN("NotJunk")) |
		      folder_keyword_bit(&k, SPAN("NonJunk"));
	return OK;
}

/* From scan->after_uid on, to its end or that of the slice. */
static enum err
scan_folder(struct scanning *x)
{
	struct prune_scan *scan = x->scan;
	struct entry_block block;
	unsigned from;
	enum err err = OK;

	x->rule_count = 0;
	x->asks_spam = false;
	choose_rules(x, PRUNE_FOR_ALL);
	choose_rules(x, x->user.user_id);
	if (x->rule_count == 0 || folder_name_is_hidden(x->folder.name))
		return ERR_NOT_FOUND;
	err = read_keywords(x);
	while (err == OK && !is_over(x)) {
		err = entry_block_next(
			x->snap, x->folder.folder_id, scan->after_uid, &block, &from);
		for (; err == OK && from < block.count && !is_over(x); from++) {
			const struct entry *e = &block.entries[from];

			scan->after_uid = e->uid;
			scan->looked++;
			x->cost++;
			if (!(e->flags & FLAG_HELD))
				look_at(x, e);
		}
	}
	return err;
}

/* ---- a user, and the next ---- */

/* ERR_NOT_FOUND: his last folder was done. */
static enum err
scan_user(struct scanning *x)
{
	struct prune_scan *scan = x->scan;
	enum err err = OK;

	while (err == OK && !is_over(x)) {
		/* folder_id is the one to go on in, or one behind the one that is done */
		err = folder_next(x->snap, x->user.user_id,
			scan->folder_id > 0 ? scan->folder_id - 1 : 0, &x->folder);
		if (err != OK)
			break;
		if (scan->folder_id != x->folder.folder_id)
			scan->after_uid = 0;
		scan->folder_id = x->folder.folder_id;
		x->cost += COST_FOLDER;
		err = scan_folder(x);
		if (err == ERR_NOT_FOUND || err == ERR_CORRUPT) {
			scan->folder_id++;
			scan->after_uid = 0;
			err = OK;
		}
	}
	return err;
}

/* On to the next user; where only some have rules, the others are passed by. ERR_NOT_FOUND: that was all. */
static enum err
next_user(struct scanning *x)
{
	struct prune_scan *scan = x->scan;
	uint64_t last = scan->user_id;
	size_t i;

	scan->folder_id = 0;
	if (scan->only_user != 0) {
		scan->user_id = scan->only_user;
		return last == scan->only_user ? ERR_NOT_FOUND : OK;
	}
	if (scan->rules[0].user_id == PRUNE_FOR_ALL) {
		enum err err = user_next(x->snap, last, &x->user);

		scan->user_id = x->user.user_id;
		return err == ERR_CORRUPT ? OK : err;
	}
	i = rules_from(scan, last + 1);
	if (i == scan->rule_count)
		return ERR_NOT_FOUND;
	scan->user_id = scan->rules[i].user_id;
	return OK;
}

/* Is the user of scan->user_id there? */
static bool
open_user(struct scanning *x)
{
	return user_find(x->snap, x->scan->user_id, &x->user) == OK && x->user.removed_ms == 0;
}

enum err
prune_scan_some(
	struct snapshot *snap, struct prune_scan *scan, prune_fn *fn, void *arg, bool *more)
{
	struct scanning x = { .snap = snap, .scan = scan, .fn = fn, .arg = arg };
	enum err err = rules_follow(&x);
	bool live;

	*more = false;
	if (err != OK || scan->rule_count == 0)
		return err;
	live = scan->user_id != 0 && open_user(&x);
	while (!is_over(&x)) {
		err = live ? scan_user(&x) : ERR_NOT_FOUND;
		if (err == OK)
			break; /* of him there is more */
		if (err == ERR_NOT_FOUND || err == ERR_CORRUPT)
			err = next_user(&x);
		if (err != OK)
			return err == ERR_NOT_FOUND ? OK : err;
		live = open_user(&x);
		x.cost += COST_FOLDER;
	}
	*more = true;
	return OK;
}
