/*
 * fuzz_spf.c - a record, and answers that go on as the input does: whatever they are, questions end, are names that
 * can be asked for, and the terms of a record lie in it.
 */
#include "proto/auth/spf.h"
#include "tests/fuzz/fuzz.h"

/* 10 terms that ask, each with at most 10 names more, and the first record (RFC 7208, 4.6.4). */
#define QUESTIONS_MAX (1 + SPF_LOOKUPS_MAX * (1 + SPF_NAMES_MAX))

static const struct spf_sender who = { .ip = { [10] = 0xff, 0xff, 192, 0, 2, 3 },
	.local_part = { "strong-bad", 10 }, .domain = { "a.test", 6 }, .helo = { "mx.test", 7 } };

/* Lines of IN: the first is the record of a.test, the others are answers one after the other. */
FUZZ(in, a, out)
{
	struct spf *m = ARENA_NEW(a, struct spf);
	struct spf_record record;
	struct spf_question q;
	struct span line;
	size_t asked = 0;

	spf_init(m, a, &who);
	while (spf_next(m, &q)) {
		struct dns_record all[SPF_NAMES_MAX + 2] = { 0 };
		size_t count = 0;
		bool more = span_next_line(&in, &line);

		ENSURE(asked++ < QUESTIONS_MAX && dns_name_is_valid(q.name));
		if (more && spf_record_is(line) && spf_record_parse(a, line, &record) == OK)
			for (size_t i = 0; i < record.count; i++)
				ENSURE(record.terms[i].text.len > 0 &&
					record.terms[i].text.ptr >= line.ptr &&
					record.terms[i].domain.len < record.terms[i].text.len);
		if (more && line.len > 0) /* its last byte says how many records */
			count = 1 + (unsigned char)line.ptr[line.len - 1] % COUNT(all);
		for (size_t i = 0; i < count; i++) {
			all[i].text = q.type == DNS_TXT ? line : span_range(line, 0, 200);
			memcpy(all[i].ip, who.ip, 16);
			all[i].ip[15] ^= (unsigned char)(line.len & 1);
		}
		if (q.type == DNS_TXT && count > 0)
			count = 1;
		spf_answer(m, count > 0 ? OK : more ? ERR_NOT_FOUND : ERR_IO, all, count);
	}
	ENSURE(m->result < SPF_RESULTS && strlen(spf_result_word(m->result)) > 0);
	(void)!spf_macro_expand(in, &who, who.domain, out);
}
