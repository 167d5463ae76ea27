/*
 * imap_commands.c - the table of commands (house, 9), and the capabilities that follow from it.
 */
#include "server/imap/imap_commands.h"

#include "server/imap/imap_session.h"

const struct imap_row imap_commands[] = {
	/* name           where          capability   flags         handler */
	{ "CAPABILITY", IMAP_ANY, NULL, IMAP_QUIET, imap_cmd_capability },	  /* RFC 9051, 6.1.1 */
	{ "NOOP", IMAP_ANY, NULL, 0, imap_cmd_noop },				  /* RFC 9051, 6.1.2 */
	{ "LOGOUT", IMAP_ANY, NULL, IMAP_QUIET, imap_cmd_logout },		  /* RFC 9051, 6.1.3 */
	{ "STARTTLS", IMAP_BEFORE, NULL, IMAP_MACHINE, NULL },			  /* RFC 9051, 6.2.1 */
	{ "AUTHENTICATE", IMAP_BEFORE, NULL, IMAP_MACHINE, NULL },		  /* RFC 9051, 6.2.2 */
	{ "LOGIN", IMAP_BEFORE, NULL, IMAP_MACHINE, NULL },			  /* RFC 9051, 6.2.3 */
	{ "ID", IMAP_ANY, "ID", IMAP_QUIET, imap_cmd_id },			  /* RFC 2971, 3.1 */
	{ "ENABLE", IMAP_AFTER, "ENABLE", IMAP_QUIET, imap_cmd_enable },	  /* RFC 9051, 6.3.1 */
	{ "CREATE", IMAP_AFTER, "CREATE-SPECIAL-USE", 0, imap_cmd_create },	  /* RFC 9051, 6.3.4 */
	{ "DELETE", IMAP_AFTER, NULL, 0, imap_cmd_delete },			  /* RFC 9051, 6.3.5 */
	{ "RENAME", IMAP_AFTER, NULL, 0, imap_cmd_rename },			  /* RFC 9051, 6.3.6 */
	{ "SUBSCRIBE", IMAP_AFTER, NULL, 0, imap_cmd_subscribe },		  /* RFC 9051, 6.3.7 */
	{ "UNSUBSCRIBE", IMAP_AFTER, NULL, 0, imap_cmd_unsubscribe },		  /* RFC 9051, 6.3.8 */
	{ "LIST", IMAP_AFTER, "CHILDREN LIST-EXTENDED LIST-MYRIGHTS LIST-STATUS SPECIAL-USE", 0,
		imap_cmd_list },						  /* RFC 9051, 6.3.9 */
	{ "LSUB", IMAP_AFTER, NULL, 0, imap_cmd_lsub },				  /* RFC 3501, 6.3.9 */
	{ "NAMESPACE", IMAP_AFTER, "NAMESPACE", 0, imap_cmd_namespace },	  /* RFC 9051, 6.3.10 */
	{ "STATUS", IMAP_AFTER, "STATUS=SIZE", 0, imap_cmd_status },		  /* RFC 9051, 6.3.11 */
	{ "SELECT", IMAP_AFTER, NULL, IMAP_QUIET, imap_cmd_select },		  /* RFC 9051, 6.3.2 */
	{ "EXAMINE", IMAP_AFTER, NULL, IMAP_QUIET, imap_cmd_examine },		  /* RFC 9051, 6.3.3 */
	{ "APPEND", IMAP_AFTER, "MULTIAPPEND", IMAP_MACHINE, NULL },		  /* RFC 9051, 6.3.12 */
	{ "IDLE", IMAP_AFTER, "IDLE", 0, imap_cmd_idle },			  /* RFC 9051, 6.3.13 */
	{ "SETACL", IMAP_AFTER, "ACL RIGHTS=kxte", 0, imap_cmd_setacl },	  /* RFC 4314, 3.1 */
	{ "DELETEACL", IMAP_AFTER, NULL, 0, imap_cmd_deleteacl },		  /* RFC 4314, 3.2 */
	{ "GETACL", IMAP_AFTER, NULL, 0, imap_cmd_getacl },			  /* RFC 4314, 3.3 */
	{ "LISTRIGHTS", IMAP_AFTER, NULL, 0, imap_cmd_listrights },		  /* RFC 4314, 3.4 */
	{ "MYRIGHTS", IMAP_AFTER, NULL, 0, imap_cmd_myrights },			  /* RFC 4314, 3.5 */
	{ "GETQUOTA", IMAP_AFTER, "QUOTA QUOTA=RES-STORAGE", 0, imap_cmd_getquota }, /* RFC 9208, 4.1.2 */
	{ "GETQUOTAROOT", IMAP_AFTER, NULL, 0, imap_cmd_getquotaroot },		  /* RFC 9208, 4.1.3 */
	{ "CHECK", IMAP_SELECTED, NULL, 0, imap_cmd_noop },			  /* RFC 3501, 6.4.1 */
	{ "CLOSE", IMAP_SELECTED, NULL, IMAP_QUIET, imap_cmd_close },		  /* RFC 9051, 6.4.1 */
	{ "UNSELECT", IMAP_SELECTED, "UNSELECT", IMAP_QUIET, imap_cmd_unselect }, /* RFC 9051, 6.4.2 */
	{ "FETCH", IMAP_SELECTED, "BINARY CONDSTORE QRESYNC OBJECTID SAVEDATE",
		IMAP_UID | IMAP_NO_EXPUNGE | IMAP_NEEDS_VIEW, imap_cmd_fetch }, /* RFC 9051, 6.4.5 */
	{ "EXPUNGE", IMAP_SELECTED, "UIDPLUS", IMAP_WRITES | IMAP_UID | IMAP_NEEDS_VIEW, imap_cmd_expunge }, /* RFC 9051, 6.4.3 */
	{ "STORE", IMAP_SELECTED, NULL, IMAP_WRITES | IMAP_UID | IMAP_NO_EXPUNGE | IMAP_NEEDS_VIEW,
		imap_cmd_store }, /* RFC 9051, 6.4.6 */
	{ "COPY", IMAP_SELECTED, NULL, IMAP_UID | IMAP_NEEDS_VIEW, imap_cmd_copy }, /* RFC 9051, 6.4.7 */
	{ "MOVE", IMAP_SELECTED, "MOVE", IMAP_WRITES | IMAP_UID | IMAP_NEEDS_VIEW,
		imap_cmd_move }, /* RFC 9051, 6.4.8 */
	{ "SEARCH", IMAP_SELECTED, "ESEARCH SEARCHRES WITHIN", IMAP_UID | IMAP_NO_EXPUNGE | IMAP_NEEDS_VIEW,
		imap_cmd_search }, /* RFC 9051, 6.4.4 */
	{ "SORT", IMAP_SELECTED, "SORT", IMAP_UID | IMAP_NO_EXPUNGE | IMAP_NEEDS_VIEW,
		imap_cmd_sort }, /* RFC 5256, 3 */
	{ "THREAD", IMAP_SELECTED, "THREAD=ORDEREDSUBJECT THREAD=REFERENCES",
		IMAP_UID | IMAP_NO_EXPUNGE | IMAP_NEEDS_VIEW, imap_cmd_thread }, /* RFC 5256, 3 */
};
const size_t imap_command_count = COUNT(imap_commands);

/* What clients look for and no command of its own stands for. */
static const char *const extensions[] = {
	"UTF8=ACCEPT", /* RFC 6855 */
};

const struct imap_row *
imap_command_find(struct span name, bool by_uid)
{
	for (size_t i = 0; i < imap_command_count; i++) {
		const struct imap_row *row = &imap_commands[i];

		if (!span_eq_nocase(name, span_of(row->name)))
			continue;
		if (by_uid ? row->flags & (IMAP_UID | IMAP_ONLY_UID)
			   : !(row->flags & IMAP_ONLY_UID))
			return row;
	}
	return NULL;
}

static enum err
put_word(struct buf *out, const char *word)
{
	return buf_put_char(out, ' ') == OK && buf_put(out, span_of(word)) == OK ? OK : ERR_LIMIT;
}

enum err
imap_put_capabilities(struct imap_session *s, struct buf *out)
{
	enum err err = buf_put(out, SPAN("IMAP4rev2 IMAP4rev1")); /* RFC 9051, 7.2.2 */

	if (err == OK)
		err = imap_server_put_capabilities(&s->machine, out);
	for (size_t i = 0; i < imap_command_count && err == OK; i++) {
		if (imap_commands[i].capability)
			err = put_word(out, imap_commands[i].capability);
	}
	for (size_t i = 0; i < COUNT(extensions) && err == OK; i++)
		err = put_word(out, extensions[i]);
	return err;
}
