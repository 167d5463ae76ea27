/*
 * server_rules.c - rule files: read with the configuration, followed while serving.
 *
 * Rules belong to a generation of the configuration, as all else that decides. So a new text is a new
 * generation, made of the configuration's text that is in force: what stands in the file by now counts at
 * the next reload. A bad text changes nothing; it is logged once, with the line.
 */
#include <stdio.h>
#include <time.h>

#include "conf/conf_rules.h"
#include "server/server_state.h"

#define LEFT_ALONE_S 1
#define FAULTS_TEXT_MAX (64 * 1024)

static struct file_stamp
stamp_of(struct server *s, const struct conf *conf)
{
	struct file_stamp stamp;
	struct arena arena;

	arena_init(&arena, NULL);
	server_stamp_file(
		s, conf_rules_path(&arena, s->options->conf_path, conf->rules_lan), &stamp);
	arena_reset(&arena);
	return stamp;
}

/* Note a refused text: the first line of FAULTS for people, and in the log. */
static void
refused(struct server *s, struct span lines)
{
	struct span first;

	if (!span_next_line(&lines, &first))
		first = SPAN("cannot be read");
	snprintf(s->rules_fault, sizeof(s->rules_fault), "%.*s", SPAN_FMT(first));
	log_put(s->log, &(struct log_line){ .level = LEVEL_ERROR, .area = "config",
				.text = "the new LAN rules are refused, the old ones stay",
				.fields = { { "why", span_of(s->rules_fault) } } });
}

enum err
server_rules_read(struct server *s, struct conf *conf, struct buf *faults)
{
	const struct conf *now = server_front(s)->conf;
	struct conf_faults list;
	struct buf text;
	enum err err;

	conf_faults_init(&list);
	buf_init(&text, FAULTS_TEXT_MAX);
	s->rules_stamp = stamp_of(s, conf);
	err = conf_rules_load(conf, s->options->conf_path, &list);
	server_put_faults(&list, conf_rules_path(&conf->arena, s->options->conf_path, conf->rules_lan),
		&text);
	conf_faults_fini(&list);
	s->rules_fault[0] = '\0';
	if (err != OK && now) {
		refused(s, buf_span(&text));
		conf_faults_init(&list);
		err = conf_rules_take(conf, now->lan_rules.text, &list);
		conf_faults_fini(&list);
	} else if (faults && buf_put(faults, buf_span(&text)) != OK) {
		faults->overflow = false; /* enough to work on */
	}
	buf_fini(&text);
	return err == OK ? OK : ERR_SYNTAX;
}

enum err
server_rules_take(struct server *s)
{
	struct host *front = server_front(s);
	struct conf_faults list;
	struct generation *generation;
	struct conf *next = NULL;
	enum err err;

	conf_faults_init(&list);
	err = conf_load(front->conf->text, &next, &list);
	conf_faults_fini(&list);
	if (err == OK && (err = server_rules_read(s, next, NULL)) != OK)
		conf_free(&next);
	if (err != OK)
		return err;
	if (s->rules_fault[0]) {
		conf_free(&next);
		return ERR_SYNTAX;
	}
	generation = generation_new(next);
	server_swap(s, generation, front->tls);
	log_put(s->log, &(struct log_line){ .level = LEVEL_INFO, .area = "config",
				.text = "LAN rules taken over",
				.fields = { { "rules", .number = (int64_t)next->lan_rules.count } } });
	generation_release(&generation);
	return OK;
}

void
server_rules_follow(struct server *s)
{
	struct file_stamp now = stamp_of(s, server_front(s)->conf);
	int64_t age_s = (int64_t)time(NULL) - now.mtime_s;

	if (server_stamp_eq(&s->rules_stamp, &now))
		return;
	if (now.ino != 0 && age_s >= 0 && age_s < LEFT_ALONE_S)
		return; /* whoever writes it may be at it still */
	if (server_rules_take(s) != OK)
		s->rules_stamp = now; /* noted and logged; looked at again once it changes */
}

const char *
server_rules_fault(const struct server *s)
{
	return s->rules_fault;
}
