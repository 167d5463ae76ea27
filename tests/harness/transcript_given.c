/*
 * transcript_given.c - the lines `given`: configuration, users, mail that is there already.
 */
#include "conf/conf_rules.h"
#include "tests/harness/transcript_inside.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/services.h"

/* ---- given ---- */

static void
conf_add(struct given *given, const char *line)
{
	size_t len = strlen(given->conf);

	snprintf(given->conf + len, sizeof(given->conf) - len, "%s\n", line);
	if (strncmp(line, "services:", 9) == 0)
		given->has_services = true;
}

void
read_given(struct run *run, struct given *given)
{
	static const char listed[] =
		"services: { smtp: { listen: [\"127.0.0.1:0\"] }, submission: { listen: "
		"[\"127.0.0.1:0\"] }, lmtp: { listen: [\"127.0.0.1:0\"] }, pop3: { listen: [\"127.0.0.1:0\"] }, "
		"imap: { listen: [\"127.0.0.1:0\"] } }";
	bool domains = false, host = false, auth = false;
	const char *rest;

	*given = (struct given){ .service = "smtp", .peer = "192.0.2.9", .zone = "UTC0" };
	for (size_t i = 0; i < run->count; i++) {
		if ((rest = after(run->lines[i], "given conf "))) {
			conf_add(given, rest);
			domains |= strncmp(rest, "domains:", 8) == 0;
			host |= strncmp(rest, "hostname:", 9) == 0;
			auth |= strncmp(rest, "auth:", 5) == 0;
		} else if ((rest = after(run->lines[i], "given service "))) {
			given->service = rest;
		} else if ((rest = after(run->lines[i], "given service2 "))) {
			given->service2 = rest;
		} else if ((rest = after(run->lines[i], "given peer "))) {
			given->peer = rest;
		} else if ((rest = after(run->lines[i], "given zone "))) {
			given->zone = rest;
		} else if (after(run->lines[i], "given modes whole")) {
			given->whole_only = true;
		}
	}
	if (!host)
		conf_add(given, "hostname: mail.example.org");
	if (!domains)
		conf_add(given, "domains: { default: example.org, local: [example.org] }");
	if (!auth)
		conf_add(given, "auth: { hash_memory: 8MB, hash_passes: 1 }");
	if (!given->has_services)
		conf_add(given, listed);
}

static const struct service *
service_named(const char *name)
{
	const struct service *service = service_find(span_of(name));

	if (service && service->class)
		return service;
	fprintf(stderr, "no service %s\n", name);
	exit(1);
}

struct session *
connect_client(struct run *run, const char *service, const char *address)
{
	struct sockaddr_storage storage = { 0 };
	struct sockaddr_in *in4 = (struct sockaddr_in *)(void *)&storage;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&storage;
	struct peer peer;

	if (inet_pton(AF_INET, address, &in4->sin_addr) == 1)
		storage.ss_family = AF_INET;
	else if (inet_pton(AF_INET6, address, &in6->sin6_addr) == 1)
		storage.ss_family = AF_INET6;
	peer_from_sockaddr(&peer, &storage);
	if (strcmp(address, "unix") == 0)
		peer_from_unix(&peer, -1);
	return session_open(&run->site.host, service_named(service), -1, &peer);
}

/* A body of PADS lines between its first and its last. */
static void
feed_message(struct run *run, struct client *client, long number, long pads)
{
	char text[512];

	snprintf(text, sizeof(text), "Subject: mail %ld\r\n\r\nfirst %ld\r\n..dot\r\n", number,
		number);
	feed(run, client, span_of(text));
	for (long i = 0; i < pads; i++) {
		snprintf(text, sizeof(text), "pad-%090ld\r\n", i);
		feed(run, client, span_of(text));
	}
	feed(run, client, SPAN("last\r\n.\r\n"));
}

/* Begin a session that brings mail the way every message comes: by SMTP. */
static struct client *
bring_begin(struct run *run)
{
	struct client *client = &run->clients[0];

	client->session = connect_client(run, "smtp", "198.51.100.1");
	client->closed = false;
	expect_line(run, client, "220 *", ':');
	feed(run, client, SPAN("EHLO source.example.net\r\n"));
	expect_line(run, client, "250-*", ':');
	expect_line(run, client, "250 *", ':');
	return client;
}

static void
bring_envelope(struct run *run, struct client *client, const char *user)
{
	char text[512];

	snprintf(text, sizeof(text),
		"MAIL FROM:<bo@example.net>\r\nRCPT TO:<%s@example.org>\r\nDATA\r\n", user);
	feed(run, client, span_of(text));
	expect_line(run, client, "250 2.1.0 *", ':');
	expect_line(run, client, "250 2.1.5 *", ':');
	expect_line(run, client, "354 *", ':');
}

static void
bring_end(struct run *run, struct client *client)
{
	feed(run, client, SPAN("QUIT\r\n"));
	expect_line(run, client, "221 *", ':');
	for (int i = 0; i < 3; i++)
		turn(run, 0);
	buf_clear(&client->seen);
	client->closed = false;
}

/* Bring N messages into an INBOX. */
static void
bring_mail(struct run *run, const char *user, long n, long pads)
{
	enum mode mode = run->mode;
	struct client *client;

	run->mode = MODE_WHOLE;
	client = bring_begin(run);
	for (long i = 1; i <= n; i++) {
		bring_envelope(run, client, user);
		feed_message(run, client, i, pads);
		expect_line(run, client, "250 2.0.0 *", ':');
	}
	bring_end(run, client);
	run->mode = mode;
}

/* Bring one message: LINE is the user and, with escapes, its bytes without the last CRLF. */
static void
bring_text(struct run *run, const char *line)
{
	enum mode mode = run->mode;
	struct client *client;
	struct buf bytes;
	char user[64];
	int used = 0;

	if (sscanf(line, "%63s %n", user, &used) != 1 || used == 0)
		fail(run, "cannot read this line", SPAN_NONE);
	buf_init(&bytes, TEXT_MAX);
	unescape(line + used, &bytes);
	run->mode = MODE_WHOLE;
	client = bring_begin(run);
	bring_envelope(run, client, user);
	feed(run, client, buf_span(&bytes));
	feed(run, client, SPAN("\r\n.\r\n"));
	expect_line(run, client, "250 2.0.0 *", ':');
	bring_end(run, client);
	run->mode = mode;
	buf_fini(&bytes);
}

/* The lines `given rule`, as the text of the SMTP rules. */
static void
take_rules(struct run *run)
{
	static struct conf_faults faults;
	struct buf text;
	const char *line;

	buf_init(&text, 65536);
	for (size_t i = 0; i < run->count; i++)
		if ((line = after(run->lines[i], "given rule ")) && buf_printf(&text, "%s\n", line) != OK)
			exit(1);
	conf_faults_init(&faults);
	if (conf_rules_take((struct conf *)(uintptr_t)run->site.host.conf, RULE_FILE_SMTP, buf_span(&text),
		    &faults) != OK) {
		fprintf(stderr, "rules: %u: %.*s\n", faults.items[0].line, SPAN_FMT(faults.items[0].text));
		exit(1);
	}
	conf_faults_fini(&faults);
	buf_fini(&text);
}

void
make_given(struct run *run)
{
	take_rules(run);
	char a[64], b[512], c[512];
	const char *rest;

	for (run->at = 0; run->at < run->count; run->at++) {
		const char *line = run->lines[run->at];

		a[0] = b[0] = c[0] = '\0';
		if ((rest = after(line, "given user ")) && sscanf(rest, "%63s %511s", a, b) >= 1)
			site_add_user(&run->site, a, b[0] ? b : NULL);
		else if ((rest = after(line, "given set ")) &&
			sscanf(rest, "%63s %511s %511s", a, b, c) == 3)
			site_set_user(&run->site, a, b, c);
		else if ((rest = after(line, "given legacy ")) &&
			sscanf(rest, "%63s %511s %511s", a, b, c) == 3)
			site_add_legacy(&run->site, a, b, c);
		else if ((rest = after(line, "given app ")) && sscanf(rest, "%63s %511s", a, b) == 2)
			site_add_app_password(&run->site, a, b);
		else if ((rest = after(line, "given scram ")) &&
			sscanf(rest, "%63s %511s", a, b) == 2)
			site_set_scram(&run->site, a, b);
		else if ((rest = after(line, "given mapping ")) &&
			sscanf(rest, "%511s %511s %63s", b, c, a) >= 2)
			site_add_mapping_when(&run->site, b, c, a[0] ? a : NULL, NULL);
		else if ((rest = after(line, "given list ")) &&
			sscanf(rest, "%63s %511s %511s", a, b, c) >= 2)
			site_add_list(&run->site, a, b, c);
		else if ((rest = after(line, "given group ")) &&
			sscanf(rest, "%63s %511s", a, b) == 2)
			site_add_group(&run->site, a, b);
		else if ((rest = after(line, "given mail ")) &&
			sscanf(rest, "%63s %511s %511s", a, b, c) >= 2)
			bring_mail(run, a, strtol(b, NULL, 10), strtol(c, NULL, 10));
		else if ((rest = after(line, "given text ")))
			bring_text(run, rest);
		else if ((rest = after(line, "given folder ")) &&
			sscanf(rest, "%63s %511[^\n]", a, b) == 2)
			site_add_folder(&run->site, a, b);
		else if ((rest = after(line, "given held ")) && sscanf(rest, "%63s %511s", a, b) == 2)
			site_hold_message(&run->site, a, strtoul(b, NULL, 10));
	}
}
