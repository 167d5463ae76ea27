/* fuzz_socks_client.c - a proxy that says anything: the first two bytes choose reads and settings. */
#include "proto/socks/socks_client.h"
#include "tests/fuzz/fuzz.h"

struct dialogue {
	struct socks_client machine;
	struct buf *out;
};

static size_t
step(void *arg, struct span in)
{
	struct dialogue *d = arg;
	size_t take = socks_client_wants(&d->machine);

	ENSURE(take <= SOCKS_REPLY_MAX);
	if (take > in.len)
		take = in.len;
	if (socks_client_next(&d->machine, span_range(in, 0, take), d->out) != SOCKS_MORE)
		return SIZE_MAX;
	ENSURE(buf_span(d->out).len <= SOCKS_SENT_MAX);
	buf_clear(d->out);
	return take;
}

FUZZ(in, a, out)
{
	struct dialogue d = { .out = out };
	struct socks_config config = { .port = 25, .version = 5 };

	if (in.len < 2)
		return;
	if (in.ptr[1] & 1)
		config.version = 4;
	if (in.ptr[1] & 2)
		config.username = config.password = SPAN("anna");
	if (in.ptr[1] & 4)
		config.name = SPAN("mail.test");
	if (in.ptr[1] & 8)
		memset(config.ip + 10, 0xff, 2);
	if (socks_client_init(&d.machine, &config, out) == OK)
		fuzz_in_pieces(span_from(in, 2), (unsigned char)in.ptr[0], step, &d);
}
