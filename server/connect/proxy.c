/*
 * proxy.c - from `socks` in the file to what a dialer wants.
 */
#include "server/connect/proxy.h"

#include <string.h>

#include "conf/conf.h"
#include "conf/conf_value.h"
#include "server/secrets.h"

#define SECRET_MAX 1024

static void
on_server(struct resolver_question *q, const struct resolver_answer *answer)
{
	struct proxy *p = LIST_ITEM(q, struct proxy, question);

	if (answer->err == OK) {
		memcpy(p->via.server.ip, answer->records[0].ip, sizeof(p->via.server.ip));
		p->done(p, NULL);
	} else if (answer->err == ERR_NOT_FOUND && p->asking == DNS_A) {
		p->asking = DNS_AAAA;
		resolver_ask(p->host->resolver, p->host->loop, q, p->name, DNS_AAAA);
	} else {
		p->done(p, answer->err == ERR_NOT_FOUND ?
				"the SOCKS server has no address (socks.server)" :
				"the address of the SOCKS server: no answer from the name servers");
	}
}

void
proxy_find(struct proxy *p, struct host *host, const struct conf *conf)
{
	uint16_t port = 0;

	p->host = host;
	buf_wipe(&p->secret);
	buf_init(&p->secret, SECRET_MAX);
	p->secret.wipes = true;
	if (secret_of_conf(host, &conf->socks_password, &p->secret) != OK) {
		p->done(p, "the password of the SOCKS server cannot be read (socks.password)");
		return;
	}
	p->via.socks = (struct socks_config){ .version = conf->socks_version == SOCKS_4 ? 4 : 5,
		.username = conf->socks_username, .password = buf_span(&p->secret) };
	if (conf_endpoint_parse(conf->socks_server, &p->name, &port) != OK) {
		p->done(p, "socks.server is not HOST:PORT");
		return;
	}
	p->via.server.port = port > 0 ? port : SOCKS_PORT;
	if (dial_address_parse(p->name, p->via.server.port, &p->via.server)) {
		p->done(p, NULL);
		return;
	}
	p->question.done = on_server;
	p->asking = DNS_A;
	resolver_ask(host->resolver, host->loop, &p->question, p->name, DNS_A);
}

void
proxy_cancel(struct proxy *p)
{
	resolver_cancel(&p->question);
}

void
proxy_fini(struct proxy *p)
{
	proxy_cancel(p);
	buf_wipe(&p->secret);
}
