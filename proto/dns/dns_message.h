/*
 * dns_message.h - one answer of a name server to a value (RFC 1035, 4; RFC 2308), and names to ask for.
 *
 * Whoever answers may be hostile (H69): compression points backwards only (RFC 9267), names have at most
 * 255 bytes and labels 63, a chain of aliases at most 8 links, and what does not answer the question that
 * was asked is no answer.
 */
#ifndef PROTO_DNS_DNS_MESSAGE_H
#define PROTO_DNS_DNS_MESSAGE_H

#include "proto/base/arena.h"
#include "proto/base/span.h"

#define DNS_NAME_MAX 253	/* bytes of a name as text, without the last dot */
#define DNS_CNAMES_MAX 8	/* links from the name that was asked for (H69) */
#define DNS_RECORDS_MAX 512	/* records of one message that are looked at; more is no answer */
#define DNS_TXT_MAX 4096	/* bytes of one TXT record; more is passed over */
#define DNS_TTL_MIN_S 5
#define DNS_TTL_MAX_S 86400
#define DNS_REVERSE_MAX 64	/* bytes of dns_reverse_name's part in front of the zone */

/* The types that can be asked for; the numbers are those of the wire. */
enum dns_type { DNS_A = 1, DNS_PTR = 12, DNS_MX = 15, DNS_TXT = 16, DNS_AAAA = 28 };

enum dns_result {
	DNS_FOUND,
	DNS_NO_DATA, /* the name is there, and has no such record */
	DNS_NO_NAME, /* NXDOMAIN */
	DNS_FAILED,  /* SERVFAIL, REFUSED, ...: the server does not know (H69: defers, never bounces) */
};

struct dns_record {
	struct span text;    /* PTR, MX: the name in lower case, odd bytes as \DDD; TXT: its strings joined */
	unsigned char ip[16]; /* A: as ::ffff:a.b.c.d; AAAA */
	uint16_t preference; /* MX */
};

struct dns_answer {
	enum dns_result result;
	uint32_t ttl_s; /* within DNS_TTL_MIN_S and DNS_TTL_MAX_S; of the negative answers too */
	const struct dns_record *records;
	size_t count;
};

/*
 * Parse MESSAGE, which came over UDP or TCP, as the answer to NAME and TYPE. PARSE_DONE fills *out, whose
 * memory is in A. PARSE_BAD: it is malformed, or answers something else.
 */
MUST_CHECK enum parse dns_message_parse(struct arena *a, struct span message, struct span name,
	enum dns_type type, struct dns_answer *out);

/* Can TEXT be asked for: labels of 1 to 63 bytes, 253 in all, no controls, no blanks? */
bool dns_name_is_valid(struct span text);

/*
 * The name under ZONE for an address (RFC 5782, 2.1 and 2.4): "9.2.0.192.bl.test", IPv6 by nibbles. IP is
 * IPv6 or ::ffff:a.b.c.d. ZONE "in-addr.arpa" and "ip6.arpa" make the names of PTR records.
 */
struct span dns_reverse_name(struct arena *a, const unsigned char ip[16], struct span zone);

#endif
