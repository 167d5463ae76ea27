/*
 * group_fields.h - every field of a group (GRP-02); as user_fields.h. Three-way values are on, off,
 * unset: unset leaves it to each user (GRP-03).
 */
#ifndef STORE_GROUP_FIELDS_H
#define STORE_GROUP_FIELDS_H

#include "store/user_fields.h"

#define GROUP_FIELDS(X)                                                                            \
	X(name, 1, FIELD_TEXT, USER_NAME_MAX, NULL, FIELD_SHOWN)                                   \
	X(comment, 2, FIELD_TEXT, 4 * USER_COMMENT_MAX, NULL, USER_EDIT)                           \
	X(enabled, 3, FIELD_FLAG, 1, NULL, USER_EDIT)                                              \
	X(force, 4, FIELD_FLAG, 1, NULL, USER_EDIT)                                                \
	X(admin, 5, FIELD_TRI, 2, NULL, USER_EDIT)                                                 \
	X(everyone, 6, FIELD_TRI, 2, NULL, USER_EDIT)                                              \
	X(send_internet, 7, FIELD_TRI, 2, NULL, USER_EDIT)                                         \
	X(receive_internet, 8, FIELD_TRI, 2, NULL, USER_EDIT)                                      \
	X(monitor, 9, FIELD_TRI, 2, NULL, USER_EDIT)                                               \
	X(reply_address, 10, FIELD_TEXT, USER_ADDRESS_MAX, NULL, USER_EDIT)                        \
	X(max_out_kb, 11, FIELD_COUNT, USER_KB_MAX, NULL, USER_EDIT)                               \
	X(created_ms, 50, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)                                \
	X(changed_ms, 51, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)                                \
	X(revision, 53, FIELD_COUNT, UINT64_MAX, NULL, FIELD_SHOWN)

#endif
