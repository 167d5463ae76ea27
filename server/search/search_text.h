/*
 * search_text.h - what a message says, as SEARCH looks at it: decoded, in UTF-8, folded, piece by piece.
 *
 * The one door for the index and for who reads messages instead: what one finds the other finds. The
 * fields of the header and of the headers of parts are SEARCH_IN_HEADER, each a section of its own,
 * unfolded and its encoded words decoded. Parts of type text/... are SEARCH_IN_BODY, their transfer
 * encoding and charset undone; HTML is its source, then what a reader of it sees. Other parts are their
 * headers alone, and the names of attachments, decoded.
 */
#ifndef SERVER_SEARCH_SEARCH_TEXT_H
#define SERVER_SEARCH_SEARCH_TEXT_H

#include "store/contents.h"
#include "store/search_index.h"

#define SEARCH_TEXT_MAX (16u << 20)        /* bytes of a message that are looked at, as they are stored */
#define SEARCH_HTML_MAX (256u << 10)       /* bytes of the source of a part that are read as HTML */
#define SEARCH_PART_HEADER_MAX (64u << 10) /* bytes of the header of a part */

/*
 * TEXT goes on behind the piece before it until one ENDS its section. It is whole characters of UTF-8,
 * folded (utf8_fold) but for ASCII capitals, and lives during the call. False: enough, no more pieces.
 */
typedef bool search_piece_fn(void *arg, unsigned where, struct span text, bool ends);

struct search_sink {
	unsigned where; /* SEARCH_IN_ bits: what is wanted */
	search_piece_fn *piece;
	void *arg;
};

/*
 * Read CONTENT under SNAP. ERR_CORRUPT: a part of it is damaged, the rest was read. ERR_DENIED: it is
 * encrypted and there is no key. ERR_IO. On a worker: a large one takes some ms.
 */
MUST_CHECK enum err search_text_read(struct snapshot *snap, const struct content *content,
	const struct search_sink *sink);
/* Lines of a header: those in front of a copy. */
void search_text_header(struct span header, const struct search_sink *sink);

#endif
