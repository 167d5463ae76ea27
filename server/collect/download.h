/*
 * download.h - download rules: what becomes of one message of a mailbox elsewhere, before its text is fetched (DLR).
 *
 *     size, time, In Mail  --> download_wanted() --no---> download_decide()
 *                                  | yes: a rule, or the limit (INM-04), may turn on the header
 *                                  v
 *                              header of TOP, names of collected_names() --> download_decide()
 *
 * Pure: a question of the configuration and of what is known about the message. Whom letters go to, the questions of Ask
 * and the log are the business of download_act.h. What is fetched or removed already is not asked about.
 */
#ifndef SERVER_COLLECT_DOWNLOAD_H
#define SERVER_COLLECT_DOWNLOAD_H

#include "conf/conf.h"
#include "conf/rule_match.h"

#define DOWNLOAD_LIMIT_NAME "Over the limit" /* the automatic rule of INM-04 (DLR-13) */

enum download_does {
	DOWNLOAD_FETCH,	       /* as the collector's settings say: kept there or removed (INM-05) */
	DOWNLOAD_FETCH_REMOVE, /* and removed at once, whatever leave_days says */
	DOWNLOAD_LEAVE,	       /* neither fetched nor removed now; asked about again the next time */
	DOWNLOAD_REMOVE,       /* removed without being fetched */
};

enum download_because {
	DOWNLOAD_BY_NONE,     /* no rule holds: the default (DLR-03) */
	DOWNLOAD_BY_RULE,
	DOWNLOAD_BY_LIMIT,    /* INM-04: asked, where somebody can be, else left there for manual care */
	DOWNLOAD_BY_IGNORE_END, /* `~`, and leave_days have gone since it was first seen */
	DOWNLOAD_BY_ELSEWHERE, /* all of its recipients are *REMOTE (contract 8): left, and never removed */
	DOWNLOAD_BY_WAITING,  /* a question is open */
	DOWNLOAD_BY_ANSWER,   /* a question was answered */
	DOWNLOAD_BY_EXPIRY,   /* or not, for collecting.query_delay */
	DOWNLOAD_BY_COST,     /* the header takes too long to look at (H75): downloaded */
};

enum download_answer_given { DOWNLOAD_OPEN, DOWNLOAD_ANSWER_FETCH, DOWNLOAD_ANSWER_REMOVE };

struct download_ask {
	const struct conf *conf;
	const struct rule_set *rules; /* in force, or a draft */
	const struct conf_collector *collector;
	unsigned in_mail;      /* its place in the file, from 1 */
	bool has_head;	       /* headers can be had: else Ask is Download, and the limit leaves it there */
	bool has_unique;       /* it will be known again: by its unique id, or by its header */
	uint64_t size;	       /* bytes; SOURCE_SIZE_UNKNOWN */
	struct span header;    /* ptr NULL: not here */
	const struct span *names; /* of collected_names(); with the header */
	size_t name_count;
	bool only_elsewhere;   /* of collected_names() */
	int64_t now_ms;
	int64_t first_ms;      /* when it was first seen; 0: now */
	int zone_minutes;
	/* A question about it (store/questions.h); asked_until_ms 0: there is none. */
	int64_t asked_until_ms;
	enum download_answer_given given;
};

/* Spans point into the configuration. */
struct download_answer {
	enum download_does does;
	enum download_because because;
	const struct rule *rule; /* the user's; or NULL */
	struct span name;	 /* of the rule, the automatic one too; for notices and the log */
	bool asks;		 /* a question is to be put (DLR-07) */
	bool tells;		 /* somebody is told that it was removed (DLR-10) */
	struct span instead;	 /* of the letter, or of the message: for collected_who() */
	struct span also;	 /* the same, besides those it is for */
};

/* Are the download rules asked for this collector: INM-23, and is there one that is on? */
bool download_is_on(const struct rule_set *rules, const struct conf_collector *collector);
/* "fetch", "fetch and remove", "leave", "remove"; "ask". */
const char *download_does_name(const struct download_answer *answer);
/* The limit of INM-04 in bytes; 0: none. *ASKS: those it is for are asked (DLR-13), else it is left there. */
uint64_t download_limit(const struct conf_collector *collector, bool *asks);
uint64_t download_limit_key(const struct conf_collector *collector); /* of its counters */
/* It as the rule that stands behind all others (DLR-13, Q-82). In A. False: there is none. */
bool download_limit_rule(
	struct arena *a, const struct conf_collector *collector, unsigned in_mail, struct rule *out);

/*
 * May the header change what becomes of it? Without: no TOP (DLR-01). ASK->header is not looked at. ARENA is for
 * scratch; it may be reset afterwards.
 */
bool download_wanted(const struct download_ask *ask, struct arena *arena);
void download_decide(const struct download_ask *ask, struct arena *arena, struct download_answer *out);

/* The facts that rules are asked with, as download_decide() has them: for tests of rules. In ARENA. */
void download_facts(const struct download_ask *ask, const struct rule_set *set, struct arena *arena,
	struct rule_facts *out);

#endif
