/*
 * user_fields.h - every field of a user; the names are those of `user show NAME --json`.
 *
 * X(name, tag, kind, max, words, flags). Tags stay. A group's fields are those that say so in
 * group_fields.h. Text limits are bytes. 43 was a sealed secret that was never written: those are in
 * secrets.h, where they leave nothing for undo.
 */
#ifndef STORE_USER_FIELDS_H
#define STORE_USER_FIELDS_H

#define USER_NAME_MAX 32      /* characters, USR-02 */
#define USER_COMMENT_MAX 80   /* characters, USR-04; bytes are four times that */
#define USER_ADDRESS_MAX 320  /* one address */
#define USER_TARGETS_MAX 4096 /* bytes of an "a;b" list of addresses */
#define USER_TARGETS_COUNT 50 /* addresses in such a list */
#define USER_HASH_MAX 512     /* bytes of a password hash's text */
#define USER_SCRAM_SIZE 84    /* bytes of a SCRAM key, as scram.h lays it out */
#define USER_KB_MAX 1073741824
#define USER_MB_MAX 1048576

#define USER_EDIT (FIELD_SETTABLE | FIELD_SHOWN)

#define USER_FIELDS(X)                                                                             \
	X(name, 1, FIELD_TEXT, USER_NAME_MAX, NULL, FIELD_SHOWN)                                   \
	X(comment, 2, FIELD_TEXT, 4 * USER_COMMENT_MAX, NULL, USER_EDIT)                           \
	X(full_name, 3, FIELD_TEXT, 4 * USER_COMMENT_MAX, NULL, USER_EDIT)                         \
	X(group, 4, FIELD_ID, UINT64_MAX, NULL, FIELD_SHOWN)                                       \
	X(enabled, 5, FIELD_FLAG, 1, NULL, USER_EDIT)                                              \
	X(admin, 6, FIELD_FLAG, 1, NULL, USER_EDIT)                                                \
	X(quota_mb, 7, FIELD_COUNT, USER_MB_MAX, NULL, USER_EDIT)                                  \
	X(protocols, 8, FIELD_BITS, UINT32_MAX, user_protocol_words, USER_EDIT)                    \
	X(assistants, 10, FIELD_LIST, USER_TARGETS_MAX, NULL, USER_EDIT)                           \
	X(assistant_redirect, 11, FIELD_FLAG, 1, NULL, USER_EDIT)                                  \
	X(forward_to, 12, FIELD_LIST, USER_TARGETS_MAX, NULL, USER_EDIT)                           \
	X(forward, 13, FIELD_FLAG, 1, NULL, USER_EDIT)                                             \
	X(size_over_kb, 14, FIELD_COUNT, USER_KB_MAX, NULL, USER_EDIT)                             \
	X(size_over_action, 15, FIELD_WORD, 1, user_size_actions, USER_EDIT)                       \
	X(size_over_to, 16, FIELD_LIST, USER_TARGETS_MAX, NULL, USER_EDIT)                         \
	X(size_under_kb, 17, FIELD_COUNT, USER_KB_MAX, NULL, USER_EDIT)                            \
	X(size_under_action, 18, FIELD_WORD, 1, user_size_actions, USER_EDIT)                      \
	X(size_under_to, 19, FIELD_LIST, USER_TARGETS_MAX, NULL, USER_EDIT)                        \
	X(send_internet, 20, FIELD_FLAG, 1, NULL, USER_EDIT)                                       \
	X(receive_internet, 21, FIELD_FLAG, 1, NULL, USER_EDIT)                                    \
	X(max_out_kb, 22, FIELD_COUNT, USER_KB_MAX, NULL, USER_EDIT)                               \
	X(monitor, 23, FIELD_FLAG, 1, NULL, USER_EDIT)                                             \
	X(everyone, 24, FIELD_FLAG, 1, NULL, USER_EDIT)                                            \
	X(reply_address, 25, FIELD_TEXT, USER_ADDRESS_MAX, NULL, USER_EDIT)                        \
	X(no_signature, 26, FIELD_FLAG, 1, NULL, USER_EDIT)                                        \
	X(store_forward_address, 27, FIELD_TEXT, 2 * USER_ADDRESS_MAX, NULL, USER_EDIT)            \
	X(store_forward_server, 28, FIELD_TEXT, USER_ADDRESS_MAX, NULL, USER_EDIT)                 \
	X(system_name, 29, FIELD_TEXT, USER_NAME_MAX, NULL, USER_EDIT)                             \
	X(identities, 30, FIELD_LIST, USER_TARGETS_MAX, NULL, USER_EDIT)                           \
	X(password_hash, 40, FIELD_TEXT, USER_HASH_MAX, NULL, FIELD_SECRET)                        \
	X(password_revision, 41, FIELD_COUNT, UINT64_MAX, NULL, 0)                                 \
	X(password_changed_ms, 42, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)                       \
	X(scram, 44, FIELD_BYTES, USER_SCRAM_SIZE, NULL, FIELD_SECRET)                             \
	X(created_ms, 50, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)                                \
	X(changed_ms, 51, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)                                \
	X(removed_ms, 52, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)                                \
	X(revision, 53, FIELD_COUNT, UINT64_MAX, NULL, FIELD_SHOWN)

#endif
