/*
 * test_maillists.h - jobs on lists, for the tests of lists, of what points at a name, and of undo.
 */
#ifndef TESTS_UNIT_TEST_MAILLISTS_H
#define TESTS_UNIT_TEST_MAILLISTS_H

#include "tests/unit/directory_fixture.h"

#include "store/maillists.h"

struct list_arg {
	const char *name, *member;
	uint64_t id; /* list, or whatever the job is about */
	unsigned count;
	struct maillist list;
	uint64_t change_id;
	fixture_fn *inner;
};

/* Jobs; each takes a struct list_arg. */
fixture_fn add_member, remove_list, set_list, add_group;

/* A new list with one member, or none (NULL). */
uint64_t list_of(struct fixture *f, const char *name, const char *member);
/* Run FN with that list and that member. */
enum err member(struct fixture *f, fixture_fn *fn, uint64_t id, const char *text);
/* Blanks between them. */
void expect_members(struct fixture *f, uint64_t id, const char *want);
/* Check finds nothing. */
void expect_clean(struct fixture *f);

/* test_undo.c: a->inner as a change, which a->change_id then names; and its undo. */
fixture_fn recorded, undo;
/* test_referrers.c: into group a->id goes user a->member; and out of his. */
fixture_fn join, leave;

#endif
