/*
 * test_dns_message.c - answers of name servers, honest and hostile (H69).
 */
#include <stdlib.h>

#include "proto/dns/dns_message.h"
#include "tests/unit/test_proto.h"

/* Text with \xNN is not enough here: parts of a message, put one behind the other. */
struct maker {
	char bytes[70000];
	size_t len;
};

static void
put(struct maker *m, const void *bytes, size_t len)
{
	assert_true(m->len + len <= sizeof(m->bytes));
	memcpy(m->bytes + m->len, bytes, len);
	m->len += len;
}

static void
put_u16(struct maker *m, unsigned n)
{
	put(m, (unsigned char[]){ (unsigned char)(n >> 8), (unsigned char)n }, 2);
}

static void
put_name(struct maker *m, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, ".");

		put(m, (unsigned char[]){ (unsigned char)len }, 1);
		put(m, text, len);
		text += len + (text[len] == '.');
	}
	put(m, "", 1);
}

static void
begin(struct maker *m, unsigned flags, const char *name, unsigned type, unsigned answers,
	unsigned authorities)
{
	m->len = 0;
	put_u16(m, 0x1234);
	put_u16(m, flags);
	put_u16(m, 1);
	put_u16(m, answers);
	put_u16(m, authorities);
	put_u16(m, 0);
	put_name(m, name);
	put_u16(m, type);
	put_u16(m, 1);
}

static void
put_record(struct maker *m, const char *owner, unsigned type, unsigned ttl, const void *data,
	size_t len)
{
	put_name(m, owner);
	put_u16(m, type);
	put_u16(m, 1);
	put_u16(m, ttl >> 16);
	put_u16(m, ttl & 0xffff);
	put_u16(m, (unsigned)len);
	put(m, data, len);
}

static void
put_alias(struct maker *m, const char *owner, const char *target, unsigned ttl)
{
	static struct maker name;

	name.len = 0;
	put_name(&name, target);
	put_record(m, owner, 5, ttl, name.bytes, name.len);
}

static enum parse
parse(const struct maker *m, struct arena *a, const char *name, enum dns_type type,
	struct dns_answer *out)
{
	return dns_message_parse(
		a, at_page_edge((struct span){ m->bytes, m->len }), span_of(name), type, out);
}

#define YES 0x8180

static void
test_dns_records(void **state)
{
	static struct maker m;
	struct arena a;
	struct dns_answer answer;

	(void)state;
	arena_init(&a, NULL);
	begin(&m, YES, "A.test", DNS_A, 3, 0);
	put_record(&m, "a.TEST", DNS_A, 300, "\x7f\0\0\2", 4);
	put_record(&m, "a.test", DNS_A, 60, "\x7f\0\0\4", 4);
	put_record(&m, "b.test", DNS_A, 1, "\x7f\0\0\5", 4); /* of another name: passed over */
	assert_int_equal(parse(&m, &a, "a.test", DNS_A, &answer), PARSE_DONE);
	assert_int_equal(answer.result, DNS_FOUND);
	assert_int_equal(answer.count, 2);
	assert_int_equal(answer.ttl_s, 60);
	assert_memory_equal(answer.records[1].ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\4", 16);
	begin(&m, YES, "a.test", DNS_TXT, 1, 0);
	put_record(&m, "a.test", DNS_TXT, 1, "\2ab\0\1c", 6);
	assert_int_equal(parse(&m, &a, "a.test.", DNS_TXT, &answer), PARSE_DONE);
	check_span(0, answer.records[0].text, SPAN("abc"));
	assert_int_equal(answer.ttl_s, DNS_TTL_MIN_S);
	begin(&m, YES, "a.test", DNS_MX, 1, 0);
	put_record(&m, "a.test", DNS_MX, 0x7fffffff, "\0\12\3m.x\300\14", 8); /* points to the question */
	assert_int_equal(parse(&m, &a, "a.test", DNS_MX, &answer), PARSE_DONE);
	assert_int_equal(answer.records[0].preference, 10);
	check_span(1, answer.records[0].text, SPAN("m\\046x.a.test"));
	assert_int_equal(answer.ttl_s, DNS_TTL_MAX_S);
	arena_reset(&a);
}

static void
test_dns_negative_rfc_2308(void **state)
{
	static struct maker m;
	struct arena a;
	struct dns_answer answer;

	(void)state;
	arena_init(&a, NULL);
	begin(&m, YES | 3, "a.test", DNS_A, 0, 1);
	put_record(&m, "test", 6, 900, "\0\0\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\170", 22);
	assert_int_equal(parse(&m, &a, "a.test", DNS_A, &answer), PARSE_DONE);
	assert_int_equal(answer.result, DNS_NO_NAME);
	assert_int_equal(answer.ttl_s, 120);
	begin(&m, YES, "a.test", DNS_A, 0, 0);
	assert_int_equal(parse(&m, &a, "a.test", DNS_A, &answer), PARSE_DONE);
	assert_int_equal(answer.result, DNS_NO_DATA);
	assert_int_equal(answer.ttl_s, DNS_TTL_MIN_S);
	begin(&m, YES | 2, "a.test", DNS_A, 0, 0);
	assert_int_equal(parse(&m, &a, "a.test", DNS_A, &answer), PARSE_DONE);
	assert_int_equal(answer.result, DNS_FAILED); /* SERVFAIL */
	arena_reset(&a);
}

static void
test_dns_aliases_h69(void **state)
{
	static struct maker m;
	struct arena a;
	struct dns_answer answer;
	char owner[24], target[24];

	(void)state;
	arena_init(&a, NULL);
	for (unsigned links = 1; links <= DNS_CNAMES_MAX + 1; links++) {
		begin(&m, YES, "n0.test", DNS_A, links + 1, 0);
		for (unsigned i = links; i-- > 0;) { /* in any order */
			snprintf(owner, sizeof(owner), "n%u.test", i);
			snprintf(target, sizeof(target), "n%u.test", i + 1);
			put_alias(&m, owner, target, 30 + i);
		}
		snprintf(owner, sizeof(owner), "n%u.test", links);
		put_record(&m, owner, DNS_A, 300, "\x7f\0\0\2", 4);
		assert_int_equal(parse(&m, &a, "n0.test", DNS_A, &answer),
			links <= DNS_CNAMES_MAX ? PARSE_DONE : PARSE_BAD);
		if (links <= DNS_CNAMES_MAX) {
			assert_int_equal(answer.count, 1);
			assert_int_equal(answer.ttl_s, 30);
		}
	}
	begin(&m, YES, "a.test", DNS_A, 2, 0); /* a ring */
	put_alias(&m, "a.test", "b.test", 5);
	put_alias(&m, "b.test", "a.test", 5);
	assert_int_equal(parse(&m, &a, "a.test", DNS_A, &answer), PARSE_BAD);
	arena_reset(&a);
}

static void
test_dns_hostile_h69(void **state)
{
	static struct maker m;
	struct arena a;
	struct dns_answer answer;
	size_t len;

	(void)state;
	arena_init(&a, NULL);
	begin(&m, YES, "a.test", DNS_A, 1, 0);
	put_record(&m, "a.test", DNS_A, 300, "\x7f\0\0\2", 4);
	assert_int_equal(parse(&m, &a, "b.test", DNS_A, &answer), PARSE_BAD);    /* another question */
	assert_int_equal(parse(&m, &a, "a.test", DNS_AAAA, &answer), PARSE_BAD); /* another type */
	for (len = m.len; m.len-- > 0;) /* cut anywhere */
		assert_int_equal(parse(&m, &a, "a.test", DNS_A, &answer), PARSE_BAD);
	m.len = len;
	m.bytes[2] = 0; /* no answer but a question */
	assert_int_equal(parse(&m, &a, "a.test", DNS_A, &answer), PARSE_BAD);
	begin(&m, YES, "a.test", DNS_PTR, 1, 0);
	put_record(&m, "a.test", DNS_PTR, 300, "\300\52", 2); /* at itself: RFC 9267, 2 */
	assert_int_equal(parse(&m, &a, "a.test", DNS_PTR, &answer), PARSE_DONE);
	assert_int_equal(answer.count, 0);
	begin(&m, YES, "a.test", DNS_A, 1, 0);
	put(&m, "\300\30", 2); /* an owner that points at itself */
	assert_int_equal(parse(&m, &a, "a.test", DNS_A, &answer), PARSE_BAD);
	begin(&m, YES, "a.test", DNS_A, 1, 0);
	put_record(&m, "a.test", DNS_A, 300, "\x7f\0\0", 3); /* an address of three bytes */
	assert_int_equal(parse(&m, &a, "a.test", DNS_A, &answer), PARSE_DONE);
	assert_int_equal(answer.count, 0);
	begin(&m, YES, "a.test", DNS_A, 65535, 65535); /* 64 KiB of records: too many to look at */
	while (m.len < 65000)
		put_record(&m, "a.test", DNS_A, 300, "\x7f\0\0\2", 4);
	assert_int_equal(parse(&m, &a, "a.test", DNS_A, &answer), PARSE_BAD);
	begin(&m, YES, "a.test", DNS_TXT, 1, 0); /* one of 60,000 bytes is passed over */
	put_record(&m, "a.test", DNS_TXT, 300, "\377", 1);
	m.bytes[m.len - 3] = (char)(60000 >> 8);
	m.bytes[m.len - 2] = (char)(60000 & 255);
	while (m.len < 61000)
		put(&m, "\377", 1);
	assert_int_equal(parse(&m, &a, "a.test", DNS_TXT, &answer), PARSE_DONE);
	assert_int_equal(answer.count, 0);
	arena_reset(&a);
}

static void
test_dns_names(void **state)
{
	static const struct {
		const char *name;
		bool valid;
	} rows[] = { { "a.test", true }, { "a.test.", true }, { "", false }, { ".", false },
		{ "a..test", false }, { ".a", false }, { "a b.test", false }, { "a\n.test", false },
		{ "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.test", true },
		{ "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.test", false } };
	static const unsigned char v4[16] = { [10] = 0xff, 0xff, 192, 0, 2, 9 };
	static const unsigned char v6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 0x2a };
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(i, dns_name_is_valid(span_of(rows[i].name)) == rows[i].valid);
	check_span(0, dns_reverse_name(&a, v4, SPAN("bl.test")), SPAN("9.2.0.192.bl.test"));
	check_span(1, dns_reverse_name(&a, v6, SPAN("bl.test")), /* RFC 5782, 2.4 */
		SPAN("a.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.test"));
	arena_reset(&a);
}

int
test_dns_message(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dns_records),
		cmocka_unit_test(test_dns_negative_rfc_2308),
		cmocka_unit_test(test_dns_aliases_h69),
		cmocka_unit_test(test_dns_hostile_h69),
		cmocka_unit_test(test_dns_names),
	};

	return cmocka_run_group_tests_name("dns_message", tests, NULL, NULL);
}
