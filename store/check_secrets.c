/*
 * check_secrets.c - app passwords, their uses, scripts of users, prune rules, sealed values, keys that sign, seats
 * of the journal: can they be read, and is there a user.
 */
#include "store/app_passwords.h"
#include "store/check_run.h"
#include "store/dkim_keys.h"
#include "store/journal_seats.h"
#include "store/prune_rules.h"
#include "store/questions.h"
#include "store/rule_hits.h"
#include "store/rows.h"
#include "store/secrets.h"
#include "store/user_scripts.h"

typedef unsigned long long ull;

static bool
has_user(struct check *c, uint64_t user_id)
{
	struct user user;

	return user_find(c->snap, user_id, &user) != ERR_NOT_FOUND;
}

static void
visit_app_password(struct check *c, const struct row *row)
{
	struct app_password app;
	enum err err = row_fields(c->snap, TABLE_app_passwords, row, &app_password_table, &app);

	if (err == OK && app.hash.len == APP_HASH_SIZE && row->key.len == 16 &&
		has_user(c, check_id(row)))
		return;
	check_say(c, true, "app_passwords %llu: damaged, or of no user", (ull)check_id(row));
	check_fix_delete(c, TABLE_app_passwords, row->key);
}

static void
visit_app_use(struct check *c, const struct row *row)
{
	uint64_t user_id, app_id;
	struct span key = row->key;
	struct app_use use;

	/* one of a removed app password stays: undo may bring that back */
	if (key_take_u64(&key, &user_id) == OK && key_take_u64(&key, &app_id) == OK && !key.len &&
		app_use_find(c->snap, user_id, app_id, &use) == OK && has_user(c, user_id))
		return;
	check_say(c, true, "app_uses %llu: damaged, or of no user", (ull)check_id(row));
	check_fix_delete(c, TABLE_app_uses, row->key);
}

static void
visit_user_script(struct check *c, const struct row *row)
{
	struct user_script script;

	if (row_fields(c->snap, TABLE_user_scripts, row, &user_script_table, &script) == OK &&
		row->key.len == 8 && has_user(c, check_id(row)))
		return;
	check_say(c, true, "user_scripts %llu: damaged, or of no user", (ull)check_id(row));
	check_fix_delete(c, TABLE_user_scripts, row->key);
}

static void
visit_secret(struct check *c, const struct row *row)
{
	struct sealed_secret secret;
	struct span rest = row->key;
	uint64_t user_id = 0;
	size_t slash;

	if (span_starts(rest, SPAN("user/"))) {
		rest = span_from(rest, 5);
		slash = span_find(rest, '/');
		if (span_u64(span_range(rest, 0, slash), UINT64_MAX, &user_id) != OK)
			user_id = UINT64_MAX;
	}
	if (secret_find(c->snap, row->key, &secret) == OK && (!user_id || has_user(c, user_id)))
		return;
	check_say(c, true, "secrets %.*s: damaged, or of no user", SPAN_FMT(row->key));
	check_fix_delete(c, TABLE_secrets, row->key);
}

static void
visit_dkim_key(struct check *c, const struct row *row)
{
	struct dkim_key key;

	if (row_fields(c->snap, TABLE_dkim_keys, row, &dkim_key_table, &key) == OK &&
		span_find(row->key, 0) < row->key.len && key.public.len > 0 && key.sealed.len > 0)
		return;
	check_say(c, true, "dkim_keys %.*s: damaged", (int)span_find(row->key, 0), row->key.ptr);
	check_fix_delete(c, TABLE_dkim_keys, row->key);
}

static void
visit_journal_seat(struct check *c, const struct row *row)
{
	struct journal_seat seat;

	check_tally(c, TABLE_journal_seats, row);
	if (row_decode(TABLE_journal_seats, row, &journal_seat_table, &seat))
		return;
	check_say(c, true, "journal_seats %.*s: damaged", SPAN_FMT(row->key));
	check_fix_delete(c, TABLE_journal_seats, row->key);
}

static void
visit_prune_rule(struct check *c, const struct row *row)
{
	struct prune_rule rule;

	check_tally(c, TABLE_prune_rules, row);
	if (row_decode(TABLE_prune_rules, row, &prune_rule_table, &rule) && row->key.len == 16 &&
		(check_id(row) == PRUNE_FOR_ALL || has_user(c, check_id(row))))
		return;
	check_say(c, true, "prune_rules %llu: damaged, or of no user", (ull)check_id(row));
	check_fix_delete(c, TABLE_prune_rules, row->key);
}

static void
visit_rule_hits(struct check *c, const struct row *row)
{
	struct rule_hits hits;

	check_tally(c, TABLE_rule_hits, row);
	if (rule_hits_decode(c->snap, row, &hits) == OK)
		return;
	check_say(c, true, "rule_hits: damaged");
	check_fix_delete(c, TABLE_rule_hits, row->key);
}

static void
visit_question(struct check *c, const struct row *row)
{
	struct question q;

	check_tally(c, TABLE_questions, row);
	if (row_decode(TABLE_questions, row, &question_table, &q) && row->key.len == 8)
		return;
	check_say(c, true, "questions %llu: damaged", (ull)check_id(row));
	check_fix_delete(c, TABLE_questions, row->key);
}

void
check_secrets(struct check *c)
{
	check_walk(c, TABLE_app_passwords, visit_app_password);
	check_walk(c, TABLE_app_uses, visit_app_use);
	check_walk(c, TABLE_user_scripts, visit_user_script);
	check_walk(c, TABLE_secrets, visit_secret);
	check_walk(c, TABLE_dkim_keys, visit_dkim_key);
	check_walk(c, TABLE_journal_seats, visit_journal_seat);
	check_walk(c, TABLE_prune_rules, visit_prune_rule);
	check_walk(c, TABLE_rule_hits, visit_rule_hits);
	check_walk(c, TABLE_questions, visit_question);
}
