/*
 * control_filter.h - filter words, the same in console and command line (--filter).
 *
 *   from:bo to:@dest3.test -state:held size>1M age>2h try>3 date:2026-11-20..21 a|b "two words"
 *
 * Words are AND, '|' inside a word is OR, '-' in front negates, quotes keep blanks. A word without
 * a field looks at every column. `field:` is an alias of the table below or a column of the list;
 * text is found anywhere in the cell, ASCII letters without case, '*' and '?' as wildcards;
 * `target=anna` wants the whole cell, or one of the values of a list.
 * Numbers, sizes, durations and times also take > < >= <= and ranges a..b.
 */
#ifndef PROTO_CONTROL_CONTROL_FILTER_H
#define PROTO_CONTROL_CONTROL_FILTER_H

#include "proto/base/arena.h"
#include "proto/control/control_schema.h"

#define CONTROL_FILTER_MAX 4096      /* bytes of a filter */
#define CONTROL_FILTER_WORDS_MAX 32  /* words of a filter */
#define CONTROL_FILTER_CHOICES_MAX 16 /* alternatives in one word */

/*  X(word, columns it looks at: the first ones that the list has) */
#define CONTROL_FILTER_FIELDS(X) \
	X("from", "from sender") \
	X("to", "to recipients target") \
	X("subject", "subject") \
	X("id", "id uid message message_id") \
	X("state", "state flags held result") \
	X("via", "via route") \
	X("user", "user name") \
	X("rule", "rule because") \
	X("reason", "reason because last_error why") \
	X("text", "") \
	X("size", "size") \
	X("age", "age") \
	X("try", "tries") \
	X("date", "date time next_try") \
	X("flag", "flags")

struct control_choice {
	struct span text;  /* without quotes */
	bool whole;        /* all of the cell, not a part of it */
	int64_t low, high; /* of a number, a size, a duration or a time in s; both ends included */
};

struct control_filter_word {
	bool negate;
	bool every_column; /* no field, or text: */
	size_t columns[4]; /* places in the list's column schema */
	size_t column_count;
	size_t choice_count;
	struct control_choice *choices;
};

struct control_filter_fault {
	size_t at, len; /* the wrong word's place in the filter text, in bytes */
	const char *why; /* static text */
};

struct control_filter {
	struct control_schema columns;
	size_t word_count;
	struct control_filter_word words[CONTROL_FILTER_WORDS_MAX];
	size_t fault_count;
	struct control_filter_fault faults[CONTROL_FILTER_WORDS_MAX];
};

/*
 * Read TEXT for a list with these COLUMNS (the schema of its row in control_methods.h). NOW_S is
 * what ages of times count from. The words of *out lie in A and point into TEXT. ERR_SYNTAX: at
 * least one word is wrong, faults[] says where; the others stand and may be used. ERR_LIMIT: too
 * long, or too many words or alternatives; nothing is kept.
 */
MUST_CHECK enum err control_filter_parse(struct span text, const char *columns, int64_t now_s,
	struct arena *a, struct control_filter *out);

/* One cell of a row: numbers, sizes, durations, flags (0, 1) and times in s as number, all else as
 * text; a list is its values with a blank between. */
struct control_cell {
	struct span text;
	int64_t number;
	bool present;
};

/* Give cell COLUMN (its place in the column schema) of ROW. */
typedef struct control_cell control_cell_fn(const void *row, size_t column);

/* Does ROW pass? An empty filter lets every row pass. Allocates nothing. */
bool control_filter_match(
	const struct control_filter *filter, control_cell_fn *cell, const void *row);

#endif
