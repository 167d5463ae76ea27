/*
 * test_net_resolver.c - the resolver against a name server of the test's own, on the same loop (H69, NET-05).
 */
#include "tests/unit/test_net.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/net/resolver_inside.h"

#define TRY_MS 40 /* of one try, where nobody answers; three rounds are 7 x as long */
#define PATIENT_TRY_MS 20000 /* where somebody does, however late */

/* What the server does with a question, by the first letter of its name. */
struct site {
	struct loop *loop;
	struct resolver *resolver;
	struct loop_io io;
	char address[32];
	struct span servers[1];
	int try_ms;
	unsigned seen; /* questions that reached it */
	bool mute;
};

struct asked {
	struct resolver_question q;
	unsigned done;
	enum err err;
	size_t count;
	unsigned char ip[16];
};

static void
send_back(struct site *s, const struct sockaddr_in *to, const char *bytes, size_t len)
{
	assert_int_equal(sendto(s->io.fd, bytes, len, 0, (const void *)to, sizeof(*to)), len);
}

/* The question with flags and at most one A record behind it. */
static void
reply(struct site *s, const struct sockaddr_in *to, const char *question, size_t len,
	unsigned flags, bool record)
{
	static const char a[] = "\300\14\0\1\0\1\0\0\1\54\0\4\177\0\0\2";
	char bytes[600];

	memcpy(bytes, question, len);
	bytes[2] = (char)(flags >> 8);
	bytes[3] = (char)flags;
	bytes[7] = record;
	if (record)
		memcpy(bytes + len, a, sizeof(a) - 1);
	send_back(s, to, bytes, len + (record ? sizeof(a) - 1 : 0));
}

static void
on_server(struct loop_io *io, unsigned ready)
{
	struct site *s = LIST_ITEM(io, struct site, io);
	struct sockaddr_in from = { 0 };
	socklen_t size = sizeof(from);
	char q[512], other[512];
	ssize_t len = recvfrom(io->fd, q, sizeof(q), MSG_DONTWAIT, (void *)&from, &size);

	(void)ready;
	if (len < 13)
		return;
	s->seen++;
	if (s->mute || q[13] == 's')
		return;
	memcpy(other, q, sizeof(q));
	if (q[13] == 'i') { /* a wrong id first */
		other[0] ^= 1;
		reply(s, &from, other, (size_t)len, 0x8183, false);
	} else if (q[13] == 'q') { /* another question first */
		other[13] = 'z';
		reply(s, &from, other, (size_t)len, 0x8183, false);
	} else if (q[13] == 'g') { /* garbage first */
		send_back(s, &from, q, 5);
	}
	if (q[13] == 'f')
		reply(s, &from, q, (size_t)len, 0x8182, false); /* SERVFAIL */
	else if (q[13] == 'n')
		reply(s, &from, q, (size_t)len, 0x8183, false); /* NXDOMAIN */
	else
		reply(s, &from, q, (size_t)len, 0x8180, true);
}

static struct resolver_options
options_of(struct site *s)
{
	return (struct resolver_options){ .servers = s->servers, .server_count = 1,
		.timeout_ms = s->try_ms, .resolv_conf = "/nonexistent/resolv.conf" };
}

static void
site_open_for(struct site *s, int try_ms)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof(at);
	struct resolver_options options;
	const char *fault = "";
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*s = (struct site){ .try_ms = try_ms };
	assert_int_equal(bind(fd, (void *)&at, size), 0);
	assert_int_equal(getsockname(fd, (void *)&at, &size), 0);
	snprintf(s->address, sizeof(s->address), "127.0.0.1:%u", ntohs(at.sin_port));
	s->servers[0] = span_of(s->address);
	assert_int_equal(loop_open_fake(&s->loop), OK);
	loop_io_init(&s->io, fd, on_server);
	loop_io_watch(s->loop, &s->io, LOOP_READ);
	options = options_of(s);
	assert_int_equal(resolver_open(s->loop, &options, &s->resolver, &fault), OK);
}

static void
site_open(struct site *s)
{
	site_open_for(s, PATIENT_TRY_MS);
}

static void
site_close(struct site *s)
{
	resolver_close(&s->resolver);
	loop_io_watch(s->loop, &s->io, 0);
	close(s->io.fd);
	loop_close(&s->loop);
}

static void
on_done(struct resolver_question *q, const struct resolver_answer *answer)
{
	struct asked *a = LIST_ITEM(q, struct asked, q);

	a->done++;
	a->err = answer->err;
	a->count = answer->count;
	if (answer->count > 0)
		memcpy(a->ip, answer->records[0].ip, 16);
}

static void
ask(struct site *s, struct asked *a, const char *name)
{
	a->done = 0;
	a->q.done = on_done;
	resolver_ask(s->resolver, s->loop, &a->q, span_of(name), DNS_A);
	assert_int_equal(a->done, 0); /* never at once */
}

/* The fake clock follows the real one, by which c-ares counts. */
static void
await(struct site *s, const struct asked *a)
{
	for (int i = 0; i < 12000 && a->done == 0; i++) {
		loop_turn(s->loop, 5);
		loop_fake_advance(s->loop, 5);
	}
	assert_int_equal(a->done, 1);
}

static enum err
ask_and_wait(struct site *s, const char *name)
{
	struct asked a = { .done = 0 };

	ask(s, &a, name);
	await(s, &a);
	assert_true((a.err == OK) == (a.count > 0));
	return a.err;
}

static void
test_resolver_answers_and_remembers(void **state)
{
	struct asked one = { .done = 0 }, two = { .done = 0 };
	struct site s;

	(void)state;
	site_open(&s);
	ask(&s, &one, "a.test");
	ask(&s, &two, "A.TEST."); /* the same: they share a look-up */
	await(&s, &one);
	await(&s, &two);
	assert_int_equal(one.err, OK);
	assert_int_equal(one.ip[12], 127);
	assert_int_equal(two.ip[15], 2);
	assert_int_equal(s.seen, 1);
	assert_int_equal(ask_and_wait(&s, "a.test"), OK);
	assert_int_equal(ask_and_wait(&s, "no.test"), ERR_NOT_FOUND);
	assert_int_equal(ask_and_wait(&s, "no.test"), ERR_NOT_FOUND);
	assert_int_equal(s.seen, 2); /* negative answers are kept too */
	loop_fake_advance(s.loop, DNS_TTL_MIN_S * 1000);
	assert_int_equal(ask_and_wait(&s, "no.test"), ERR_NOT_FOUND);
	assert_int_equal(s.seen, 3);
	loop_fake_advance(s.loop, 301 * 1000);
	assert_int_equal(ask_and_wait(&s, "a.test"), OK);
	assert_int_equal(s.seen, 4);
	assert_int_equal(ask_and_wait(&s, "a..test"), ERR_NOT_FOUND);
	assert_int_equal(s.seen, 4);
	site_close(&s);
}

static void
test_resolver_hostile_answers_h69(void **state)
{
	static const char *const firsts[] = { "id.test", "question.test", "garbage.test" };
	struct site s;

	(void)state;
	site_open(&s);
	for (size_t i = 0; i < COUNT(firsts); i++)
		assert_int_equal(ask_and_wait(&s, firsts[i]), OK); /* the true answer, not the first */
	assert_int_equal(ask_and_wait(&s, "fail.test"), ERR_IO);
	assert_int_equal(resolver_stats(s.resolver).failed, 1);
	site_close(&s);
}

static void
test_resolver_silence_and_another_channel_net_05_h69(void **state)
{
	struct site s;

	(void)state;
	site_open_for(&s, TRY_MS);
	assert_int_equal(resolver_stats(s.resolver).channels, 1);
	assert_int_equal(ask_and_wait(&s, "silent.test"), ERR_IO);
	assert_int_equal(resolver_stats(s.resolver).channels, 1);
	loop_fake_advance(s.loop, RESOLVER_SILENCE_MS);
	for (int tries = 0; tries < 10 && ask_and_wait(&s, "a.test") != OK; tries++)
		continue; /* this process may have had no turn in time */
	assert_int_equal(ask_and_wait(&s, "a.test"), OK);
	assert_int_equal(resolver_stats(s.resolver).channels, 2);
	site_close(&s);
}

/* after 30 s nobody waits any more, whatever the servers do. */
static void
test_resolver_gives_up_after_all_q_61(void **state)
{
	struct resolver_options options;
	struct asked a = { .done = 0 };
	struct site s;

	(void)state;
	site_open(&s);
	s.mute = true;
	options = options_of(&s);
	options.timeout_ms = 60000;
	assert_int_equal(resolver_configure(s.resolver, &options), OK);
	ask(&s, &a, "a.test");
	for (int i = 0; i < 10; i++)
		loop_turn(s.loop, 1);
	loop_fake_advance(s.loop, RESOLVER_WAIT_MS - 1000);
	assert_int_equal(a.done, 0);
	loop_fake_advance(s.loop, 1100);
	loop_turn(s.loop, 5);
	assert_int_equal(a.done, 1);
	assert_int_equal(a.err, ERR_IO);
	site_close(&s);
}

static void
test_resolver_asks_again_on_another_channel(void **state)
{
	struct resolver_options options;
	struct asked a = { .done = 0 };
	struct site s;

	(void)state;
	site_open(&s);
	s.mute = true;
	ask(&s, &a, "a.test");
	for (int i = 0; i < 100 && s.seen == 0; i++)
		loop_turn(s.loop, 5);
	s.mute = false;
	options = options_of(&s);
	options.timeout_ms = 1000;
	assert_int_equal(resolver_configure(s.resolver, &options), OK); /* as a reload does */
	await(&s, &a);
	assert_int_equal(a.err, OK);
	options.servers = (struct span[]){ SPAN("not an address") };
	assert_int_not_equal(resolver_configure(s.resolver, &options), OK);
	assert_int_equal(ask_and_wait(&s, "b.test"), OK); /* the old servers stay */
	site_close(&s);
}

static void
test_resolver_cancel(void **state)
{
	struct asked a = { .done = 0 }, b = { .done = 0 };
	struct site s;

	(void)state;
	site_open(&s);
	ask(&s, &a, "a.test");
	resolver_cancel(&a.q);
	resolver_cancel(&a.q);
	ask(&s, &a, "b.test");
	loop_turn(s.loop, 5);
	resolver_cancel(&a.q);
	ask(&s, &b, "b.test");
	await(&s, &b);
	assert_int_equal(a.done, 0);
	ask(&s, &a, "never.test"); /* under way when all ends */
	site_close(&s);
	assert_null(a.q.request);
}

static void
test_resolver_of_another_loop(void **state)
{
	struct asked a = { .done = 0 };
	struct loop *other;
	struct site s;

	(void)state;
	site_open(&s);
	assert_int_equal(loop_open(&other), OK);
	a.q.done = on_done;
	resolver_ask(s.resolver, other, &a.q, SPAN("a.test"), DNS_A);
	for (int i = 0; i < 200 && resolver_stats(s.resolver).names == 0; i++)
		loop_turn(s.loop, 5);
	for (int i = 0; i < 5; i++)
		loop_turn(s.loop, 1);
	assert_int_equal(a.done, 0); /* not on the loop that asks the servers */
	for (int i = 0; i < 200 && a.done == 0; i++)
		loop_turn(other, 5);
	assert_int_equal(a.done, 1);
	assert_int_equal(a.err, OK);
	site_close(&s);
	loop_close(&other);
}

static void
test_resolver_has_limits(void **state)
{
	static struct asked all[RESOLVER_LOOKUPS_MAX + 1];
	struct site s;
	char name[32];

	(void)state;
	site_open(&s);
	s.mute = true;
	for (int i = 0; i <= RESOLVER_LOOKUPS_MAX; i++) {
		snprintf(name, sizeof(name), "n%d.test", i);
		ask(&s, &all[i], name);
	}
	for (int i = 0; i < 5; i++)
		loop_turn(s.loop, 1);
	assert_int_equal(all[RESOLVER_LOOKUPS_MAX].done, 1);
	assert_int_equal(all[RESOLVER_LOOKUPS_MAX].err, ERR_BUSY);
	assert_int_equal(resolver_stats(s.resolver).under_way, RESOLVER_LOOKUPS_MAX);
	site_close(&s);
}

static void
count_fault(void *arg, const char *text)
{
	assert_true(text[0] != '\0');
	++*(int *)arg;
}

static void
test_resolver_looks_at_resolv_conf_h69(void **state)
{
	char path[] = "/tmp/postroom-test-XXXXXX";
	int faults = 0;
	struct resolver_options options = { .timeout_ms = TRY_MS, .resolv_conf = path,
		.on_fault = count_fault, .arg = &faults };
	struct asked a = { .done = 0 };
	struct resolver *r;
	const char *fault;
	struct loop *l;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_true(dprintf(fd, "nameserver 127.0.0.9\n") > 0);
	assert_int_equal(loop_open_fake(&l), OK);
	assert_int_equal(resolver_open(l, &options, &r, &fault), OK);
	loop_fake_advance(l, RESOLVER_LOOK_MS + 1);
	a.q.done = on_done;
	resolver_ask(r, l, &a.q, SPAN("a.test"), DNS_A);
	loop_turn(l, 1);
	assert_int_equal(resolver_stats(r).channels, 1);
	resolver_cancel(&a.q);
	assert_true(dprintf(fd, "nameserver 127.0.0.8\n") > 0);
	loop_fake_advance(l, RESOLVER_LOOK_MS + 1);
	resolver_ask(r, l, &a.q, SPAN("b.test"), DNS_A);
	loop_turn(l, 1);
	assert_int_equal(resolver_stats(r).channels, 2);
	resolver_cancel(&a.q);
	unlink(path); /* in the place of the file something that cannot be read */
	assert_int_equal(mknod(path, S_IFSOCK | 0600, 0), 0);
	loop_fake_advance(l, RESOLVER_LOOK_MS + 1);
	resolver_ask(r, l, &a.q, SPAN("c.test"), DNS_A);
	loop_turn(l, 1);
	assert_int_equal(faults, 1);
	assert_int_equal(resolver_stats(r).channels, 2);
	resolver_close(&r);
	loop_close(&l);
	close(fd);
	unlink(path);
}

static void
test_resolver_cache_is_bounded(void **state)
{
	struct resolver_cache *c = resolver_cache_open();
	struct resolver_blob *blob = resolver_blob_new(ERR_NOT_FOUND, NULL);
	char name[32];

	(void)state;
	for (int i = 0; i < RESOLVER_CACHE_NAMES + 5; i++) {
		snprintf(name, sizeof(name), "n%d.test", i);
		resolver_cache_put(c, span_of(name), DNS_A, blob, 1000);
		resolver_cache_find(c, SPAN("n0.test"), DNS_A, 1000); /* in use: it stays */
	}
	assert_int_equal(resolver_cache_count(c), RESOLVER_CACHE_NAMES);
	assert_non_null(resolver_cache_find(c, SPAN("n0.test"), DNS_A, 1000));
	assert_null(resolver_cache_find(c, SPAN("n1.test"), DNS_A, 1000));
	assert_null(resolver_cache_find(c, SPAN("n0.test"), DNS_TXT, 1000));
	assert_null(resolver_cache_find(c, SPAN("n0.test"), DNS_A, 1000 + DNS_TTL_MIN_S * 1000));
	resolver_cache_close(&c);
	assert_int_equal(atomic_load(&blob->holds), 1);
	resolver_blob_release(&blob);
}

int
test_net_resolver(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolver_answers_and_remembers),
		cmocka_unit_test(test_resolver_hostile_answers_h69),
		cmocka_unit_test(test_resolver_silence_and_another_channel_net_05_h69),
		cmocka_unit_test(test_resolver_gives_up_after_all_q_61),
		cmocka_unit_test(test_resolver_asks_again_on_another_channel),
		cmocka_unit_test(test_resolver_cancel),
		cmocka_unit_test(test_resolver_of_another_loop),
		cmocka_unit_test(test_resolver_has_limits),
		cmocka_unit_test(test_resolver_looks_at_resolv_conf_h69),
		cmocka_unit_test(test_resolver_cache_is_bounded),
	};

	return cmocka_run_group_tests_name("resolver", tests, NULL, NULL);
}
