/*
 * server_accept.c - a socket that came in: counted, dealt to the quietest loop, or refused (H32).
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/queue/refusals.h"
#include "server/server_state.h"

/* A socket on its way from the front loop to the loop that will own it. */
struct handoff {
	struct host *host;
	const struct service *service;
	struct peer peer;
	int fd;
};

/* For `postroom trace`; consoles bring no mail. */
static void
note_refusal(struct server *s, const struct service *service, const struct peer *peer)
{
	struct mail mail = { .service = service->name, .peer = *peer };
	struct plan plan = { .reply = { .code = 421, .text = SPAN("Too many connections") } };

	if (!service->is_control)
		refusals_note(server_front(s), &mail, &plan, SPAN_NONE);
}

static void
refuse(struct server *s, const struct service *service, const struct peer *peer, int fd,
	const char *text)
{
	struct span words = service->class->busy_text;

	metric_add(&s->metrics, refused, 1);
	note_refusal(s, service, peer);
	log_put(server_front(s)->log,
		&(struct log_line){ .level = LEVEL_WARNING, .area = service->class->name,
			.text = text,
			.fields = { { "service", span_of(service->name) },
				{ "peer", span_of(peer->text) } } });
	if (service->tls != TLS_IMPLICIT &&
		send(fd, words.ptr, words.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		errno = 0; /* a courtesy; the close says it too */
	close(fd);
}

static struct connection_limits
limits_of(struct server *s, const struct service *service)
{
	const struct conf *conf = server_front(s)->conf;
	const struct conf_service *row;
	unsigned wanted = (unsigned)conf->limits_max_connections;
	unsigned room = s->fd_limit > 2 * SERVER_FDS_KEPT ? s->fd_limit - SERVER_FDS_KEPT :
							     s->fd_limit / 2;

	if (service->is_control) /* a share of its own (H32) */
		return (struct connection_limits){ (unsigned)conf->limits_consoles, UINT32_MAX,
			UINT32_MAX, UINT32_MAX };
	row = conf_service(conf, (enum service_name)service->number);
	return (struct connection_limits){
		.max_connections = row ? (unsigned)conf_service_max_connections(conf, row) : 0,
		.max_per_ip = row ? (unsigned)conf_service_max_per_ip(conf, row) : 0,
		.max_before_login = (unsigned)conf->limits_max_per_ip_before_login,
		.max_total = wanted < room ? wanted : room,
	};
}

/* limits.connections_minute; the control socket has its own share (H32). */
static bool
connects_too_often(struct server *s, const struct service *service, const struct peer *peer)
{
	struct host *front = server_front(s);

	return !service->is_control &&
		shared_connection_rate(s->shared, peer,
			(unsigned)front->conf->limits_connections_minute,
			host_steady_ms(front)) != OK;
}

static struct host *
quietest(struct server *s, const struct service *service)
{
	struct host *best = server_front(s);

	if (service->is_control)
		return best; /* control sessions live on the front loop */
	for (unsigned i = 1; i < s->loop_count; i++) {
		if (s->hosts[i].session_count < best->session_count)
			best = &s->hosts[i];
	}
	return best;
}

static void
adopt(void *arg)
{
	struct handoff *h = arg;

	session_open(h->host, h->service, h->fd, &h->peer);
	if (h->host->stopping)
		session_close_all(h->host, NULL, CLOSE_SHUTDOWN);
	free(h);
}

static void
hand_over(struct server *s, const struct service *service, const struct peer *peer, int fd)
{
	struct handoff *h = malloc(sizeof(*h));

	ENSURE(h);
	*h = (struct handoff){ quietest(s, service), service, *peer, fd };
	h->host->session_count++;
	metric_add(&s->metrics, accepted, 1);
	if (h->host == server_front(s))
		adopt(h);
	else
		loop_post(h->host->loop, adopt, h);
}

void
server_accept(struct server *s, const struct service *service, int fd, const struct peer *peer)
{
	struct connection_limits limits = limits_of(s, service);

	if (connects_too_often(s, service, peer)) {
		metric_add(&s->metrics, refused_rate, 1);
		refuse(s, service, peer, fd, "refused, connects too often");
	} else if (shared_connection_begin(s->shared, service, peer, &limits) != OK) {
		refuse(s, service, peer, fd, "refused, too many connections");
	} else {
		hand_over(s, service, peer, fd);
	}
}
