/*
 * control_setup.h - the DNS records that a domain needs for its mail: what they should be, and what is there.
 *
 * A new kind of record (MTA-STS, TLSRPT) is a row of kinds[] in control_setup_records.c.
 */
#ifndef SERVER_CONTROL_CONTROL_SETUP_H
#define SERVER_CONTROL_CONTROL_SETUP_H

#include "server/control/control_call.h"
#include "server/net/resolver.h"

#define SETUP_RECORDS_MAX 400 /* of one call */
#define SETUP_FOUND_MAX 10    /* values that are shown of one name */

enum setup_kind { SETUP_MX, SETUP_SPF, SETUP_DKIM, SETUP_DMARC, SETUP_KINDS };
enum setup_state { SETUP_UNASKED, SETUP_OK, SETUP_MISSING, SETUP_WRONG, SETUP_UNKNOWN };
extern const char *const setup_state_words[]; /* "" ok missing wrong unknown */

struct setup_asked;

struct setup_record {
	struct resolver_question question;
	struct setup_asked *all;
	enum setup_kind kind;
	struct span domain, name, value; /* name without the last dot; value of MX is the host */
	enum setup_state state;
	struct span why;
	struct span found[SETUP_FOUND_MAX];
	size_t found_count;
};

struct setup_asked {
	struct control_call *call;
	struct setup_record *records;
	size_t count, open;
	bool full;
	void (*done)(struct setup_asked *all);
};

enum dns_type setup_type(enum setup_kind kind);
const char *setup_purpose(enum setup_kind kind);

/*
 * The records of the call's domain, or of all local ones, in its arena; with ASK the resolver is asked for each.
 * DONE follows, in this call where nothing is asked. On failure the call has ended.
 */
void setup_begin(struct control_call *call, bool ask, void (*done)(struct setup_asked *all));

#endif
