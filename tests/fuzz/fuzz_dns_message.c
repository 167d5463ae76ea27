/* fuzz_dns_message.c - an answer of a hostile name server: the first byte chooses the question. */
#include "proto/dns/dns_message.h"
#include "tests/fuzz/fuzz.h"

FUZZ(in, a, out)
{
	static const enum dns_type types[] = { DNS_A, DNS_AAAA, DNS_PTR, DNS_MX, DNS_TXT };
	struct span message;
	struct dns_answer answer;
	char *block;

	if (in.len < 1)
		return;
	block = malloc(in.len); /* of its own size, so that a byte too many is seen */
	if (!block)
		return;
	memcpy(block, in.ptr + 1, in.len - 1);
	message = (struct span){ block, in.len - 1 };
	if (dns_message_parse(a, message, SPAN("a.test"),
		    types[(unsigned char)in.ptr[0] % COUNT(types)], &answer) == PARSE_DONE) {
		ENSURE(answer.count <= DNS_RECORDS_MAX);
		ENSURE(answer.ttl_s >= DNS_TTL_MIN_S && answer.ttl_s <= DNS_TTL_MAX_S);
		ENSURE((answer.result == DNS_FOUND) == (answer.count > 0));
		for (size_t i = 0; i < answer.count; i++)
			ENSURE(answer.records[i].text.len <= DNS_TXT_MAX);
	}
	free(block);
}
