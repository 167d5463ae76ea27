/*
 * imap_search.h - what SEARCH, SORT and THREAD ask for (RFC 9051, 6.4.4; RFC 3501, 6.4.4; RFC 5256;
 * RFC 5032, 7162, 8474, 8514).
 *
 * The keys are a tree in one array, each branch before what it holds, so that neither reading nor judging
 * needs the C stack (H25):
 *
 *     SEEN OR FROM a NOT TO b        0 AND next 6
 *                                    1   FLAG next 2
 *                                    2   OR next 6
 *                                    3     FROM next 4
 *                                    4     NOT next 6
 *                                    5       TO next 6
 */
#ifndef PROTO_IMAP_IMAP_SEARCH_H
#define PROTO_IMAP_IMAP_SEARCH_H

#include "proto/imap/imap_args.h"

#define IMAP_SEARCH_KEYS_MAX 100 /* that a client may name (H25) */
#define IMAP_SEARCH_DEPTH_MAX 20 /* NOT, OR and lists inside each other */
#define IMAP_SORT_MAX 16         /* criteria of a SORT */

enum imap_key_kind {
	/* branches */
	IMAP_KEY_AND, /* of what it holds, at least one; keys[0] is one */
	IMAP_KEY_OR,  /* of two */
	IMAP_KEY_NOT, /* of one */

	/* of what lies ready: flags, numbers, sizes, dates */
	IMAP_KEY_ALL,
	IMAP_KEY_FLAG,       /* flag */
	IMAP_KEY_NO_FLAG,    /* flag */
	IMAP_KEY_KEYWORD,    /* text */
	IMAP_KEY_NO_KEYWORD, /* text */
	IMAP_KEY_RECENT,
	IMAP_KEY_NEW,        /* RECENT and not \Seen */
	IMAP_KEY_OLD,        /* not RECENT */
	IMAP_KEY_NUMBERS,    /* set, of sequence numbers; set.saved: "$" */
	IMAP_KEY_UIDS,       /* set; set.saved as well */
	IMAP_KEY_LARGER,     /* number, bytes */
	IMAP_KEY_SMALLER,
	IMAP_KEY_MODSEQ,     /* number: this or a higher one */
	IMAP_KEY_BEFORE,     /* day, of INTERNALDATE */
	IMAP_KEY_ON,
	IMAP_KEY_SINCE,
	IMAP_KEY_YOUNGER,    /* number, seconds: INTERNALDATE is at least now less these */
	IMAP_KEY_OLDER,
	IMAP_KEY_SAVED_BEFORE, /* day, of SAVEDATE */
	IMAP_KEY_SAVED_ON,
	IMAP_KEY_SAVED_SINCE,
	IMAP_KEY_SAVEDATE_SUPPORTED,
	IMAP_KEY_EMAILID,    /* text */
	IMAP_KEY_THREADID,   /* text */

	/* of stored fields */
	IMAP_KEY_SENT_BEFORE, /* day, of Date */
	IMAP_KEY_SENT_ON,
	IMAP_KEY_SENT_SINCE,
	IMAP_KEY_FROM,       /* text */
	IMAP_KEY_TO,
	IMAP_KEY_CC,
	IMAP_KEY_BCC,
	IMAP_KEY_SUBJECT,

	/* of the message itself */
	IMAP_KEY_HEADER,     /* field, and text in it; no text: the field is there */
	IMAP_KEY_BODY,       /* text */
	IMAP_KEY_TEXT,       /* text, in header or body */
};

struct imap_key {
	enum imap_key_kind kind;
	unsigned next; /* index of what follows it and all that it holds */
	unsigned flag; /* IMAP_FLAG_ bit */
	struct span text;  /* as it came, in the charset that was said */
	struct span field;
	uint64_t number;
	int64_t day; /* since 1970-01-01 */
	struct imap_seqset set;
};

/* RETURN (RFC 9051, 6.4.4; RFC 4731, RFC 5182). */
#define IMAP_RETURN_MIN (1u << 0)
#define IMAP_RETURN_MAX (1u << 1)
#define IMAP_RETURN_ALL (1u << 2)
#define IMAP_RETURN_COUNT (1u << 3)
#define IMAP_RETURN_SAVE (1u << 4)

struct imap_search {
	bool extended;       /* there was a RETURN: the answer is ESEARCH */
	unsigned returns;    /* IMAP_RETURN_ bits; "RETURN ()" is ALL */
	struct span charset; /* empty: none was said; any letter case */
	struct imap_key *keys;
	size_t count;
	bool has_modseq; /* a MODSEQ key: the answer says the highest (RFC 7162, 3.1.5) */
	bool has_saved;  /* a "$" (RFC 5182, 2.1) */
};

/* All of the arguments of SEARCH: " [RETURN (...)] [CHARSET x] keys". */
MUST_CHECK bool imap_take_search(struct imap_cursor *c, struct imap_search *out);

enum imap_sort_by {
	IMAP_SORT_ARRIVAL,
	IMAP_SORT_CC,
	IMAP_SORT_DATE,
	IMAP_SORT_FROM,
	IMAP_SORT_SIZE,
	IMAP_SORT_SUBJECT,
	IMAP_SORT_TO,
};

struct imap_sort {
	struct imap_sort_criterion {
		enum imap_sort_by by;
		bool reverse;
	} criteria[IMAP_SORT_MAX];
	size_t count;
	struct imap_search search; /* its charset is always said */
};

/* " (criteria) charset keys" (RFC 5256, 3). */
MUST_CHECK bool imap_take_sort(struct imap_cursor *c, struct imap_sort *out);

struct imap_thread {
	struct span algorithm; /* any letter case: "REFERENCES", "ORDEREDSUBJECT", or one we do not know */
	struct imap_search search;
};

/* " algorithm charset keys" (RFC 5256, 3). */
MUST_CHECK bool imap_take_thread(struct imap_cursor *c, struct imap_thread *out);

/* Of each key, as far as it is known: leaves may be judged in any order, the cheap ones first. */
enum imap_verdict { IMAP_VERDICT_UNKNOWN, IMAP_VERDICT_NO, IMAP_VERDICT_YES };

/*
 * VERDICTS has one for each key; those of the leaves are the caller's, those of the branches are filled
 * in. The verdict of all. In step with the number of keys.
 */
enum imap_verdict imap_search_judge(const struct imap_search *s, unsigned char *verdicts);

#endif
