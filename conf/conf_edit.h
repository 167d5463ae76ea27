/*
 * conf_edit.h - change, add or remove keys of a configuration text; every other byte stays.
 *
 * A key of an item that is not there yet ("outgoing.routes.isp" with a map) is one more item.
 *
 * Text in, text out: comments, order and indentation of all else are kept (CFG-02). The result is
 * loaded and checked before it counts.
 */
#ifndef CONF_CONF_EDIT_H
#define CONF_CONF_EDIT_H

#include "conf/conf_load.h"

struct conf_change {
	struct span key; /* "log.level", "services.smtp.listen", "outgoing.routes.isp.tls" */
	/*
	 * A word or a number as a person types it, or JSON for lists and maps; any text is quoted
	 * as needed where the setting is a text.
	 */
	struct span value;
	bool remove; /* back to the default; VALUE does not count */
	/* Not 0: the item KEY of a list moves to this place, from 1; VALUE does not count. */
	size_t place;
};

/*
 * Put TEXT with one CHANGE into OUT (empty at first, its limit at least CONF_FILE_MAX).
 *
 * ERR_NOT_FOUND   no such setting; for a removal, the text does not give it
 * ERR_SYNTAX      the value, or the text after the change, is refused: see FAULTS
 * ERR_LIMIT       the text would grow too long
 */
MUST_CHECK enum err conf_edit(struct span text, const struct conf_change *change, struct buf *out,
	struct conf_faults *faults);

/* Several as one, each upon the one before; all or none. */
MUST_CHECK enum err conf_edit_all(struct span text, const struct conf_change *changes,
	size_t count, struct buf *out, struct conf_faults *faults);

/* Who changed the file, when and how; for the history. Controls in it are replaced. */
struct conf_note {
	int64_t time_ms; /* wall clock */
	struct span who;
	struct span what;
};

/*
 * Make CHANGES in the file at PATH, whose text was LAST_READ when the server last looked.
 *
 * If the file has changed since, the changes are made on its new text, unless it touched one of
 * the same keys: then ERR_BUSY, a clash; broken by hand: ERR_SYNTAX, see FAULTS. The old text goes into the history, the new one is written
 * atomically: after a crash the old file or the new. OUT gets the new text. ERR_IO, and the errors
 * of conf_edit. The new file has owner and mode of the old one.
 */
MUST_CHECK enum err conf_edit_save(const char *path, struct span last_read,
	const struct conf_change *changes, size_t count, const struct conf_note *note,
	struct buf *out, struct conf_faults *faults);

/*
 * Put TEXT as a whole in the place of WAS, with history and crash safety as above. ERR_BUSY: the file is not WAS;
 * ERR_SYNTAX: TEXT is refused, see FAULTS, to which its warnings are added. ERR_LIMIT, ERR_IO.
 */
MUST_CHECK enum err conf_text_save(const char *path, struct span was, struct span text,
	const struct conf_note *note, struct conf_faults *faults);

#endif
