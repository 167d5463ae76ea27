/*
 * site_directory.c - users, groups, lists and mappings of a test's site.
 */
#include "tests/harness/site_inside.h"

#include <string.h>

#include "server/session/password.h"
#include "store/folders.h"
#include "store/groups.h"
#include "store/maillists.h"
#include "store/mappings.h"
#include "store/users.h"

struct change {
	struct store_job job;
	const char *name, *key, *value, *collect;
	struct span hash;
	uint64_t id;
};

static void
change_run(struct site *site, struct change *change,
	enum step (*apply)(struct store_job *, struct txn *))
{
	change->job.apply = apply;
	must(store_run_job_now(site->host.store, &change->job));
}

static enum step
user_apply(struct store_job *job, struct txn *txn)
{
	struct change *change = LIST_ITEM(job, struct change, job);
	struct user user;
	enum err err;

	user_init(&user);
	user.name = span_of(change->name);
	user.admin = strcmp(change->name, "postmaster") == 0;
	err = user_add(txn, &user, 1000, &change->id);
	if (err == OK && change->hash.len > 0)
		err = user_set_password(txn, change->id, change->hash, SPAN_NONE, 1000);
	return step_of(job, err);
}

uint64_t
site_add_user(struct site *site, const char *name, const char *password)
{
	struct password_cost cost = { (size_t)site->host.conf->auth_hash_memory,
		(unsigned)site->host.conf->auth_hash_passes };
	char hash[PASSWORD_HASH_SIZE] = "";
	struct change change = { .name = name };

	if (password)
		must(password_hash(span_of(password), &cost, hash));
	change.hash = span_of(hash);
	change_run(site, &change, user_apply);
	return change.id;
}

static enum step
set_apply(struct store_job *job, struct txn *txn)
{
	struct change *change = LIST_ITEM(job, struct change, job);
	const struct field *field = field_find(&user_table, span_of(change->key));
	struct arena arena;
	struct user user;
	enum err err = user_find_by_name(txn_view(txn), span_of(change->name), &user);

	arena_init(&arena, NULL);
	if (err == OK)
		user_copy(&user, &arena);
	if (err == OK)
		err = field ? field_set(field, &user, span_of(change->value), &arena) : ERR_SYNTAX;
	if (err == OK)
		err = user_set(txn, &user, 2000);
	arena_reset(&arena);
	return step_of(job, err);
}

void
site_set_user(struct site *site, const char *name, const char *key, const char *value)
{
	struct change change = { .name = name, .key = key, .value = value };

	change_run(site, &change, set_apply);
}

static enum step
folder_apply(struct store_job *job, struct txn *txn)
{
	struct change *change = LIST_ITEM(job, struct change, job);
	struct user user;
	enum err err = user_find_by_name(txn_view(txn), span_of(change->name), &user);

	return step_of(job, err != OK ? err
				      : folder_make(txn, user.user_id, span_of(change->value), &change->id));
}

void
site_add_folder(struct site *site, const char *user, const char *name)
{
	struct change change = { .name = user, .value = name };

	change_run(site, &change, folder_apply);
}

static enum step
remove_apply(struct store_job *job, struct txn *txn)
{
	struct change *change = LIST_ITEM(job, struct change, job);
	struct user user;
	enum err err = user_find_by_name(txn_view(txn), span_of(change->name), &user);

	return step_of(job, err == OK ? user_remove(txn, user.user_id, 3000) : err);
}

void
site_remove_user(struct site *site, const char *name)
{
	struct change change = { .name = name };

	change_run(site, &change, remove_apply);
}

static enum step
group_apply_job(struct store_job *job, struct txn *txn)
{
	struct change *change = LIST_ITEM(job, struct change, job);
	struct span rest = span_of(change->value), name;
	struct group group;
	enum err err;

	group_init(&group);
	group.name = span_of(change->name);
	err = group_add(txn, &group, 1000, &change->id);
	while (err == OK && field_list_next(&rest, &name)) {
		struct arena arena;
		struct user user;

		arena_init(&arena, NULL);
		err = user_find_by_name(txn_view(txn), name, &user);
		if (err == OK) {
			user_copy(&user, &arena);
			err = group_join(txn_view(txn), change->id, &user);
		}
		if (err == OK)
			err = user_set(txn, &user, 2000);
		arena_reset(&arena);
	}
	return step_of(job, err);
}

void
site_add_group(struct site *site, const char *name, const char *members)
{
	struct change change = { .name = name, .value = members };

	change_run(site, &change, group_apply_job);
}

static enum step
group_set_job(struct store_job *job, struct txn *txn)
{
	struct change *change = LIST_ITEM(job, struct change, job);
	const struct field *field = field_find(&group_table, span_of(change->key));
	struct arena arena;
	struct group group;
	enum err err = group_find_by_name(txn_view(txn), span_of(change->name), &group);

	arena_init(&arena, NULL);
	if (err == OK)
		fields_copy(&group_table, &group, &arena);
	if (err == OK)
		err = field ? field_set(field, &group, span_of(change->value), &arena) : ERR_SYNTAX;
	if (err == OK)
		err = group_set(txn, &group, 2000);
	arena_reset(&arena);
	return step_of(job, err);
}

void
site_set_group(struct site *site, const char *name, const char *key, const char *value)
{
	struct change change = { .name = name, .key = key, .value = value };

	change_run(site, &change, group_set_job);
}

static enum step
list_apply(struct store_job *job, struct txn *txn)
{
	struct change *change = LIST_ITEM(job, struct change, job);
	struct maillist list = { .name = span_of(change->name) };
	struct span rest = span_of(change->value), member;
	enum err err;

	while (maillist_kind_words[list.kind] && strcmp(maillist_kind_words[list.kind], change->key))
		list.kind++;
	err = maillist_add(txn, &list, 1000, &change->id);
	while (err == OK && field_list_next(&rest, &member))
		err = maillist_member_add(txn, change->id, member, 1000);
	return step_of(job, err);
}

void
site_add_list(struct site *site, const char *name, const char *kind, const char *members)
{
	struct change change = { .name = name, .key = kind, .value = members };

	change_run(site, &change, list_apply);
}

static enum step
mapping_apply(struct store_job *job, struct txn *txn)
{
	struct change *change = LIST_ITEM(job, struct change, job);
	struct mapping mapping = { .pattern = span_of(change->name),
		.target = span_of(change->value), .collect = span_of(change->collect) };

	while (change->key && strcmp(mapping_when_words[mapping.when], change->key) != 0)
		mapping.when++;

	return step_of(job, mapping_add(txn, &mapping, 1000, &change->id));
}

void
site_add_mapping_when(struct site *site, const char *pattern, const char *target,
	const char *when, const char *collect)
{
	struct change change = { .name = pattern, .key = when, .value = target,
		.collect = collect };

	change_run(site, &change, mapping_apply);
}

void
site_add_mapping(struct site *site, const char *pattern, const char *target)
{
	site_add_mapping_when(site, pattern, target, NULL, NULL);
}
