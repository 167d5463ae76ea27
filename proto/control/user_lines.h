/*
 * user_lines.h - a user on one line: the four CSV layouts of F-USR-2, and the lines of a bulk add.
 *
 *   short      User Id, Admin                                           2 columns
 *              User Id, Admin, Password                                 3
 *   verbose    User Id, Admin, Reply Address, ... Max Outgoing kB      13
 *              User Id, Admin, Password, Reply Address, ...            14
 *
 * The password of a CSV is the stored hash: it can be imported again and not be read. With a
 * line of titles the columns may stand in any order, and others than "User Id" may be missing.
 *
 * A bulk line is `name password [comment]`: blanks between them, a password with blanks in double
 * quotes, the comment up to the end of the line; or `name,password[,comment]` as CSV.
 */
#ifndef PROTO_CONTROL_USER_LINES_H
#define PROTO_CONTROL_USER_LINES_H

#include "proto/base/csv.h"

#define USER_COLUMNS 14

/* X(member, title, kind, layouts): the columns in order. */
#define USER_COLUMN_ROWS(X) \
	X(name, "User Id", TEXT, USER_IN_ALL) \
	X(admin, "Admin", FLAG, USER_IN_ALL) \
	X(password, "Password", TEXT, USER_IN_PASSWORDS) \
	X(reply_address, "Reply Address", TEXT, USER_IN_VERBOSE) \
	X(assistants, "Assistant", TEXT, USER_IN_VERBOSE) \
	X(assistant_redirect, "Only To Assistant", FLAG, USER_IN_VERBOSE) \
	X(forward_to, "Forward To", TEXT, USER_IN_VERBOSE) \
	X(forward, "Use Forwarding", FLAG, USER_IN_VERBOSE) \
	X(comment, "Comments", TEXT, USER_IN_VERBOSE) \
	X(everyone, "In Everyone", FLAG, USER_IN_VERBOSE) \
	X(send_internet, "Send Internet", FLAG, USER_IN_VERBOSE) \
	X(receive_internet, "Receive Internet", FLAG, USER_IN_VERBOSE) \
	X(monitor, "Monitor", FLAG, USER_IN_VERBOSE) \
	X(max_out_kb, "Max Outgoing kB", COUNT, USER_IN_VERBOSE)

enum user_layout { USER_IN_ALL, USER_IN_VERBOSE = 1, USER_IN_PASSWORDS = 2 }; /* bits */

/* One cell: a text, or a number (a flag is 0 or 1). */
struct user_cell {
	bool present; /* the layout has the column */
	struct span text;
	uint64_t number;
};

enum user_column {
#define X(member, title, kind, layouts) USER_COLUMN_##member,
	USER_COLUMN_ROWS(X)
#undef X
};

struct user_line {
	struct user_cell cells[USER_COLUMNS]; /* by enum user_column */
};

/* Which column stands at which place of a line. */
struct user_columns {
	uint8_t at[USER_COLUMNS]; /* enum user_column */
	size_t count;
};

/* The member's name, as `user set` knows it. */
const char *user_column_member(enum user_column column);

/* Put a line of LAYOUT (bits), or its titles, with CRLF (RFC 4180, 2). */
MUST_CHECK enum err user_line_put(
	struct buf *out, const struct user_line *line, unsigned layout);
MUST_CHECK enum err user_titles_put(struct buf *out, unsigned layout);

bool user_line_is_titles(struct span line);
/* ERR_SYNTAX with *why, static text, on what is wrong. */
MUST_CHECK enum err user_titles_parse(
	struct arena *a, struct span line, struct user_columns *columns, const char **why);

/*
 * Read a line: by COLUMNS, or, NULL, by the number of its fields. Spans in A or in LINE. ERR_SYNTAX with
 * *why, static text, on what is wrong.
 */
MUST_CHECK enum err user_line_parse(struct arena *a, struct span line,
	const struct user_columns *columns, struct user_line *out, const char **why);

struct bulk_line {
	struct span name, password, comment; /* comment may be empty */
};
/*
 * Is LINE the titles that a spreadsheet puts over bulk lines: "name,password,comment", "user password"?
 * Else it would be a user called name, whose password everybody knows.
 */
bool bulk_line_is_titles(struct span line);
/* Is LINE of a file without titles such a CSV line: two or three fields, and no flag second? */
bool bulk_line_is_csv(struct arena *a, struct span line);
MUST_CHECK enum err bulk_line_parse(
	struct arena *a, struct span line, struct bulk_line *out, const char **why);

#endif
