/*
 * collect_account.c - the account of a collector, as a number and for people.
 */
#include "server/collect/collect_account.h"

#include <stdio.h>

#include "proto/base/arena.h"
#include "proto/base/hash64.h"

/* 0: it says nothing. With TLS from the beginning or without, it is the same mailbox. */
static int
port_of(const struct conf_collector *conf)
{
	bool is_standard = conf->kind == COLLECTOR_POP3 ? conf->port == 110 || conf->port == 995
							: conf->port == 143 || conf->port == 993;

	return is_standard ? 0 : (int)conf->port;
}

static struct span
folder_of(const struct conf_collector *conf)
{
	return span_eq_nocase(conf->folder, SPAN("INBOX")) ? SPAN("") : conf->folder;
}

uint64_t
collect_account_mark(const struct conf_collector *conf)
{
	struct arena arena;
	uint64_t mark;

	arena_init(&arena, NULL);
	mark = hash64((struct hash64_key){ 0, 0 }, arena_printf(&arena, "%d\n%.*s\n%d\n%.*s\n%.*s\n%.*s", (int)conf->kind,
		SPAN_FMT(arena_lower(&arena, conf->server)), port_of(conf), SPAN_FMT(conf->username),
		SPAN_FMT(folder_of(conf)), SPAN_FMT(conf->path)));
	arena_reset(&arena);
	return mark + (mark == 0);
}

struct fetched_account
collect_account(const struct conf_collector *conf, char room[FETCHED_LABEL_MAX + 1])
{
	int len;

	if (conf->kind == COLLECTOR_SPOOL)
		len = snprintf(room, FETCHED_LABEL_MAX + 1, "%.*s", SPAN_FMT(conf->path));
	else
		len = snprintf(room, FETCHED_LABEL_MAX + 1, "%.*s at %.*s", SPAN_FMT(conf->username),
			SPAN_FMT(conf->server));
	len = len > FETCHED_LABEL_MAX ? FETCHED_LABEL_MAX : len;
	return (struct fetched_account){ collect_account_mark(conf), { room, (size_t)len } };
}

static struct span
name_at(const void *conf, size_t i)
{
	return ((const struct conf *)conf)->collectors.items[i].name;
}

static uint64_t
mark_at(const void *conf, size_t i)
{
	return collect_account_mark(&((const struct conf *)conf)->collectors.items[i]);
}

struct fetched_file
collect_file(const struct conf *conf)
{
	return (struct fetched_file){ conf, conf->collectors.count, name_at, mark_at };
}
