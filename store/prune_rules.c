/*
 * prune_rules.c - rows of prune rules.
 */
#include "store/prune_rules.h"

#include "store/folders.h"
#include "store/ids.h"
#include "store/rows.h"

#define AGE_DEFAULT 365 /* days: a rule of which only the folder was said takes nothing of this year */

_Static_assert(PRUNE_FOLDER_MAX == FOLDER_NAME_MAX, "a rule may name any folder");

const char *const prune_read_words[] = { "any", "read", "unread", NULL };
const char *const prune_flagged_words[] = { "any", "flagged", "unflagged", NULL };

static const struct field fields[] = {
#define X(name, tag, kind, max, words, flags)                                                      \
	FIELD_ROW(prune_rule, name, tag, kind, max, words, flags)
	PRUNE_FIELDS(X)
#undef X
};

static const struct prune_rule defaults = { .folder = { "INBOX", 5 }, .age = AGE_DEFAULT };

const struct field_table prune_rule_table = { fields, COUNT(fields), &defaults,
	sizeof(struct prune_rule) };

struct prune_rule
prune_rule_default(uint64_t user_id)
{
	struct prune_rule rule = defaults;

	rule.user_id = user_id;
	return rule;
}

/* ---- reading ---- */

enum err
prune_rule_next(struct snapshot *snap, struct prune_rule *out)
{
	struct key key;
	struct row row;
	enum err err;

	if (out->rule_id == UINT64_MAX)
		return ERR_NOT_FOUND;
	key_u64_u64(&key, out->user_id, out->rule_id + 1);
	err = table_seek(snap, TABLE_prune_rules, &key, &row);
	if (err == OK) {
		struct span at = row.key;
		uint64_t user_id, rule_id;

		if (key_take_u64(&at, &user_id) != OK || key_take_u64(&at, &rule_id) != OK)
			return table_damaged(snap, TABLE_prune_rules, row.key, "key");
		err = row_fields(snap, TABLE_prune_rules, &row, &prune_rule_table, out);
		out->user_id = user_id;
		out->rule_id = rule_id;
	}
	return err;
}

enum err
prune_rule_find(struct snapshot *snap, uint64_t rule_id, struct prune_rule *out)
{
	enum err err;

	*out = (struct prune_rule){ .user_id = 0 };
	while ((err = prune_rule_next(snap, out)) == OK || err == ERR_CORRUPT)
		if (out->rule_id == rule_id)
			return err;
	return err;
}

/* ---- writing ---- */

static bool
says_the_same(const struct prune_rule *a, const struct prune_rule *b)
{
	return folder_name_eq(a->folder, b->folder) && a->age == b->age && a->size == b->size &&
	       a->read == b->read && a->flagged == b->flagged && a->deleted == b->deleted &&
	       a->spam == b->spam;
}

/* Against the others of its set; *count: how many there are. */
static enum err
check_set(struct snapshot *snap, const struct prune_rule *rule, size_t *count)
{
	struct prune_rule other = { .user_id = rule->user_id };
	enum err err;

	*count = 0;
	while ((err = prune_rule_next(snap, &other)) == OK || err == ERR_CORRUPT) {
		if (other.user_id != rule->user_id)
			return OK;
		++*count;
		if (err == OK && other.rule_id != rule->rule_id && says_the_same(&other, rule))
			return ERR_EXISTS;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
check_rule(const struct prune_rule *rule)
{
	enum err err = fields_check(&prune_rule_table, rule, NULL);

	if (err == OK && folder_name_is_hidden(rule->folder))
		err = ERR_SYNTAX;
	if (err == OK && folder_name_check(rule->folder) != OK)
		err = ERR_SYNTAX;
	return err;
}

static enum err
rule_put(struct txn *txn, const struct prune_rule *rule)
{
	struct key key;

	key_u64_u64(&key, rule->user_id, rule->rule_id);
	return row_put_fields(txn, TABLE_prune_rules, &key, &prune_rule_table, rule);
}

enum err
prune_rule_add(
	struct txn *txn, const struct prune_rule *rule, int64_t now_ms, uint64_t *rule_id)
{
	struct prune_rule made = *rule;
	struct counts counts;
	size_t count;
	enum err err;

	made.rule_id = 0;
	made.created_ms = made.changed_ms = now_ms;
	err = check_rule(&made);
	if (err == OK)
		err = check_set(txn_view(txn), &made, &count);
	if (err == OK)
		err = counts_get(txn_view(txn), &counts);
	if (err != OK)
		return err;
	if (count >= PRUNE_RULES_A_USER || counts.at[COUNT_prune_rules] >= PRUNE_RULES_MAX)
		return ERR_LIMIT;
	made.rule_id = *rule_id = id_next(txn, COUNTER_prune_rule);
	return rule_put(txn, &made);
}

enum err
prune_rule_set(struct txn *txn, const struct prune_rule *rule, int64_t now_ms)
{
	struct prune_rule made = *rule;
	struct arena arena;
	size_t count;
	enum err err = check_rule(&made);

	if (err == OK)
		err = check_set(txn_view(txn), &made, &count);
	if (err != OK)
		return err;
	made.changed_ms = now_ms;
	arena_init(&arena, NULL); /* MADE may lie in the map, which the write moves */
	fields_copy(&prune_rule_table, &made, &arena);
	err = rule_put(txn, &made);
	arena_reset(&arena);
	return err;
}

enum err
prune_rule_remove(struct txn *txn, const struct prune_rule *rule)
{
	struct key key;

	key_u64_u64(&key, rule->user_id, rule->rule_id);
	return row_delete(txn, TABLE_prune_rules, &key);
}

enum err
prune_rules_purge(struct txn *txn, uint64_t user_id)
{
	struct prune_rule rule = { .user_id = user_id };
	enum err err;

	while ((err = prune_rule_next(txn_view(txn), &rule)) == OK || err == ERR_CORRUPT) {
		if (rule.user_id != user_id)
			return OK;
		err = prune_rule_remove(txn, &rule);
		if (err != OK)
			return err;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}
