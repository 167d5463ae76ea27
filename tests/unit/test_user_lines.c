/*
 * test_user_lines.c - users on lines: the CSV layouts of F-USR-2 and the lines of a bulk add.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/control/user_lines.h"
#include "tests/unit/test_control.h"

#define check_row(i, condition)                                                                    \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_msg("row %zu: %s", (size_t)(i), #condition);                          \
	} while (0)

static const struct {
	unsigned layout;
	size_t columns;
} layouts[] = {
	{ USER_IN_ALL, 2 },
	{ USER_IN_PASSWORDS, 3 },
	{ USER_IN_VERBOSE, 13 },
	{ USER_IN_VERBOSE | USER_IN_PASSWORDS, 14 },
};

static struct user_line
anna(void)
{
	struct user_line line = { 0 };

	line.cells[USER_COLUMN_name].text = SPAN("anna");
	line.cells[USER_COLUMN_admin].number = 1;
	line.cells[USER_COLUMN_password].text = SPAN("$argon2id$v=19$m=8192,t=1,p=1$c2FsdA$aGFzaA");
	line.cells[USER_COLUMN_forward_to].text = SPAN("bo@example.net;\"c\" <c@example.net>");
	line.cells[USER_COLUMN_forward].number = 1;
	line.cells[USER_COLUMN_comment].text = SPAN("=1+1, \"Anna\"");
	line.cells[USER_COLUMN_max_out_kb].number = 100;
	return line;
}

/* USR-42: four layouts of exactly 2, 3, 13 and 14 columns; text in quotes, numbers bare. */
static void
usr_42_layouts_come_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(layouts); i++) {
		struct user_line line = anna(), back;
		struct span fields[CSV_FIELDS_MAX];
		const char *why = "";
		struct arena a;
		struct buf out;
		size_t count;

		arena_init(&a, NULL);
		buf_init(&out, 4096);
		check_row(i, user_line_put(&out, &line, layouts[i].layout) == OK);
		check_row(i, span_starts(buf_span(&out), SPAN("\"anna\",1")));
		out.len -= 2;
		check_row(i, csv_parse(&a, at_page_edge(buf_span(&out)), fields, &count) == OK);
		check_row(i, count == layouts[i].columns);
		check_row(i, user_line_parse(&a, at_page_edge(buf_span(&out)), NULL, &back, &why) == OK);
		for (size_t c = 0; c < USER_COLUMNS; c++) {
			check_row(c, !back.cells[c].present ||
				(span_eq(back.cells[c].text, line.cells[c].text) &&
					back.cells[c].number == line.cells[c].number));
		}
		check_row(i, back.cells[USER_COLUMN_password].present ==
				     ((layouts[i].layout & USER_IN_PASSWORDS) != 0));
		check_row(i, back.cells[USER_COLUMN_comment].present ==
				     ((layouts[i].layout & USER_IN_VERBOSE) != 0));
		buf_fini(&out);
		arena_reset(&a);
	}
}

static void
usr_43_titles_choose_the_columns(void **state)
{
	static const struct {
		const char *titles, *line;
		enum err titles_want, want;
		const char *comment;
	} rows[] = {
		{ "\"User Id\", \"Admin\", \"Password\"", "anna,0,x", OK, OK, "" },
		{ "User Id,Comments", "\"anna\",\"Anna, here\"", OK, OK, "Anna, here" },
		{ "user id,comments,admin", "anna,x,1", OK, OK, "x" },
		{ "User Id,Comments", "anna", OK, ERR_SYNTAX, "" },
		{ "User Id,Comments", "anna,x,y", OK, ERR_SYNTAX, "" },
		{ "User Id,Admin", "anna,maybe", OK, ERR_SYNTAX, "" },
		{ "User Id,Max Outgoing kB", "anna,-1", OK, ERR_SYNTAX, "" },
		{ "User Id,Nonsense", "", ERR_SYNTAX, OK, "" },
		{ "User Id,Admin,admin", "", ERR_SYNTAX, OK, "" },
		{ "\"User Id", "", ERR_SYNTAX, OK, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct user_columns columns;
		struct user_line line;
		const char *why = NULL;
		struct arena a;

		arena_init(&a, NULL);
		check_row(i, user_line_is_titles(at_page_edge(span_of(rows[i].titles))));
		check_row(i, user_titles_parse(&a, at_page_edge(span_of(rows[i].titles)), &columns,
				     &why) == rows[i].titles_want);
		if (rows[i].titles_want == OK) {
			check_row(i, user_line_parse(&a, at_page_edge(span_of(rows[i].line)), &columns,
					     &line, &why) == rows[i].want);
			if (rows[i].want == OK)
				check_row(i, span_eq(line.cells[USER_COLUMN_comment].text,
						     span_of(rows[i].comment)));
		}
		check_row(i, (why == NULL) == (rows[i].titles_want == OK && rows[i].want == OK));
		arena_reset(&a);
	}
}

static void
usr_43_lines_without_titles(void **state)
{
	static const struct {
		const char *line;
		enum err want;
	} rows[] = {
		{ "anna,1", OK },
		{ "anna,yes,", OK },
		{ "anna", ERR_SYNTAX },
		{ ",1", ERR_SYNTAX },
		{ "anna,1,x,y", ERR_SYNTAX },
		{ "a,0,,,0,,0,,1,1,1,0,0", OK },
		{ "a,0,,,,0,,0,,1,1,1,0,0", OK },
		{ "a,0,,,,0,,0,,1,1,1,0,0,9", ERR_SYNTAX },
		{ "a,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15", ERR_SYNTAX },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct user_line line;
		const char *why;
		struct arena a;

		arena_init(&a, NULL);
		check_row(i, user_line_parse(&a, at_page_edge(span_of(rows[i].line)), NULL, &line,
				     &why) == rows[i].want);
		arena_reset(&a);
	}
}

/* What a spreadsheet keeps of a guarded cell, with or without its double quotes, is the cell (H70). */
static void
h70_cells_survive_a_spreadsheet(void **state)
{
	static const struct {
		const char *cell, *kept;
	} rows[] = {
		{ "=1+1", "'=1+1" }, { "@x", "\"'@x\"" }, { "'=x", "''=x" }, { "''", "'''" },
		{ "'", "'" }, { "'x", "'x" }, { "x'=", "x'=" }, { "-", "'-" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span fields[CSV_FIELDS_MAX];
		struct arena a;
		size_t count;

		arena_init(&a, NULL);
		check_row(i, csv_parse(&a, at_page_edge(span_of(rows[i].kept)), fields, &count) == OK);
		check_row(i, count == 1 && span_eq(fields[0], span_of(rows[i].cell)));
		arena_reset(&a);
	}
}

static void
usr_12_bulk_lines(void **state)
{
	static const struct {
		const char *line, *name, *password, *comment;
	} rows[] = {
		{ "anna secret", "anna", "secret", "" },
		{ "  anna\tsecret  Anna of the office ", "anna", "secret", "Anna of the office" },
		{ "anna \"four words with blanks\"", "anna", "four words with blanks", "" },
		{ "anna \"a \"\"b\"\" c\" \"Anna, \"\"A\"\"\"", "anna", "a \"b\" c", "Anna, \"A\"" },
		{ "anna,a long one,Anna, here", NULL, NULL, NULL },
		{ "anna,a long one,\"Anna, here\"", "anna", "a long one", "Anna, here" },
		{ "\"anna\",secret", "anna", "secret", "" },
		{ "anna,", NULL, NULL, NULL },
		{ ",secret", NULL, NULL, NULL },
		{ "anna", NULL, NULL, NULL },
		{ "anna \"open", NULL, NULL, NULL },
		{ "anna \"x\"y z", NULL, NULL, NULL },
		{ "anna x \"y\" z", NULL, NULL, NULL },
		{ "\"\" x", NULL, NULL, NULL },
		{ "anna \"\"", NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bulk_line line;
		const char *why = NULL;
		struct arena a;
		enum err err;

		arena_init(&a, NULL);
		err = bulk_line_parse(&a, at_page_edge(span_of(rows[i].line)), &line, &why);
		check_row(i, err == (rows[i].name ? OK : ERR_SYNTAX));
		check_row(i, (why == NULL) == (err == OK));
		if (err == OK) {
			check_row(i, span_eq(line.name, span_of(rows[i].name)));
			check_row(i, span_eq(line.password, span_of(rows[i].password)));
			check_row(i, span_eq(line.comment, span_of(rows[i].comment)));
		}
		arena_reset(&a);
	}
}

static void
usr_43_plain_lines_are_told_from_exports(void **state)
{
	static const struct {
		const char *line;
		bool plain;
	} rows[] = {
		{ "anna,1", false }, { "anna,0,$argon2id$x", false }, { "anna,,", false },
		{ "anna,secret", true }, { "anna,false,Anna", true }, { "anna,secret,x,y", false },
		{ "anna", false }, { "\"open,x", false },
		{ "anna,no,$argon2id$x", false }, { "anna,TRUE,$y$j9T$x", false }, /* a hash is no comment */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena a;

		arena_init(&a, NULL);
		check_row(i, bulk_line_is_csv(&a, at_page_edge(span_of(rows[i].line))) ==
				     rows[i].plain);
		arena_reset(&a);
	}
}

/* A user called name with the password "password" would be an open door. */
static void
usr_12_titles_of_a_spreadsheet_make_no_user(void **state)
{
	static const struct {
		const char *line;
		bool titles;
	} rows[] = {
		{ "name,password,comment", true }, { "Name;Password", true }, { "user password", true },
		{ "\"Username\", \"PASSWORD\", \"Comment\"", true }, { "login\tpassword", true },
		{ "name,secret", false }, { "anna,password", false }, { "name", false }, { "", false },
		{ "name passwords", false }, { "\"\",,;", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(i, bulk_line_is_titles(at_page_edge(span_of(rows[i].line))) ==
				     rows[i].titles);
}

int
test_user_lines(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usr_42_layouts_come_back),
		cmocka_unit_test(usr_43_titles_choose_the_columns),
		cmocka_unit_test(usr_43_lines_without_titles),
		cmocka_unit_test(h70_cells_survive_a_spreadsheet),
		cmocka_unit_test(usr_12_bulk_lines),
		cmocka_unit_test(usr_12_titles_of_a_spreadsheet_make_no_user),
		cmocka_unit_test(usr_43_plain_lines_are_told_from_exports),
	};

	return cmocka_run_group_tests_name("user_lines", tests, NULL, NULL);
}
