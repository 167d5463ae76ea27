/*
 * schema.h - the whole database on one page.
 *
 * A row is a table of its own (one LMDB named database): name, key, value. Keys are big-endian, so
 * sorting is by meaning; a key has 511 bytes at most, longer names are hashed and compared. Values
 * are records (record.h) unless the row says otherwise. A new table is a new row: an existing store
 * gets it at its next start. A row that goes or changes its key needs a new STORE_SCHEMA_VERSION.
 * A reader (check) before that start takes it for empty where a new counter came with it.
 */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#define STORE_SCHEMA_VERSION 1 /* a store with a higher one is refused */

#define STORE_TABLES(X) \
	X(meta,        "name",                           "seal, schema, counters: see store.c") \
	X(users,       "user_id",                        "user") \
	X(logins,      "user_id",                        "last good logins") \
	X(app_passwords, "user_id app_id",               "app password, see app_passwords.h") \
	X(app_uses,    "user_id app_id",                 "when an app password was last used") \
	X(user_scripts, "user_id",                       "routing script, see user_scripts.h") \
	X(secrets,     "name",                           "sealed bytes, see secrets.h") \
	X(dkim_keys,   "domain 0 selector",              "key that signs mail, see dkim_keys.h") \
	X(groups,      "group_id",                       "group") \
	X(group_members, "group_id user_id",             "") /* follows users, see indexes.h */ \
	X(names,       "lower-case name",                "what it is: user, group or list, and its id") \
	X(mappings,    "mapping_id",                     "mapping") \
	X(mapping_find, "pattern_hash mapping_id",       "hash 0: the pattern, it has a wildcard") \
	X(maillists,   "list_id",                        "mailing list, distribution list, forwarding") \
	X(list_members, "list_id lower-case member",     "one member of a list") \
	X(list_sizes,  "list_id",                        "how many members; follows list_members") \
	X(targets,     "lower-case target 0 kind id",    "") /* what points at a name, see referrers.h */ \
	X(folders,     "user_id folder_id",              "folder; user_id 0 owns what lies in Shared/") \
	X(folder_names, "user_id name 0 folder_id",      "") /* follows folders, see indexes.h */ \
	X(subscriptions, "user_id name",                 "") \
	X(keywords,    "folder_id",                      "names of its keywords, see keywords.h") \
	X(rights,      "folder_id kind subject_id",      "what a user, group or anyone may") \
	X(rights_find, "kind subject_id folder_id",      "") /* follows rights, see indexes.h */ \
	X(entries,     "folder_id first_uid",            "block of at most 62 entries of 32 bytes") \
	X(seen,        "folder_id user_id part",         "\\Seen of one user, see seen.h") \
	X(expunged,    "folder_id modseq first_uid",     "last_uid, and where they went") \
	X(binned,      "folder_id first_uid",            "whence and when it came into a bin, see bin.h") \
	X(copies,      "copy_id",                        "one placement: content_id, lines in front") \
	X(contents,    "content_id",                     "header bytes, body_id, owners") \
	X(bodies,      "body_id piece_no",               "piece of 4,080 bytes, see bodies.h") \
	X(body_joins,  "body_id, marked",                "ranges of other bodies, see body_joins.h") \
	X(body_shares, "body_id",                        "owners beyond the first; no row means none") \
	X(arriving,    "body_id",                        "a body still without an owner (Q1)") \
	X(graves,      "bury_ms kind id",                "what lost its last owner (Q3)") \
	X(traces,      "message_no part",                "trace") \
	X(trace_find,  "hour hash message_no",           "") \
	X(trace_hours, "hour",                           "first and last message_no, rows, bytes") \
	X(refusals,    "hour hash",                      "refusal and its count") \
	X(queued,      "queue_id recipient_no",          "entry (recipient_no 0) or recipient") \
	X(due,         "due_ms queue_id recipient_no",   "") \
	X(forwards,    "user_id copy_id",                "store and forward: its recipient, see forwards.h") \
	X(forward_copies, "queue_id recipient_no copy_id", "user_id") \
	X(journal_seats, "lower-case address",           "seat of the journal, see journal_seats.h") \
	X(prune_rules, "user_id rule_id",                "what is removed by itself; user_id 0: of everybody") \
	X(prune_round, "name",                           "when the next round is, see prune_round.h") \
	X(quota_marks, "user_id",                        "thresholds of his quota that he passed (QUO-03)") \
	X(warnings,    "hash of author and domain",      "when he was warned of late mail (OUT-18)") \
	X(archive,     "archive_id",                     "archived message, see archive.h") \
	X(archive_words, "block word_hash",              "") /* words of addresses in the archive */ \
	X(archive_addresses, "role address",             "first and last block of the archive it is in") \
	X(archive_holds, "archive_id",                   "legal hold") \
	X(guard,       "name",                           "message security, see guard.h") \
	X(connected,   "lower-case name",                "when a connection was last made (CON-16)") \
	X(collectors,  "lower-case name",                "number, and how its last collection ended, see fetched.h") \
	X(fetched,     "collector_id hash",              "when a message of it was seen and fetched") \
	X(changes,     "change_id",                      "who changed what, when") \
	X(change_rows, "change_id row_no",               "a row before and after it, for undo") \
	X(rule_hits,   "key of its definition",          "how often a rule has held, see rule_hits.h") \
	X(questions,   "question_no",                    "whether a message elsewhere shall be fetched, see questions.h") \
	X(counts,      "name",                           "counters kept beside their rows, see counts.h")

enum store_table {
#define X(name, key, value) TABLE_##name,
	STORE_TABLES(X)
#undef X
	TABLE_COUNT
};

/*
 * Counters that only rise, whatever the clock or a crash does (H27, H54); see ids.h. Add at the
 * end.
 */
#define STORE_COUNTERS(X) \
	X(user) X(group) X(folder) X(uidvalidity) X(copy) X(content) X(body) X(queue) X(change) \
	X(mapping) X(maillist) X(app_password) X(archive) X(body_join) X(prune_rule) X(collector)

enum store_counter {
#define X(name) COUNTER_##name,
	STORE_COUNTERS(X)
#undef X
	COUNTER_COUNT
};

#endif
