/*
 * source_net_roots.c - who vouches for the server of a collector: those of tls_ca, which a worker reads, else those of
 * the whole server, which the front loop holds.
 */
#include <stdio.h>
#include <stdlib.h>

#include "server/collect/source_net.h"
#include "server/generation.h"
#include "server/net/tls.h"
#include "server/queue/outgoing.h"
#include "server/server.h"

/* One question; it lives until its answer, also where nobody wants that any more. */
struct source_roots {
	struct source_net *net; /* NULL: it is gone */
	struct host *host;
	struct generation *generation; /* of `path` */
	struct span path;
	struct work work;
	struct tls_client *roots;
	size_t count;
};

/* On the loop that asked. */
static void
answer(struct source_roots *r)
{
	struct source_net *n = r->net;

	if (n) {
		n->roots_asked = NULL;
		n->roots = r->roots;
		r->roots = NULL;
		if (r->count == 0)
			source_net_close(n, SOURCE_OWN, "tls_ca: no certificate can be read from that file");
		else
			source_net_trusted(n);
	}
	tls_client_release(&r->roots);
	generation_release(&r->generation);
	free(r);
}

static void
on_answer(void *roots)
{
	answer(roots);
}

static void
on_front(void *roots)
{
	struct source_roots *r = roots;

	r->roots = outgoing_roots(host_of_loop(r->host, 0)->outgoing);
	loop_post(r->host->loop, on_answer, r);
}

static void
run_read(struct work *work)
{
	struct source_roots *r = LIST_ITEM(work, struct source_roots, work);

	r->roots = server_read_roots(r->host->server, r->path.ptr, &r->count);
}

static void
on_read(struct work *work, enum err result)
{
	(void)result; /* then there are none */
	answer(LIST_ITEM(work, struct source_roots, work));
}

void
source_net_get_roots(struct source_net *n)
{
	struct source_roots *r;

	if (n->roots || n->conf->tls == COLLECTOR_TLS_NONE) {
		source_net_trusted(n);
		return;
	}
	r = calloc(1, sizeof(*r));
	ENSURE(r);
	*r = (struct source_roots){ .net = n, .host = n->host, .path = n->conf->tls_ca, .count = 1,
		.generation = generation_hold(n->source.generation),
		.work = { .loop = n->host->loop, .kind = WORK_GENERAL, .run = run_read, .done = on_read } };
	n->roots_asked = r;
	list_init(&r->work.link);
	if (r->path.len == 0) {
		loop_post(host_of_loop(n->host, 0)->loop, on_front, r);
		return;
	}
	r->count = 0;
	if (workers_submit(n->host->workers, &r->work) != OK)
		loop_post(n->host->loop, on_answer, r);
}

void
source_net_roots_stop(struct source_net *n)
{
	if (n->roots_asked)
		n->roots_asked->net = NULL;
	n->roots_asked = NULL;
}
