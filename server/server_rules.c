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
#define TARGETS_STEP 200 /* rules whose targets are looked up under one snapshot */
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

/* Piece by piece, since a snapshot is for a moment (H44). */
static enum err
check_targets(struct reading *r, const struct rule_set *set, struct conf_faults *faults)
{
	enum err all = OK;

	for (size_t at = 0; at < set->count && (all == OK || all == ERR_SYNTAX); at += TARGETS_STEP) {
		struct rule_set part = *set;
		struct snapshot *snap = NULL;
		enum err err = snapshot_open(r->server->store, &snap);

		part.items += at;
		part.count = set->count - at < TARGETS_STEP ? set->count - at : TARGETS_STEP;
		if (err == OK)
			err = rule_targets_check(r->next, snap, &part, faults);
		snapshot_close(&snap);
		all = err == OK ? all : err;
	}
	return all;
}

/* Unknown targets are bad lines too (contract 8), where the store can be asked. */
static enum err
load(struct reading *r, enum rule_file file, struct conf_faults *faults)
{
	enum err err = file == RULE_FILE_CONTENT
		? server_content_load(r, faults)
		: conf_rules_load(r->next, file, r->server->options->conf_path, faults);
	const struct rule_set *set = conf_rules_set(r->next, file);

	return err == OK && set && r->now ? check_targets(r, set, faults) : err;
}

/* What was in force before the text became bad. */
static enum err
take_old(struct reading *r, enum rule_file file)
{
	const struct conf *now = r->now;
	struct conf *conf = r->next;
	struct server *s = r->server;
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

/* The first line of FAULTS says why. */
static void
note_fault(struct reading *r, enum rule_file file, struct span lines)
{
	struct span first;

	if (!span_next_line(&lines, &first))
		first = SPAN("cannot be read");
	snprintf(r->rules[file].fault, sizeof(r->rules[file].fault), "%.*s", SPAN_FMT(first));
}

static enum err
read_file(struct reading *r, enum rule_file file, struct buf *out)
{
	struct conf_faults *list = ARENA_NEW(&r->next->arena, struct conf_faults);
	const char *conf_path = r->server->options->conf_path;
	struct buf text;
	enum err err;

	conf_faults_init(list);
	buf_init(&text, FAULTS_TEXT_MAX);
	r->rules[file].stamp = stamp_of(r->server, r->next, file);
	r->rules[file].fault[0] = '\0';
	err = load(r, file, list);
	server_put_faults(list, conf_rules_path(&r->next->arena, conf_path, r->next, file), &text);
	conf_faults_fini(list);
	if (err != OK) {
		note_fault(r, file, buf_span(&text));
		err = take_old(r, file);
	} else if (!r->now) {
		keep_first(r->server, r->next, file);
	}
	if (out && buf_put(out, buf_span(&text)) != OK)
		out->overflow = false; /* enough to work on */
	buf_fini(&text);
	return err == OK ? OK : ERR_SYNTAX;
}

enum err
server_rules_read(struct reading *r, struct buf *faults)
{
	enum err err = OK;

	for (enum rule_file file = 0; file < RULE_FILE_COUNT && err == OK; file++)
		err = read_file(r, file, r->now ? NULL : faults);
	return err;
}

void
server_rules_note(struct server *s, const struct reading *r)
{
	for (enum rule_file file = 0; file < RULE_FILE_COUNT; file++) {
		s->rules[file].stamp = r->rules[file].stamp;
		s->rules[file].fault[0] = '\0';
		if (r->rules[file].fault[0])
			server_rules_refuse(s, file, span_of(r->rules[file].fault));
	}
	if (!r->trusts)
		s->content.unseen = r->unseen;
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
on_loaded(struct server_load *load, enum err err)
{
	struct server *s = load->server;

	if (err != OK) /* noted and logged; and again once it changes */
		s->rules[load->file].stamp = stamp_of(s, server_front(s)->conf, load->file);
}

static void
load_changed(struct server *s, enum rule_file file)
{
	s->watch = (struct server_load){ .what = LOAD_RULES, .file = file, .done = on_loaded };
	server_load(s, &s->watch);
}

bool
server_rules_are_read(struct server *s, enum rule_file file)
{
	struct file_stamp now = stamp_of(s, server_front(s)->conf, file);

	if (server_load_is_busy(s))
		return false;
	if (server_stamp_eq(&s->rules[file].stamp, &now))
		return true;
	load_changed(s, file);
	return false;
}

void
server_rules_follow(struct server *s)
{
	enum rule_file file;
	bool is_new = !server_load_is_busy(s) && changed(s, &file);

	server_load_sweep(s);
	if (is_new && file == RULE_FILE_CONTENT) {
		s->content.unseen = true;
		s->rules[file].stamp = stamp_of(s, server_front(s)->conf, file);
	} else if (is_new) {
		load_changed(s, file);
	}
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
