/*
 * test_directory_main.c - the tests of users, groups, lists, mappings, queue, traces, changes, check
 * and backup in one program: the archive whole, and proto/ beneath it.
 */
#include "tests/unit/directory_fixture.h"

int
main(void)
{
	return test_users() + test_groups() + test_maillists() + test_referrers() +
	       test_mappings() + test_queued() + test_archive() + test_traces() + test_changes() + test_undo() +
	       test_message_ways() + test_folders() + test_folder_rights() + test_folder_removal() +
	       test_folder_damage() + test_message_flags() + test_bin() +
	       test_transfer() + test_forwards() + test_forwards_many() +
	       test_secrets() + test_dkim_keys() +
	       test_journal_seats() + test_questions() + test_prune() + test_store_check() + test_backup() + test_damage() +
	       test_joins();
}
