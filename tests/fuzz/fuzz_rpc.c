/* fuzz_rpc.c - a line to a call; what is refused can be answered. */
#include "proto/control/rpc_request.h"
#include "tests/fuzz/fuzz.h"

FUZZ(in, a, out)
{
	struct rpc_request r, inner;
	struct rpc_error error;

	if (!rpc_request_parse(in, a, &r, &error)) {
		rpc_put_error(out, r.id, &error);
		ENSURE(buf_span(out).len > 0);
		return;
	}
	if (r.method->id == CONTROL_preview || r.method->id == CONTROL_list_open)
		(void)rpc_request_inner(&r, true, a, &inner, &error);
}
