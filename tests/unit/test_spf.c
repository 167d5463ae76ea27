/*
 * test_spf.c - check_host() by the examples of RFC 7208 (section 7.4 and appendix A), and by records of hostile
 * hands: loops, macro bombs, too many of everything (H69).
 */
#include "proto/auth/spf.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "tests/unit/test_proto.h"

struct row {
	const char *name;
	enum dns_type type;
	const char *value; /* an address, a name, a text; "!" is SERVFAIL */
};

/* RFC 7208, appendix A, and what the cases below need. */
static const struct row zone[] = {
	{ "example.com", DNS_MX, "mail-a.example.com" },
	{ "example.com", DNS_MX, "mail-b.example.com" },
	{ "example.com", DNS_A, "192.0.2.10" },
	{ "example.com", DNS_A, "192.0.2.11" },
	{ "amy.example.com", DNS_A, "192.0.2.65" },
	{ "bob.example.com", DNS_A, "192.0.2.66" },
	{ "mail-a.example.com", DNS_A, "192.0.2.129" },
	{ "mail-a.example.com", DNS_AAAA, "2001:db8::81" },
	{ "mail-b.example.com", DNS_A, "192.0.2.130" },
	{ "example.org", DNS_MX, "mail-c.example.org" },
	{ "mail-c.example.org", DNS_A, "192.0.2.140" },
	{ "65.2.0.192.in-addr.arpa", DNS_PTR, "amy.example.com" },
	{ "140.2.0.192.in-addr.arpa", DNS_PTR, "mail-c.example.org" },
	{ "4.0.0.10.in-addr.arpa", DNS_PTR, "bob.example.com" },
	{ "5.0.0.10.in-addr.arpa", DNS_PTR, "!" },
	{ "mary.mobile-users._spf.example.com", DNS_A, "127.0.0.2" },
	{ "15.15.168.192.in-addr._spf.example.com", DNS_A, "127.0.0.2" },
	{ "ip4._spf.example.com", DNS_TXT, "v=spf1 -ip4:192.0.2.0/24 +all" },
	{ "ptr._spf.example.com", DNS_TXT, "v=spf1 -ptr:example.com +all" },
	{ "passes.test", DNS_TXT, "v=spf1 +all" },
	{ "fails.test", DNS_TXT, "v=spf1 -all" },
	{ "soft.test", DNS_TXT, "v=spf1 ~all" },
	{ "silent.test", DNS_TXT, "!" },
	{ "silent.test", DNS_A, "!" },
	{ "silent.test", DNS_MX, "!" },
	{ "silent-mx.test", DNS_MX, "silent.test" },
	{ "other.test", DNS_TXT, "google-site-verification=1" },
	{ "broken.test", DNS_TXT, "v=spf1 nonsense" },
	{ "two.test", DNS_TXT, "v=spf1 -all" },
	{ "two.test", DNS_TXT, "v=spf1 +all" },
	{ "mixed.test", DNS_TXT, "v=spf10 +all" },
	{ "mixed.test", DNS_TXT, "v=spf1 -all" },
	{ "loop.test", DNS_TXT, "v=spf1 include:loop.test -all" },
	{ "ring.test", DNS_TXT, "v=spf1 redirect=ring2.test" },
	{ "ring2.test", DNS_TXT, "v=spf1 redirect=ring.test" },
	{ "deep.test", DNS_TXT, "v=spf1 include:fails.test ?include:inner.test -all" },
	{ "inner.test", DNS_TXT, "v=spf1 redirect=passes.test" },
	{ "null-mx.test", DNS_MX, "" },
};

static struct spf_sender
sender(const char *ip, const char *local, const char *domain)
{
	struct spf_sender who = { .local_part = span_of(local), .domain = span_of(domain),
		.helo = SPAN("mx.example.org") };

	who.ip[10] = who.ip[11] = 0xff;
	if (inet_pton(AF_INET, ip, who.ip + 12) != 1)
		assert_int_equal(inet_pton(AF_INET6, ip, who.ip), 1);
	return who;
}

static void
read_value(const struct row *row, struct dns_record *out)
{
	out->text = span_of(row->value);
	out->ip[10] = out->ip[11] = 0xff;
	if (row->type == DNS_A)
		assert_int_equal(inet_pton(AF_INET, row->value, out->ip + 12), 1);
	if (row->type == DNS_AAAA)
		assert_int_equal(inet_pton(AF_INET6, row->value, out->ip), 1);
}

static void
answer(struct spf *m, const struct spf_question *q)
{
	struct dns_record records[20] = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < COUNT(zone); i++) {
		if (zone[i].type != q->type || !span_eq_nocase(q->name, span_of(zone[i].name)))
			continue;
		if (strcmp(zone[i].value, "!") == 0) {
			spf_answer(m, ERR_IO, NULL, 0);
			return;
		}
		read_value(&zone[i], &records[count++]);
	}
	spf_answer(m, count > 0 ? OK : ERR_NOT_FOUND, records, count);
}

/* WHO with RECORD at his domain; *asked: questions. */
static enum spf_result
check_host(struct arena *a, const struct spf_sender *who, struct span record, size_t *asked,
	struct span *because)
{
	struct dns_record own = { .text = at_page_edge(record) };
	struct spf *m = ARENA_NEW(a, struct spf);
	struct spf_question q;

	spf_init(m, a, who);
	for (*asked = 0; spf_next(m, &q); ++*asked) {
		assert_true(*asked < 200 && dns_name_is_valid(q.name));
		if (record.len > 0 && q.type == DNS_TXT && span_eq(q.name, who->domain))
			spf_answer(m, OK, &own, 1);
		else
			answer(m, &q);
	}
	*because = m->because;
	return m->result;
}

/* One for each address; RECORD stands at example.com. */
static const struct {
	const char *record;
	const char *ip;
	enum spf_result want;
} hosts[] = {
	/* A.1 */
	{ "v=spf1 +all", "198.51.100.1", SPF_PASS },
	{ "v=spf1 a -all", "192.0.2.10", SPF_PASS },
	{ "v=spf1 a -all", "192.0.2.11", SPF_PASS },
	{ "v=spf1 a -all", "192.0.2.12", SPF_FAIL },
	{ "v=spf1 a:example.org -all", "192.0.2.10", SPF_FAIL },
	{ "v=spf1 mx -all", "192.0.2.129", SPF_PASS },
	{ "v=spf1 mx -all", "192.0.2.130", SPF_PASS },
	{ "v=spf1 mx -all", "192.0.2.10", SPF_FAIL },
	{ "v=spf1 mx:example.org -all", "192.0.2.140", SPF_PASS },
	{ "v=spf1 mx mx:example.org -all", "192.0.2.129", SPF_PASS },
	{ "v=spf1 mx mx:example.org -all", "192.0.2.140", SPF_PASS },
	{ "v=spf1 mx/30 mx:example.org/30 -all", "192.0.2.131", SPF_PASS },
	{ "v=spf1 mx/30 mx:example.org/30 -all", "192.0.2.143", SPF_PASS },
	{ "v=spf1 mx/30 mx:example.org/30 -all", "192.0.2.144", SPF_FAIL },
	{ "v=spf1 ptr -all", "192.0.2.65", SPF_PASS },
	{ "v=spf1 ptr -all", "192.0.2.140", SPF_FAIL },
	{ "v=spf1 ptr -all", "10.0.0.4", SPF_FAIL }, /* a false reverse name */
	{ "v=spf1 ptr -all", "10.0.0.5", SPF_FAIL }, /* SERVFAIL: it does not fit */
	{ "v=spf1 ip4:192.0.2.128/28 -all", "192.0.2.65", SPF_FAIL },
	{ "v=spf1 ip4:192.0.2.128/28 -all", "192.0.2.129", SPF_PASS },
	/* A.4 */
	{ "v=spf1 -include:ip4._spf.%{d} -include:ptr._spf.%{d} +all", "192.0.2.65", SPF_PASS },
	{ "v=spf1 -include:ip4._spf.%{d} -include:ptr._spf.%{d} +all", "198.51.100.1", SPF_FAIL },
	/* A.3: names of users, of addresses */
	{ "v=spf1 exists:%{l}.mobile-users._spf.%{d} -all", "198.51.100.1", SPF_PASS },
	{ "v=spf1 exists:%{ir}.%{v}._spf.%{d} -all", "192.168.15.15", SPF_PASS },
	{ "v=spf1 exists:%{ir}.%{v}._spf.%{d} -all", "192.168.15.16", SPF_FAIL },
	/* the words */
	{ "v=spf1", "198.51.100.1", SPF_NEUTRAL },
	{ "v=spf1 ~all", "198.51.100.1", SPF_SOFTFAIL },
	{ "v=spf1 ?all", "198.51.100.1", SPF_NEUTRAL },
	{ "V=SPF1 -ALL", "198.51.100.1", SPF_FAIL },
	{ "v=spf1  -all  ", "198.51.100.1", SPF_FAIL },
	{ "v=spf1 x-new=%{d} -all", "198.51.100.1", SPF_FAIL },
	{ "v=spf1 exp=explain._spf.%{d} -all", "198.51.100.1", SPF_FAIL },
	{ "v=spf1 ip6:2001:db8::/32 -all", "2001:db8::1", SPF_PASS },
	{ "v=spf1 ip6:2001:db8::/32 -all", "2001:db9::1", SPF_FAIL },
	{ "v=spf1 ip6:::/0 -all", "192.0.2.1", SPF_FAIL },
	{ "v=spf1 ip4:0.0.0.0/0 -all", "2001:db8::1", SPF_FAIL },
	{ "v=spf1 a:mail-a.example.com//64 -all", "2001:db8::ffff", SPF_PASS },
	{ "v=spf1 mx/8//127 -all", "2001:db8::80", SPF_PASS },
	{ "v=spf1 mx/8//127 -all", "2001:db8::83", SPF_FAIL },
	{ "v=spf1 a/0 -all", "198.51.100.1", SPF_PASS },
	{ "v=spf1 mx:null-mx.test -all", "192.0.2.1", SPF_FAIL },
	/* include and redirect */
	{ "v=spf1 include:passes.test -all", "198.51.100.1", SPF_PASS },
	{ "v=spf1 include:fails.test +all", "198.51.100.1", SPF_PASS },
	{ "v=spf1 include:soft.test -all", "198.51.100.1", SPF_FAIL },
	{ "v=spf1 -include:deep.test", "198.51.100.1", SPF_NEUTRAL },
	{ "v=spf1 include:other.test -all", "198.51.100.1", SPF_PERMERROR },
	{ "v=spf1 include:broken.test -all", "198.51.100.1", SPF_PERMERROR },
	{ "v=spf1 include:silent.test -all", "198.51.100.1", SPF_TEMPERROR },
	{ "v=spf1 redirect=fails.test", "198.51.100.1", SPF_FAIL },
	{ "v=spf1 redirect=fails.test +all", "198.51.100.1", SPF_PASS },
	{ "v=spf1 redirect=other.test", "198.51.100.1", SPF_PERMERROR },
	{ "v=spf1 include:two.test -all", "198.51.100.1", SPF_PERMERROR },
	{ "v=spf1 redirect=mixed.test", "198.51.100.1", SPF_FAIL },
	/* nobody can say */
	{ "v=spf1 a:silent.test -all", "198.51.100.1", SPF_TEMPERROR },
	{ "v=spf1 mx:silent.test -all", "198.51.100.1", SPF_TEMPERROR },
	{ "v=spf1 mx:silent-mx.test -all", "198.51.100.1", SPF_TEMPERROR },
	{ "v=spf1 exists:silent.test -all", "198.51.100.1", SPF_TEMPERROR },
	/* loops; 10 look-ups, and an eleventh */
	{ "v=spf1 include:loop.test -all", "198.51.100.1", SPF_PERMERROR },
	{ "v=spf1 redirect=ring.test", "198.51.100.1", SPF_PERMERROR },
	{ "v=spf1 a a a a a a a a a a -all", "198.51.100.1", SPF_FAIL },
	{ "v=spf1 a a a a a a a a a a a -all", "198.51.100.1", SPF_PERMERROR },
	{ "v=spf1 a a a a a a a a a a redirect=fails.test", "198.51.100.1", SPF_PERMERROR },
	/* 2 answers of nothing, and a third; a name that cannot be is one */
	{ "v=spf1 a:no1.test a:no2.test -all", "198.51.100.1", SPF_FAIL },
	{ "v=spf1 a:no1.test a:no2.test exists:no3.test -all", "198.51.100.1", SPF_PERMERROR },
	{ "v=spf1 a:a..test -all", "198.51.100.1", SPF_FAIL },
	{ "v=spf1 a:a..test a:b..test a:c..test -all", "198.51.100.1", SPF_PERMERROR },
};

static void
test_spf_h69_hosts(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(hosts); i++) {
		struct spf_sender who = sender(hosts[i].ip, "mary", "example.com");
		struct span because;
		size_t asked;
		enum spf_result got =
			check_host(&a, &who, span_of(hosts[i].record), &asked, &because);

		if (got != hosts[i].want || asked > 40)
			fail_msg("row %zu: \"%s\" from %s is %s (%.*s) after %zu questions", i,
				hosts[i].record, hosts[i].ip, spf_result_word(got), SPAN_FMT(because),
				asked);
		arena_reset(&a);
	}
}

/* RFC 7208, 4.6 and 12: a mistake anywhere spoils all of it, also behind an `all`. */
static void
test_spf_syntax(void **state)
{
	static const char *const bad[] = {
		"v=spf1 +all moo", "v=spf1 all:", "v=spf1 all/8", "v=spf1 a:", "v=spf1 a:example", "v=spf1 a:1.2.3.4",
		"v=spf1 a:example.com:8080", "v=spf1 a/33", "v=spf1 a//129", "v=spf1 a/", "v=spf1 a/01", "v=spf1 a/24/24",
		"v=spf1 a/24/64//64", "v=spf1 ip4", "v=spf1 ip4:", "v=spf1 ip4:1.2.3", "v=spf1 ip4:1.2.3.4/",
		"v=spf1 ip4:1.2.3.4/33", "v=spf1 ip4:1.2.3.4//32", "v=spf1 ip4:2001:db8::1", "v=spf1 ip6:1.2.3.4",
		"v=spf1 ip6:2001:db8::1/129", "v=spf1 ip6:2001::db8::1", "v=spf1 include", "v=spf1 include:",
		"v=spf1 include:example.com/8", "v=spf1 exists", "v=spf1 mx:", "v=spf1 ptr:", "v=spf1 ptr/8",
		"v=spf1 redirect=", "v=spf1 redirect=a.test redirect=a.test", "v=spf1 exp=a.test exp=a.test",
		"v=spf1 -all\t", "v=spf1 a:%{d", "v=spf1 a:%{}.test", "v=spf1 a:%{z}.test", "v=spf1 a:%{d0}.test",
		"v=spf1 a:%{dx}.test", "v=spf1 a:%{c}.test", "v=spf1 a:%{t}.test", "v=spf1 a:%d.test", "v=spf1 a:%",
		"v=spf1 a:b%{d}.test%", "v=spf1 x=%{r}", "v=spf1 ++all", "v=spf1 -", "v=spf1 =a", "v=spf1 :a",
		"v=spf1 a:\xc3\xa4.test", "v=spf1 a:a.test.-", "v=spf1 a:a.test..",
	};
	static const char *const good[] = { "v=spf1 a:%{d/}/8", "v=spf1 a:%%%_%-%{d}", "v=spf1 a:b-c.t-t.",
		"v=spf1 a:1.test/0//0", "v=spf1 a=b/c:d", "v=spf1 exists:%{L2R.-+,/_=}.a.test" };
	struct spf_record record;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(bad); i++)
		check_row(i, spf_record_parse(&a, at_page_edge(span_of(bad[i])), &record) == ERR_SYNTAX);
	for (size_t i = 0; i < COUNT(good); i++)
		check_row(i, spf_record_parse(&a, at_page_edge(span_of(good[i])), &record) == OK);
	assert_true(spf_record_is(SPAN("v=spf1")) && spf_record_is(SPAN("v=spf1 a")));
	assert_false(spf_record_is(SPAN("v=spf10")) || spf_record_is(SPAN("v=spf1\ta")) ||
		spf_record_is(SPAN(" v=spf1")) || spf_record_is(SPAN("")));
	arena_reset(&a);
}

/* RFC 7208, 7.4, and what it says of long names (7.3). */
static void
test_spf_macros(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "%{s}", "strong-bad@email.example.com" }, { "%{o}", "email.example.com" },
		{ "%{d}", "email.example.com" }, { "%{d4}", "email.example.com" },
		{ "%{d3}", "email.example.com" }, { "%{d2}", "example.com" }, { "%{d1}", "com" },
		{ "%{dr}", "com.example.email" }, { "%{d2r}", "example.email" },
		{ "%{l}", "strong-bad" }, { "%{l-}", "strong.bad" }, { "%{lr}", "strong-bad" },
		{ "%{lr-}", "bad.strong" }, { "%{l1r-}", "strong" }, { "%{h}", "mx.example.org" },
		{ "%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com" },
		{ "%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com" },
		{ "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}",
			"bad.strong.lp.3.2.0.192.in-addr._spf.example.com" },
		{ "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}",
			"3.2.0.192.in-addr.strong.lp._spf.example.com" },
		{ "%{d2}.trusted-domains.example.net",
			"example.com.trusted-domains.example.net" },
		{ "%%a%_b%-", "%a b%20" }, { "%{S}", "strong-bad%40email.example.com" },
		{ "%{p}", "unknown" }, { "%{d999999999999999999999}", "email.example.com" },
	};
	struct spf_sender who = sender("192.0.2.3", "strong-bad", "email.example.com");
	struct buf out;

	(void)state;
	buf_init(&out, SPF_TEXT_MAX);
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_clear(&out);
		check_row(i, spf_macro_expand(at_page_edge(span_of(rows[i].text)), &who, who.domain, &out) == OK);
		check_span(i, buf_span(&out), span_of(rows[i].want));
	}
	who = sender("192.0.2.3", "-a--b-", "example.com"); /* parts may be empty */
	buf_clear(&out);
	assert_int_equal(spf_macro_expand(SPAN("%{l-}|%{lr-}|%{l2-}|%{l2r-}"), &who, who.domain, &out), OK);
	check_span(0, buf_span(&out), SPAN(".a..b.|.b..a.|b.|a."));
	who = sender("2001:db8::cb01", "", "example.com");
	buf_clear(&out);
	assert_int_equal(spf_macro_expand(SPAN("%{ir}.%{v}.%{l}"), &who, who.domain, &out), OK);
	check_span(0, buf_span(&out),
		SPAN("1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.postmaster"));
	buf_fini(&out);
}

/* BEGIN, TIMES times PIECE, END. */
static struct span
repeat(struct arena *a, const char *begin, const char *piece, size_t times, const char *end)
{
	struct buf out;
	struct span text;

	buf_init(&out, 65536);
	assert_int_equal(buf_put(&out, span_of(begin)), OK);
	for (size_t i = 0; i < times; i++)
		assert_int_equal(buf_put(&out, span_of(piece)), OK);
	assert_int_equal(buf_put(&out, span_of(end)), OK);
	text = arena_copy(a, buf_span(&out));
	buf_fini(&out);
	return text;
}

/* H69: who writes the records means ill. */
static void
test_spf_h69_hostile(void **state)
{
	struct spf_sender who = sender("192.0.2.3", "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z",
		"example.com");
	struct span because, text;
	struct arena a;
	size_t asked;

	(void)state;
	arena_init(&a, NULL);
	/* a text that grows beyond the limit, and a name cut to 253 bytes from the left */
	text = repeat(&a, "v=spf1 exists:", "%{lr}", 1000, ".%{d} -all");
	assert_int_equal(check_host(&a, &who, text, &asked, &because), SPF_PERMERROR);
	check_span(0, because, SPAN("a macro makes too long a name"));
	text = repeat(&a, "v=spf1 a:", "%{l}.", 7, "amy.%{d} -all");
	assert_int_equal(check_host(&a, &who, text, &asked, &because), SPF_FAIL);
	assert_int_equal(asked, 2);
	/* very many terms that ask nobody, and more than a record may have */
	text = repeat(&a, "v=spf1", " ?ip4:1.2.3.4", SPF_TERMS_MAX - 1, " -all");
	assert_int_equal(check_host(&a, &who, text, &asked, &because), SPF_FAIL);
	assert_int_equal(asked, 1);
	text = repeat(&a, "v=spf1", " ?ip4:1.2.3.4", SPF_TERMS_MAX, " -all");
	assert_int_equal(check_host(&a, &who, text, &asked, &because), SPF_PERMERROR);
	/* domains that are none */
	for (size_t i = 0; i < 5; i++) {
		static const char *const names[] = { "", "localhost", "[192.0.2.1]", "a..b", "\xc3\xa4.test" };

		who.domain = span_of(names[i]);
		check_row(i, check_host(&a, &who, SPAN_NONE, &asked, &because) == SPF_NONE && asked == 0);
	}
	who.domain = SPAN("nowhere.test");
	assert_int_equal(check_host(&a, &who, SPAN_NONE, &asked, &because), SPF_NONE);
	who.domain = SPAN("silent.test");
	assert_int_equal(check_host(&a, &who, SPAN_NONE, &asked, &because), SPF_TEMPERROR);
	arena_reset(&a);
}

/* RFC 7208, 4.6.4: eleven hosts of one mx are an error; of the names of a ptr ten are looked at. */
static void
test_spf_many_names(void **state)
{
	static const struct spf_sender nobody = { .domain = { "example.com", 11 } };
	struct dns_record own = { .text = SPAN("v=spf1 ptr mx -all") };
	struct dns_record names[11];
	struct spf_question q;
	struct arena a;
	struct spf m;
	size_t addresses = 0;

	(void)state;
	arena_init(&a, NULL);
	spf_init(&m, &a, &nobody);
	for (size_t i = 0; i < COUNT(names); i++)
		names[i] = (struct dns_record){ .text = arena_printf(&a, "h%zu.example.com", i) };
	while (spf_next(&m, &q)) {
		addresses += q.type == DNS_AAAA;
		if (q.type == DNS_TXT)
			spf_answer(&m, OK, &own, 1);
		else if (q.type == DNS_AAAA)
			spf_answer(&m, ERR_NOT_FOUND, NULL, 0);
		else
			spf_answer(&m, OK, names, COUNT(names));
	}
	assert_int_equal(addresses, SPF_NAMES_MAX);
	assert_int_equal(m.result, SPF_PERMERROR);
	check_span(0, m.because, SPAN("more than 10 hosts of one mx"));
	arena_reset(&a);
}

int
test_spf(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spf_h69_hosts),
		cmocka_unit_test(test_spf_syntax),
		cmocka_unit_test(test_spf_macros),
		cmocka_unit_test(test_spf_h69_hostile),
		cmocka_unit_test(test_spf_many_names),
	};

	return cmocka_run_group_tests_name("spf", tests, NULL, NULL);
}
