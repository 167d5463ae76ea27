/*
 * print_reply.h - the answer to a command as a table, as labelled lines, as sentences or as JSON.
 *
 * What a table shows comes from the columns of the method's row. All of these append to a buf whose
 * `overflow` says that the answer was over PRINT_MAX.
 */
#ifndef TUI_PRINT_REPLY_H
#define TUI_PRINT_REPLY_H

#include "proto/base/arena.h"
#include "proto/control/control_method.h"
#include "tui/print.h"

#define PRINT_COLUMNS_MAX 32

/* Some rows as an aligned table. COLUMNS NULL: the usual ones. */
void print_table(struct buf *out, const struct control_method *m, const char *columns,
	const struct json *rows, const struct print_style *style);
/* One JSON object a line, all members or those of COLUMNS. */
void print_json_rows(struct buf *out, const struct json *rows, const char *columns);
/* One row of a log: time, level, service, session, message, text. */
void print_log_line(struct buf *out, const struct json *row, const struct print_style *style);
/* "412 lines skipped", where an event of the log says so. */
void print_skipped(struct buf *out, const struct json *data);
/* "name  value" lines, nested objects as name.member. */
void print_object(struct buf *out, const struct control_method *m, const struct json *object,
	const struct print_style *style);
/* A message's way, step by step; what explain foresees. */
void print_trace(struct buf *out, const struct json *row, const struct print_style *style);
void print_explain(struct buf *out, const struct json *object, const struct print_style *style);
void print_mapping_test(
	struct buf *out, const struct json *object, const struct print_style *style);
/* "user anna added; postroom undo 7 takes it back", what was skipped. UNDONE: it was an undo. */
void print_done(
	struct buf *out, const struct json *done, bool undone, const struct print_style *style);
/* What a preview would change. */
void print_preview(struct buf *out, const struct json *preview, const struct print_style *style);
/* The answer of a method in its usual form, or as JSON. */
void print_reply(struct buf *out, const struct control_method *m, const struct json *result,
	const char *columns, bool json, const struct print_style *style);

/* Are all of COLUMNS ("a,b") fields of the method? *wrong is the first that is not. */
bool print_columns_known(const struct control_method *m, const char *columns, struct span *wrong);

/* The first of `errors`: what ran, but failed (rpc_reply.h); NULL: nothing did, or nobody waited. */
const struct json *reply_errors(const struct json *result);
/* A check with findings that are no warnings; what left out some of what was named, or ran, but failed. */
bool reply_tells_of_faults(const struct control_method *m, const struct json *result);

/* What of a message is printed, with an empty line between. */
enum message_part {
	MESSAGE_FACTS = 1,
	MESSAGE_HEADER = 2,
	MESSAGE_BODY = 4, /* as it came */
	MESSAGE_TEXT = 8, /* decoded, for people */
	MESSAGE_PARTS = 16,
};
void print_letter(struct buf *out, const struct control_method *m, const struct json *message,
	unsigned parts, const struct print_style *style);

#endif
