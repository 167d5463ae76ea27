/*
 * test_net.h - groups of the program test-net: loops, streams, TLS, workers, listeners, the log,
 * what all loops share.
 */
#ifndef TESTS_UNIT_TEST_NET_H
#define TESTS_UNIT_TEST_NET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/base/span.h"

#define assert_span(got, want) assert_true(span_eq((got), span_of(want)))

struct loop;
/* Turns of L until *flag is not 0; fails after five seconds. */
void test_net_turn_until(struct loop *l, const volatile int *flag);

int test_crypto(void);
int test_net_loop(void);
int test_net_log(void);
int test_net_resolver(void);
int test_net_runner(void);
int test_net_session(void);
int test_net_locks(void);
int test_net_shared(void);
int test_net_stream(void);
int test_net_tls(void);
int test_net_tls_client(void);
int test_net_tokens(void);
int test_net_warden(void);
int test_net_work(void);

#endif
