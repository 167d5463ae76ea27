/*
 * server_rules.c - rule files: read with the configuration, followed while serving.
 *
 * Rules belong to a generation of the configuration, as all else that decides. So a new text is a new
 * generation, made of the configuration's text that is in force: what stands in the file by now counts at
 * the next reload. A bad text changes nothing: it is logged once, with the line, shown by `status`, and the
 * Main Administrator is told (SMR-14). A start finds the text that was last in force kept beside it.
 */
#include <stdio.h>
#include <time.h>

#include "server/pipeline/rule_targets.h"
#include "server/queue/own_mail.h"
#include "server/server_state.h"

#define LEFT_ALONE_S 1
#define FAULTS_TEXT_MAX (64 * 1024)
#define LETTER_MAX (SERVER_LINE_MAX + 1000)

static struct file_stamp
stamp_of(struct server *s, const struct conf *conf, enum rule_file file)
{
	struct file_stamp stamp;
	struct arena arena;

	arena_init(&arena, NULL);
	server_stamp_file(s, conf_rules_path(&arena, s->options->conf_path, conf, file), &stamp);
	arena_reset(&arena);
	return stamp;
}

/* Note a refused text: the first line of FAULTS for people, and in the log. */
void
server_rules_refuse(struct server *s, enum rule_file file, struct span lines)
{
	struct rules_watch *watch = &s->rules[file];
	struct span first;

	if (!span_next_line(&lines, &first))
		first = SPAN("cannot be read");
	snprintf(watch->fault, sizeof(watch->fault), "%.*s", SPAN_FMT(first));
	watch->told = false;
	log_put(s->log, &(struct log_line){ .level = LEVEL_ERROR, .area = "config",
				.text = "new rules are refused, the old ones stay",
				.fields = { { "rules", span_of(conf_rules_name(file)) },
					{ "why", span_of(watch->fault) } } });
}

/* The first line alone says what to mend. Not before the loops run: a letter goes through intake. */
static void
tell(struct server *s, enum rule_file file)
{
	char subject[OWN_MAIL_SUBJECT_MAX], text[LETTER_MAX];
	struct own_mail mail = { .subject = SPAN_NONE };

	s->rules[file].told = true;
	snprintf(subject, sizeof(subject), "The new %s are refused", conf_rules_name(file));
	snprintf(text, sizeof(text),
		"The file of the %s has a line that cannot be used, so the rules that were in force stay:\n\n"
		"%s\n\nMend it there, and it is taken over at once; `postroom %s check` names every line that is wrong.\n",
		conf_rules_name(file), s->rules[file].fault, conf_rules_words(file));
	mail.subject = span_of(subject);
	mail.text = span_of(text);
	if (own_mail_send(server_front(s), &mail) != OK)
		log_put(s->log, &(struct log_line){ .level = LEVEL_WARNING, .area = "config",
					.text = "no room for a letter",
					.fields = { { "subject", span_of(subject) } } });
}

/* ---- reading ---- */

/* Unknown targets are bad lines too (contract 8), where the store can be asked. */
static enum err
load(struct server *s, struct conf *conf, enum rule_file file, struct conf_faults *faults)
{
	struct host *front = server_front(s);
	enum err err = file == RULE_FILE_CONTENT
		? server_content_load(s, conf, faults)
		: conf_rules_load(conf, file, s->options->conf_path, faults);
	const struct rule_set *set = conf_rules_set(conf, file);
	struct snapshot *snap = NULL;

	if (err == OK && set && front->conf && set->count > 0)
		snap = host_snapshot(front);
	if (snap)
		err = rule_targets_check(conf, snap, set, faults);
	return err;
}

/* What was in force before the text became bad. */
static enum err
take_old(struct server *s, struct conf *conf, enum rule_file file)
{
	const struct conf *now = server_front(s)->conf;
	struct conf_faults *faults = ARENA_NEW(&conf->arena, struct conf_faults);
	struct span text = SPAN_NONE;
	enum err err = OK;

	conf_faults_init(faults);
	if (now)
		text = conf_rules_text(now, file);
	else
		err = conf_rules_kept(conf_rules_path(&conf->arena, s->options->conf_path, conf, file),
			&conf->arena, &text);
	if (err == OK)
		err = conf_rules_take(conf, file, text, faults);
	if (err != OK && conf_rules_language(file))
		err = conf_rules_take(conf, file, SPAN(""), faults); /* no error in them stops mail */
	conf_faults_fini(faults);
	return err;
}

/* ---- keeping ---- */

static void
tell_not_kept(struct server *s, const char *path)
{
	log_put(s->log, &(struct log_line){ .level = LEVEL_WARNING, .area = "config",
				.text = "the rules in force cannot be kept beside their file",
				.fields = { { "file", span_of(path) } } });
}

/* At a start, where no loop runs yet. */
static void
keep_first(struct server *s, struct conf *conf, enum rule_file file)
{
	const char *path = conf_rules_path(&conf->arena, s->options->conf_path, conf, file);

	if (conf_rules_keep(path, conf_rules_text(conf, file)) != OK)
		tell_not_kept(s, path);
}

static void
keep_run(struct work *work)
{
	struct rules_keeping *k = LIST_ITEM(work, struct rules_keeping, work);
	struct server *s = LIST_ITEM(k, struct server, keeping);
	const struct conf *conf = generation_conf(k->now);
	struct arena a;

	arena_init(&a, NULL);
	for (enum rule_file file = 0; file < RULE_FILE_COUNT; file++)
		k->err[file] = conf_rules_keep(conf_rules_path(&a, s->options->conf_path, conf, file),
			conf_rules_text(conf, file));
	arena_reset(&a);
}

static void keep_next(struct server *s);

static void
keep_done(struct work *work, enum err result)
{
	struct rules_keeping *k = LIST_ITEM(work, struct rules_keeping, work);
	struct server *s = LIST_ITEM(k, struct server, keeping);
	struct arena a;

	arena_init(&a, NULL);
	for (enum rule_file file = 0; file < RULE_FILE_COUNT; file++)
		if (result != OK || k->err[file] != OK)
			tell_not_kept(s, conf_rules_path(&a, s->options->conf_path, generation_conf(k->now), file));
	arena_reset(&a);
	generation_release(&k->now);
	keep_next(s);
}

static void
keep_next(struct server *s)
{
	struct rules_keeping *k = &s->keeping;

	if (k->now || !k->next)
		return;
	k->now = k->next;
	k->next = NULL;
	k->work = (struct work){ .loop = server_front(s)->loop, .kind = WORK_GENERAL, .run = keep_run,
		.done = keep_done };
	list_init(&k->work.link);
	if (workers_submit(s->workers, &k->work) != OK) { /* with the next change, or at the end */
		k->next = k->now;
		k->now = NULL;
	}
}

void
server_rules_keep(struct server *s, struct generation *generation)
{
	if (s->keeping.next)
		generation_release(&s->keeping.next);
	s->keeping.next = generation_hold(generation);
	keep_next(s);
}

void
server_rules_close(struct server *s)
{
	struct rules_keeping *k = &s->keeping;

	if (k->next && k->now)
		generation_release(&k->now);
	if (k->next) {
		k->now = k->next;
		k->next = NULL;
	}
	if (!k->now)
		return;
	keep_run(&k->work);
	generation_release(&k->now);
}

/* ---- files ---- */

static enum err
read_file(struct server *s, struct conf *conf, enum rule_file file, struct buf *out)
{
	struct conf_faults *list = ARENA_NEW(&conf->arena, struct conf_faults);
	struct buf text;
	enum err err;

	conf_faults_init(list);
	buf_init(&text, FAULTS_TEXT_MAX);
	s->rules[file].stamp = stamp_of(s, conf, file);
	err = load(s, conf, file, list);
	server_put_faults(
		list, conf_rules_path(&conf->arena, s->options->conf_path, conf, file), &text);
	conf_faults_fini(list);
	s->rules[file].fault[0] = '\0';
	if (err == OK) {
		if (!server_front(s)->conf)
			keep_first(s, conf, file);
	} else {
		server_rules_refuse(s, file, buf_span(&text));
		err = take_old(s, conf, file);
	}
	if (out && buf_put(out, buf_span(&text)) != OK)
		out->overflow = false; /* enough to work on */
	buf_fini(&text);
	return err == OK ? OK : ERR_SYNTAX;
}

enum err
server_rules_read(struct server *s, struct conf *conf, struct buf *faults)
{
	enum err err = OK;

	for (enum rule_file file = 0; file < RULE_FILE_COUNT && err == OK; file++)
		err = read_file(s, conf, file, server_front(s)->conf ? NULL : faults);
	return err;
}

/* ---- taking over ---- */

static bool
changed(struct server *s, enum rule_file *file)
{
	for (*file = 0; *file < RULE_FILE_COUNT; (*file)++) {
		struct file_stamp now = stamp_of(s, server_front(s)->conf, *file);
		int64_t age_s = (int64_t)time(NULL) - now.mtime_s;

		if (server_stamp_eq(&s->rules[*file].stamp, &now))
			continue;
		if (now.ino == 0 || age_s < 0 || age_s >= LEFT_ALONE_S)
			return true; /* else whoever writes it may be at it still */
	}
	return false;
}

static void
swap(struct server *s, struct conf *next)
{
	struct generation *generation = generation_new(next);

	server_swap(s, generation, server_front(s)->tls);
	generation_release(&generation);
}

enum err
server_rules_take(struct server *s, enum rule_file file)
{
	struct conf_faults list;
	struct conf *next = NULL;
	enum err err;

	conf_faults_init(&list);
	err = conf_load(server_front(s)->conf->text, &next, &list);
	conf_faults_fini(&list);
	s->content.trusted = file == RULE_FILE_CONTENT;
	if (err == OK && (err = server_rules_read(s, next, NULL)) != OK)
		conf_free(&next);
	s->content.trusted = false;
	if (err != OK)
		return err;
	if (s->rules[file].fault[0]) {
		conf_free(&next);
		return ERR_SYNTAX;
	}
	log_put(s->log, &(struct log_line){ .level = LEVEL_INFO, .area = "config",
				.text = "rules taken over",
				.fields = { { "rules", span_of(conf_rules_name(file)) },
					{ "count", .number = (int64_t)conf_rules_count(next, file) } } });
	swap(s, next);
	return OK;
}

void
server_rules_follow(struct server *s)
{
	enum rule_file file;
	bool is_new = changed(s, &file);

	if (is_new && file == RULE_FILE_CONTENT)
		s->content.unseen = true;
	if (is_new && (file == RULE_FILE_CONTENT || server_rules_take(s, file) != OK)) /* noted and logged; */
		s->rules[file].stamp = stamp_of(s, server_front(s)->conf, file); /* and again once it changes */
	if (s->content.unseen)
		server_content_look(s);
	for (file = 0; file < RULE_FILE_COUNT; file++)
		if (s->rules[file].fault[0] && !s->rules[file].told)
			tell(s, file);
}

const char *
server_rules_fault(const struct server *s, enum rule_file file)
{
	return s->rules[file].fault;
}
