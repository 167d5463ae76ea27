/*
 * plan.h - what shall happen to a message, and why.
 *
 * The pipeline fills a plan and touches nothing else; intake carries it out, explain prints it. A
 * plan grows over the phases of a transaction and lives in the transaction's arena; nothing in it
 * points into a snapshot.
 */
#ifndef SERVER_PIPELINE_PLAN_H
#define SERVER_PIPELINE_PLAN_H

#include "conf/rule_text.h"
#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/mail/forward_server.h"
#include "server/pipeline/note.h"

struct journal_case;
struct mail;
struct name_wants;

/* Where one copy goes. */
enum copy_kind {
	COPY_FOLDER,  /* a folder of a user here */
	COPY_REMOTE,  /* a next hop, through the queue */
	COPY_DISCARD, /* accepted and kept nowhere */
	COPY_BOUNCE,  /* accepted, nobody here, and the sender gets a report (SMT-12) */
	COPY_STORE,   /* the archive */
};

/* What a copy is for. All but the first are decided behind `place`, and nobody is told of them. */
enum copy_role {
	COPY_DELIVERY, /* the recipients' */
	COPY_MONITOR,
	COPY_JOURNAL,
	COPY_ARCHIVE,
	COPY_ROLES,
};
extern const char *const copy_role_words[COPY_ROLES]; /* "delivery", "monitor", "journal", "archive" */

/* A part of a body: TEXT where that is not empty, else SIZE bytes of the body as it came, behind the first FROM. */
struct plan_piece {
	struct span text;
	uint64_t from, size;
};
#define PLAN_PIECES_MAX 1000 /* of one version */

/* What a copy has in place of what came; it lives in the arena of the plan, and so do all its spans. */
struct plan_version {
	struct plan_version *next;
	struct span header;              /* whole, with the empty line */
	struct span front;               /* in folders, in place of the plan's; empty: that one */
	const struct plan_piece *pieces; /* at most PLAN_PIECES_MAX */
	size_t piece_count;              /* 0: the body as it came */
};

/* What monitoring asks of a user, taken along where he was read: of a list nobody is looked up twice. */
struct user_watch {
	bool known, monitor; /* his Monitor Messages (USR-27), with his group's say */
	uint64_t group_id;   /* 0: none */
};

struct plan_copy {
	struct plan_copy *next;
	enum copy_kind kind;
	enum copy_role role;
	const struct plan_version *version; /* NULL: as a copy of its kind has it */
	bool own_sender;       /* SENDER is its reverse-path; empty is <>. COPY_FOLDER: no receipt for it either */
	struct span sender;
	uint8_t report;        /* COPY_REMOTE: enum queued_report, what becomes of it where it fails */
	size_t recipient_no;   /* which recipient of the envelope asked for it, from 0 */
	struct span recipient; /* its address as decided upon */
	uint64_t user_id;      /* COPY_FOLDER, and COPY_REMOTE of store and forward */
	struct span user;      /* COPY_FOLDER: "anna" */
	struct user_watch watch; /* COPY_FOLDER */
	struct span folder;    /* COPY_FOLDER: "INBOX" */
	struct span target;    /* COPY_FOLDER: "anna/INBOX"; COPY_REMOTE, COPY_BOUNCE: the forward-path */
	struct span route;     /* COPY_REMOTE: "lan:host:port" (LAN-01); empty: by the Internet */
	enum note_code why;    /* the note that explains it, with its values */
	struct span found;
	struct span because;
	uint64_t sent_by; /* the user whose mailbox sent it on; 0: no mailbox did */
	bool member; /* of a list or a group: he was not named himself */
	bool settled;  /* COPY_FOLDER: his mailbox has nothing to decide about it (mailbox_step.h) */
	bool passed;   /* a mailbox sent it on: not the sender's wish, so not of his limits (USR-23) */
	bool left;     /* to be taken out by plan_copies_sweep() */
	bool forwards; /* COPY_FOLDER: store and forward; the next COPY_REMOTE of his by it is its pair */
	bool held;  /* COPY_REMOTE: waits in the queue until it is released */
	bool quiet; /* one of many: the note is left out */
	bool lives_elsewhere; /* COPY_DISCARD: collected, and somebody else's (MAP-12) */
	bool by_rule; /* an SMTP rule names it; COPY_DISCARD: and so nothing of it is kept */
	bool ruled; /* an SMTP rule about its recipient has decided: later ones are not about it */
};

/* What an SMTP rule decided for the message (stage_rules.c). */
struct plan_rules {
	bool over;      /* no further rule is asked */
	bool also;
	uint8_t noted;  /* bits of stages where it was noted that none holds */
	enum rule_action action;
	struct span target;
	size_t before;  /* recipients accepted before that */
};

/* A rule that held, for its counters and the log (SMR-15). */
struct plan_hit {
	struct plan_hit *next;
	uint64_t key; /* rule.key */
	unsigned number, times;
	struct span name, sign;
};

/* What the peer is told where the plan refuses or defers; dressed by the session. Static texts. */
struct plan_reply {
	unsigned code; /* 550; 0 while nothing is refused */
	const char *enhanced; /* "5.1.1" */
	struct span text;     /* "No such user here" */
};

/* Did the sender show to be one of us? Contract 8: by AUTH, or in a noauth range by its address. */
enum plan_standing {
	STANDING_STRANGER,
	STANDING_RANGE, /* a noauth range or a relay range; the sender's address may be anything */
	STANDING_USER,  /* logged in, or from a noauth range with the address of a user */
};

/* AT_END: it answers a question of Ask (stage_question.c); written with the message. */
struct plan_answer {
	uint64_t question_no; /* 0: none */
	bool fetch;
};

struct plan {
	struct arena *arena;
	enum plan_standing standing; /* set AT_MAIL */
	bool may_relay;              /* set AT_MAIL: recipients elsewhere are taken (SMT-08) */
	const char *relay_why;       /* and why, or why not; static text */
	uint64_t sender_id;          /* set AT_MAIL: the user who sends, by login or by address; 0: none */
	struct name_wants *sender_wants; /* set AT_MAIL: where the sender's mapping leads (MAP-10), or NULL */
	const struct mail *archive_mail; /* set AT_END: whose envelope the archive keeps; NULL: this mail's */
	const struct plan_version *archive_version; /* set AT_END: and what of it; NULL: all, as folders have it */
	unsigned archive_direction;  /* set AT_END: enum direction of what the archive keeps; 0: it does not */
	struct plan_copy *copies;    /* in the order they were decided */
	struct plan_copy **copies_end;
	size_t copy_count;
	size_t forward_count; /* of these, by store and forward: none of the limit on expansion */
	size_t role_count;    /* of these, with a role of their own: neither */
	struct plan_version *versions; /* of all copies, the newest first */
	struct plan_copy **seen; /* hash table over kind and target, for RTE-15 */
	size_t seen_size;
	size_t recipients;       /* accepted so far */
	struct plan_rules rules;
	size_t ruled;            /* of the recipients, decided by a rule about them alone */
	bool discarded;          /* AT_END: by SMTP rules nothing of it is kept, nor archived */
	struct plan_hit *hits;
	size_t unknown;          /* recipients refused because nobody has that name */
	struct plan_lost {
		struct span address; /* of collected mail: the first recipient that nobody has (ADM-02); or empty */
		size_t recipient_no, count;
	} lost;
	struct span header; /* AT_END: as stored, with our trace fields and the empty line */
	struct span header_relayed; /* AT_END: as sent on, where that differs; empty: header */
	struct span header_outgoing; /* AT_END: as sent to the Internet, where that differs from header_relayed */
	const struct plan_version *outgoing; /* AT_END: what goes to the Internet in place of that; NULL: nothing */
	struct span front;  /* AT_END: lines put before it in folders only: Return-Path */
	struct journal_case *journal; /* AT_END: the seats that its journal copies took for granted; NULL: it has none */
	bool urgent;        /* AT_END: its connection is made as soon as it is in the queue (HDR-03) */
	bool receipt;       /* AT_END: who collects it causes a delivery receipt (HDR-05) */
	bool receipt_sent;  /* AT_END: its header asks for a transmission receipt (HDR-07) */
	struct plan_answer answer;
	struct plan_reply reply;
	char *notes;
	size_t notes_len;
	size_t notes_size;
	size_t notes_dropped; /* did not fit into NOTES_MAX */
};

void plan_init(struct plan *plan, struct arena *arena);

/* Note what a stage saw and why it chose. The values are copied, and cut at NOTE_VALUE_MAX. */
void plan_note(struct plan *plan, enum note_code code, struct span found, struct span because);
void plan_note_number(struct plan *plan, enum note_code code, uint64_t found, uint64_t because);

/* The notes in their encoding, for a trace; note_take() reads them. */
struct span plan_notes(const struct plan *plan);

/* Output of at most MAX bytes that lives as long as the plan: a header that is made. */
struct buf *plan_buf(struct plan *plan, size_t max);

/* A version for copies of this plan, empty; whoever asks fills it before the plan is carried out. */
struct plan_version *plan_version_new(struct plan *plan);

/* The same bytes? The headers of versions differ near their ends, so these are looked at first. */
bool plan_headers_eq(struct span a, struct span b);

/*
 * Add a copy and its note `why`; all spans of COPY are copied, but its version's. A target that the message
 * reaches already in the same role and version is noted and not added (RTE-15). ERR_LIMIT: there are MAX
 * copies, for which copies of store and forward and those with a role do not count.
 */
MUST_CHECK enum err plan_copy_add(struct plan *plan, const struct plan_copy *copy, size_t max);

/* Take out the copies that are `left`: their mailbox sent them on. */
void plan_copies_sweep(struct plan *plan);

/* Take out the copies for which GOES says so. */
void plan_copies_remove(struct plan *plan, bool (*goes)(const struct plan_copy *copy));

/* RULE held once more. */
void plan_hit_add(struct plan *plan, const struct rule *rule);

/* Of the recipients' copies alone, without those of another role: */
size_t plan_counted(const struct plan *plan); /* how many count against the limit on expansion */
bool plan_leaves(const struct plan *plan); /* does a copy go elsewhere? */
size_t plan_outgoing_count(const struct plan *plan); /* how many go to the Internet, not by the LAN */

/* By store and forward; its route is "snf:USER_ID" (store_forward.h). */
static inline bool
copy_is_forward(const struct plan_copy *copy)
{
	return copy->kind == COPY_REMOTE && forward_route_is(copy->route);
}

static inline bool
copy_is_outgoing(const struct plan_copy *copy)
{
	return copy->kind == COPY_REMOTE && copy->role == COPY_DELIVERY && copy->route.len == 0;
}

/* The archive keeps it, with these bits of enum direction (direction.h): stage_archive, or who has a plan of his own. */
MUST_CHECK enum err plan_archive(struct plan *plan, unsigned direction);

/* Set the reply of a refusal; the texts are static. */
void plan_refuse(struct plan *plan, unsigned code, const char *enhanced, const char *text);

#endif
