/*
 * test_net_main.c - the tests of the process's ground in one program.
 */
#include "tests/unit/test_net.h"

#include <signal.h>
#include <time.h>

#include "server/net/loop.h"

#define PATIENCE_S 60 /* for what must come, however busy the machine */

void
test_net_turn_until(struct loop *l, const volatile int *flag)
{
	time_t begun = time(NULL);

	while (!*flag && time(NULL) - begun < PATIENCE_S)
		loop_turn(l, 10);
	assert_true(*flag);
}

int
main(void)
{
	int failed;

	signal(SIGPIPE, SIG_IGN);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = test_net_loop();
	failed += test_crypto();
	failed += test_net_work();
	failed += test_net_stream();
	failed += test_net_tls();
	failed += test_net_tls_client();
	failed += test_net_log();
	failed += test_net_resolver();
	failed += test_net_runner();
	failed += test_net_tokens();
	failed += test_net_session();
	failed += test_net_shared();
	failed += test_net_locks();
	failed += test_net_warden();
	return failed != 0;
}
