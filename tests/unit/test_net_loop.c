/*
 * test_net_loop.c - deadlines on a clock that stands still, posted and deferred calls, listeners.
 */
#include "tests/unit/test_net.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/net/listener.h"
#include "server/net/loop.h"
#include "server/net/wheel.h"

struct fired {
	struct loop_timer timer;
	struct loop *loop;
	int count;
	int64_t at_ms, again_ms;
};

static void
on_fired(struct loop_timer *timer)
{
	struct fired *f = LIST_ITEM(timer, struct fired, timer);

	f->count++;
	f->at_ms = loop_now_ms(f->loop);
	if (f->again_ms > 0)
		loop_timer_set(f->loop, timer, f->again_ms);
}

static void
test_loop_deadline_is_late_at_most_a_tick(void **state)
{
	static const int64_t rows[] = { 0, 1, 15, 16, 17, 1000, 16384, 16385, 300000, 86400000 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct loop *l;
		struct fired f = { .count = 0 };
		int64_t start;

		assert_int_equal(loop_open_fake(&l), OK);
		f.loop = l;
		start = loop_now_ms(l);
		loop_timer_init(&f.timer, on_fired);
		loop_timer_set(l, &f.timer, rows[i]);
		if (rows[i] > 0) {
			loop_fake_advance(l, rows[i] - 1);
			assert_int_equal(f.count, 0); /* never early */
			loop_fake_advance(l, 1);
		}
		loop_fake_advance(l, LOOP_TICK_MS);
		assert_int_equal(f.count, 1);
		assert_true(f.at_ms - start >= rows[i]);
		assert_false(loop_timer_is_set(&f.timer));
		loop_close(&l);
	}
}

static void
test_loop_deadline_moved_and_cleared(void **state)
{
	struct loop *l;
	struct fired f = { .count = 0 };

	(void)state;
	assert_int_equal(loop_open_fake(&l), OK);
	f.loop = l;
	loop_timer_init(&f.timer, on_fired);
	loop_timer_set(l, &f.timer, 100);
	loop_timer_set(l, &f.timer, 1000);
	loop_fake_advance(l, 500);
	assert_int_equal(f.count, 0);
	loop_timer_clear(&f.timer);
	loop_fake_advance(l, 5000);
	assert_int_equal(f.count, 0);
	f.again_ms = 50;
	loop_timer_set(l, &f.timer, 50);
	for (int i = 0; i < 20; i++)
		loop_fake_advance(l, 50);
	assert_in_range(f.count, 10, 20); /* each at most a tick late, seen at the next step */
	loop_timer_clear(&f.timer);
	loop_close(&l);
}

static void
test_loop_real_deadline(void **state)
{
	struct loop *l;
	struct fired f = { .count = 0 };
	int64_t start;

	(void)state;
	assert_int_equal(loop_open(&l), OK);
	f.loop = l;
	loop_timer_init(&f.timer, on_fired);
	start = loop_now_ms(l);
	loop_timer_set(l, &f.timer, 60);
	for (int i = 0; i < 100 && f.count == 0; i++)
		loop_turn(l, 1000);
	assert_int_equal(f.count, 1);
	assert_true(f.at_ms - start >= 60); /* how late depends on the machine */
	loop_close(&l);
}

struct posted {
	struct loop *loop;
	int next, calls, wrong, stop;
};
struct post_row {
	struct posted *all;
	int number;
};
static struct post_row post_rows[2000];

static void
on_post(void *arg)
{
	struct post_row *row = arg;

	row->all->wrong += row->number != row->all->next;
	row->all->next = row->number + 1;
	if (++row->all->calls == (int)COUNT(post_rows))
		row->all->stop = 1;
}

static void *
poster(void *arg)
{
	struct posted *all = arg;

	for (int i = 0; i < (int)COUNT(post_rows); i++) {
		post_rows[i] = (struct post_row){ all, i };
		loop_post(all->loop, on_post, &post_rows[i]);
	}
	return NULL;
}

static void
test_loop_post_from_another_thread_keeps_order(void **state)
{
	struct posted all = { .loop = NULL };
	pthread_t thread;

	(void)state;
	assert_int_equal(loop_open(&all.loop), OK);
	assert_int_equal(pthread_create(&thread, NULL, poster, &all), 0);
	test_net_turn_until(all.loop, &all.stop);
	pthread_join(thread, NULL);
	assert_int_equal(all.wrong, 0);
	assert_int_equal(all.calls, COUNT(post_rows));
	loop_close(&all.loop);
}

struct deferred {
	struct loop_call call;
	struct loop *loop;
	int calls, again;
};

static void
on_deferred(struct loop_call *call)
{
	struct deferred *d = LIST_ITEM(call, struct deferred, call);

	d->calls++;
	if (d->again-- > 0)
		loop_defer(d->loop, call);
}

static void
count_turns(void *arg, int64_t us)
{
	assert_true(us >= 0);
	++*(int *)arg;
}

static void
test_loop_deferred_runs_once_a_turn_end(void **state)
{
	struct deferred d = { .again = 3 };
	int turns = 0;

	(void)state;
	assert_int_equal(loop_open(&d.loop), OK);
	loop_on_turn_end(d.loop, count_turns, &turns);
	loop_call_init(&d.call, on_deferred);
	loop_defer(d.loop, &d.call);
	loop_defer(d.loop, &d.call);
	loop_turn(d.loop, 0);
	assert_int_equal(d.calls, 4);
	assert_true(turns > 0);
	loop_defer(d.loop, &d.call);
	loop_call_cancel(&d.call);
	loop_turn(d.loop, 0);
	assert_int_equal(d.calls, 4);
	loop_close(&d.loop);
}

static void
sleepy(void *arg)
{
	(void)arg;
	usleep(30000);
}

static void
test_loop_measures_its_longest_turn_h36(void **state)
{
	struct loop *l;

	(void)state;
	assert_int_equal(loop_open(&l), OK);
	loop_turn(l, 400);
	assert_true(loop_longest_turn_us(l) < 400000); /* waiting is not working */
	loop_post(l, sleepy, NULL);
	loop_turn(l, 1000);
	assert_true(loop_longest_turn_us(l) >= 30000);
	loop_close(&l);
}

/* ---- addresses and listeners ---- */

static void
test_listen_address_rows(void **state)
{
	static const struct {
		const char *text;
		enum err want;
		int family;
	} rows[] = {
		{ "127.0.0.1:25", OK, AF_INET },
		{ "[::1]:25", OK, AF_INET6 },
		{ "::1:25", OK, AF_INET6 },
		{ "unix:a/b.sock", OK, AF_UNIX },
		{ "", ERR_SYNTAX, 0 },
		{ "127.0.0.1", ERR_SYNTAX, 0 },
		{ "127.0.0.1:65536", ERR_SYNTAX, 0 },
		{ "127.0.0.1:-1", ERR_SYNTAX, 0 },
		{ "localhost:25", ERR_SYNTAX, 0 },
		{ ":25", ERR_SYNTAX, 0 },
		{ "[", ERR_SYNTAX, 0 },
		{ "[:25", ERR_SYNTAX, 0 },
		{ "unix:", ERR_SYNTAX, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct listen_address a;
		enum err err = listen_address_parse(span_of(rows[i].text), &a);

		if ((err == OK) != (rows[i].want == OK))
			fail_msg("row %zu: %s", i, rows[i].text);
		if (err == OK)
			assert_int_equal(a.sockaddr.ss_family, rows[i].family);
	}
}

struct taken {
	struct listener listener;
	int accepted, pauses, error;
	struct peer last;
};

static void
on_accept(struct listener *l, int fd, const struct peer *peer)
{
	struct taken *t = LIST_ITEM(l, struct taken, listener);

	t->accepted++;
	t->last = *peer;
	close(fd);
}

static void
on_pause(struct listener *l, int error)
{
	struct taken *t = LIST_ITEM(l, struct taken, listener);

	t->pauses++;
	t->error = error;
}

static void
listen_on(struct taken *t, struct loop *l, const char *text)
{
	int fd;

	*t = (struct taken){ .accepted = 0 };
	assert_int_equal(listen_address_parse(span_of(text), &t->listener.address), OK);
	assert_int_equal(listen_address_bind(&t->listener.address, &fd), OK);
	listener_init(&t->listener, l, fd);
	t->listener.on_accept = on_accept;
	t->listener.on_pause = on_pause;
	listener_start(&t->listener);
}

static int
connect_to(const struct listener *l)
{
	struct sockaddr_storage a;
	socklen_t size = sizeof(a);
	int fd;

	assert_int_equal(getsockname(l->io.fd, (struct sockaddr *)&a, &size), 0);
	fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, size), 0);
	return fd;
}

static void
test_listener_takes_a_batch(void **state)
{
	struct loop *l;
	struct taken t;
	int fds[LISTENER_BATCH + 10];

	(void)state;
	assert_int_equal(loop_open(&l), OK);
	listen_on(&t, l, "127.0.0.1:0");
	for (size_t i = 0; i < COUNT(fds); i++)
		fds[i] = connect_to(&t.listener);
	loop_turn(l, 1000);
	assert_int_equal(t.accepted, LISTENER_BATCH); /* H62 */
	loop_turn(l, 1000);
	assert_int_equal(t.accepted, COUNT(fds));
	assert_string_equal(t.last.text, "127.0.0.1");
	assert_true(peer_is_loopback(&t.last));
	for (size_t i = 0; i < COUNT(fds); i++)
		close(fds[i]);
	listener_stop(&t.listener);
	loop_close(&l);
}

/* The client is another process: this one has no descriptor left for it. */
static void
test_listener_rests_without_descriptors_h33(void **state)
{
	struct loop *l;
	struct taken t;
	struct rlimit before, none;
	int client;

	(void)state;
	assert_int_equal(loop_open_fake(&l), OK);
	listen_on(&t, l, "127.0.0.1:0");
	loop_turn(l, 0);
	client = connect_to(&t.listener);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	loop_turn(l, 100);
	for (int i = 0; i < 5; i++)
		loop_turn(l, 0); /* no spinning: it is not watched */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(t.accepted, 0);
	assert_int_equal(t.pauses, 1);
	assert_int_equal(t.error, EMFILE);
	assert_int_equal(t.listener.paused, 1);
	loop_fake_advance(l, LISTENER_PAUSE_MS + LOOP_TICK_MS);
	loop_turn(l, 100);
	assert_int_equal(t.accepted, 1);
	close(client);
	listener_stop(&t.listener);
	loop_close(&l);
}

static void
test_listener_unix_socket_mode_and_stale_file_h59(void **state)
{
	struct loop *l;
	struct taken t;
	struct stat st;
	struct listen_address again;
	char text[LISTEN_TEXT_MAX];
	int fd, client;

	(void)state;
	snprintf(text, sizeof(text), "unix:/tmp/postroom-test-%d.sock", (int)getpid());
	assert_int_equal(loop_open(&l), OK);
	listen_on(&t, l, text);
	assert_int_equal(stat(text + 5, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(listen_address_parse(span_of(text), &again), OK);
	client = connect_to(&t.listener);
	loop_turn(l, 1000);
	assert_int_equal(t.accepted, 1);
	assert_true(t.last.is_unix);
	assert_int_equal(t.last.uid, getuid());
	assert_int_equal(listen_address_bind(&again, &fd), ERR_EXISTS); /* somebody answers */
	assert_int_equal(errno, EADDRINUSE);
	loop_io_watch(l, &t.listener.io, 0);
	close(t.listener.io.fd); /* killed: the file stays */
	assert_int_equal(listen_address_bind(&again, &fd), OK);
	close(fd);
	unlink(text + 5);
	close(client);
	loop_close(&l);
}

/* A stop removes the file of its own socket, and no other that lies there by then. */
static void
test_listener_leaves_the_file_of_another(void **state)
{
	struct loop *l;
	struct taken t;
	struct stat st;
	char text[LISTEN_TEXT_MAX];
	int fd;

	(void)state;
	snprintf(text, sizeof(text), "unix:/tmp/postroom-test-%d.sock", (int)getpid());
	assert_int_equal(loop_open(&l), OK);
	listen_on(&t, l, text);
	listener_stop(&t.listener);
	assert_int_equal(lstat(text + 5, &st), -1);
	listen_on(&t, l, text);
	assert_int_equal(unlink(text + 5), 0);
	fd = open(text + 5, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	listener_stop(&t.listener);
	assert_int_equal(lstat(text + 5, &st), 0);
	close(fd);
	assert_int_equal(listen_address_bind(&t.listener.address, &fd), ERR_EXISTS); /* no socket: stays */
	assert_int_equal(unlink(text + 5), 0);
	loop_close(&l);
}

static void
test_peer_key_of_ipv6_is_its_64_h32(void **state)
{
	struct listen_address a, b, c;
	struct peer pa, pb, pc;
	struct peer_key ka, kb, kc;

	(void)state;
	assert_int_equal(listen_address_parse(SPAN("[2001:db8:1:2::1]:1"), &a), OK);
	assert_int_equal(listen_address_parse(SPAN("[2001:db8:1:2:ffff::9]:2"), &b), OK);
	assert_int_equal(listen_address_parse(SPAN("[2001:db8:1:3::1]:1"), &c), OK);
	peer_from_sockaddr(&pa, &a.sockaddr);
	peer_from_sockaddr(&pb, &b.sockaddr);
	peer_from_sockaddr(&pc, &c.sockaddr);
	ka = peer_key_of(&pa);
	kb = peer_key_of(&pb);
	kc = peer_key_of(&pc);
	assert_memory_equal(&ka, &kb, sizeof(ka));
	assert_memory_not_equal(&ka, &kc, sizeof(ka));
	assert_string_equal(pa.text, "2001:db8:1:2::1");
}

int
test_net_loop(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loop_deadline_is_late_at_most_a_tick),
		cmocka_unit_test(test_loop_deadline_moved_and_cleared),
		cmocka_unit_test(test_loop_real_deadline),
		cmocka_unit_test(test_loop_post_from_another_thread_keeps_order),
		cmocka_unit_test(test_loop_deferred_runs_once_a_turn_end),
		cmocka_unit_test(test_loop_measures_its_longest_turn_h36),
		cmocka_unit_test(test_listen_address_rows),
		cmocka_unit_test(test_listener_takes_a_batch),
		cmocka_unit_test(test_listener_rests_without_descriptors_h33),
		cmocka_unit_test(test_listener_unix_socket_mode_and_stale_file_h59),
		cmocka_unit_test(test_listener_leaves_the_file_of_another),
		cmocka_unit_test(test_peer_key_of_ipv6_is_its_64_h32),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
