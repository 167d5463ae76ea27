/*
 * mail.h - a message on its way in: who brings it, from whom, to whom, and its header.
 *
 * Plain values, gathered by whoever holds the message (an SMTP session, an import, explain) and read
 * by the pipeline. All spans live in the arena of the transaction, or longer.
 */
#ifndef SERVER_PIPELINE_MAIL_H
#define SERVER_PIPELINE_MAIL_H

#include "conf/conf.h"
#include "proto/base/arena.h"
#include "proto/mail/envelope.h"
#include "proto/mail/header.h"
#include "proto/mail/mail_date.h"
#include "server/net/peer.h"

struct blocklist_fact;
struct snapshot;
struct script_answers;
struct spf_fact;

/* The way by which a message came in. */
enum mail_via {
	MAIL_VIA_MX,         /* SMTP on the port where the world delivers */
	MAIL_VIA_SUBMISSION, /* SMTP on the ports for users */
	MAIL_VIA_LMTP,       /* handed over by a mail server in front of us (RFC 2033) */
	MAIL_VIA_POP3,       /* collected */
	MAIL_VIA_LOCAL,      /* written here: an import, a report, a test */
};

/* Addresses of this host, each as in struct peer. */
#define OWN_ADDRESSES_MAX 64
struct own_addresses {
	size_t count;
	uint8_t ip[OWN_ADDRESSES_MAX][16];
};

/* The body of a message that is whole; read by mail_body_read() (mail_body.h). */
struct mail_content {
	uint64_t size;
	uint64_t stored;  /* of it, the first so many bytes lie in the store, durable, */
	uint64_t body_id; /* under this id */
	const struct span *spans; /* and what follows in memory */
	size_t span_count;
	struct snapshot *snap; /* of the question, while it is asked */
};

/* A recipient of collected mail that a collector or a download rule chose: no address to be judged (collected_who.h). */
struct mail_target {
	struct span key;    /* address.key of the recipient that stands for it */
	struct span target; /* a user, group, list or address; empty with a route */
	struct span route;  /* "lan:host:port": goes there as the recipient's address; or empty */
};

struct mail {
	struct arena *arena;
	enum mail_via via;
	const char *service;       /* its name in the file: "smtp", "submission"; "local" without one */
	struct access_list access; /* lines of that service */
	struct span session;       /* id of the session, for traces: "s17" */

	struct span hostname;  /* what we call ourselves */
	struct peer peer;
	struct span helo;      /* as the peer said it, or empty */
	struct span tls;       /* "TLSv1.2 with cipher ...", empty without */
	bool esmtp;            /* EHLO, not HELO */
	uint64_t user_id;      /* who logged in; 0: nobody */
	struct span user;      /* and the name as stored */
	uint64_t user_sent;    /* AT_END: recipients elsewhere he addressed within the hour before this */
	bool to_users;         /* we wrote it to users of ours: a local part is a name, no mapping counts */
	uint8_t report;        /* enum queued_report: a report of ours, written to a sender */
	bool stays;            /* a notice about store and forward: it is not forwarded itself */
	bool popped;           /* a POP3 login from there counts as one here (SMT-05) */
	bool peer_is_lan;      /* on a network of one of our interfaces, but the default route's */
	struct own_addresses own; /* needed where a recipient's domain is a literal */
	struct span collect;   /* MAIL_VIA_POP3: the collector's name */
	struct span collect_host; /* MAIL_VIA_POP3: the server it came from, for our Received field; or empty */
	const char *collect_with; /* MAIL_VIA_POP3: by which protocol: "POP3" */
	const struct mail_date *came; /* date of our Received field, where it is not now (INM-24); or NULL */
	const struct mail_target *targets; /* MAIL_VIA_POP3: of these recipients (collected_who.h) */
	size_t target_count;

	uint64_t message_no;   /* given out at the latest before AT_END; 0 before */
	struct span id;        /* the same as people read it */
	int64_t now_ms;        /* what the clock says, for rules that look at it; set before AT_MAIL */
	int64_t arrived_ms;    /* Unix time; set before AT_END */
	int zone_minutes;      /* of the date in our Received field */

	/* pipeline/blocklist.h: one fact a line of smtp.blocklists; NULL: not asked, or not yet */
	const struct blocklist_fact *blocklists;
	const struct spf_fact *spf; /* pipeline/forged.h: what SPF says of the sender; NULL: not asked */
	const struct script_answers *scripts; /* AT_END: script_answer.h; NULL: none was asked */
	bool asks_nobody; /* no name server is asked: `explain` */

	struct envelope envelope; /* from AT_MAIL on: return address, recipients accepted so far */
	struct span header;       /* AT_END: as it came, with the empty line */
	struct header_facts facts; /* AT_END: header_check() of it */
	bool header_is_over;      /* AT_END: and what it said was ERR_LIMIT */
	struct mail_content body;    /* AT_END: what follows it */
	struct span derived;      /* AT_END: the record of both (mime_derived.h); empty: none could be made */
	uint64_t nonce[2];        /* AT_END: random, known to nobody outside: boundaries of what is put around it */
	uint64_t size;            /* AT_MAIL: what SIZE= said, 0 unknown. AT_END: bytes of DATA */
};

#endif
