/*
 * server_load.c - files are read again on a worker, and come into force on the front loop, one load after the other.
 *
 *     waiting --> worker: taken back, read, checked, certificate --> front loop: addresses, swap --> done
 *
 * Between begin and swap nothing else makes a generation, so what was read belongs to the one in force. A generation with
 * many rules takes long to free: the last hold is kept for a worker.
 */
#include <stdlib.h>

#include "conf/conf_history.h"
#include "server/net/tls.h"
#include "server/pipeline/rule_targets.h"
#include "server/server_state.h"

#define FAULTS_TEXT_MAX (64 * 1024)
#define TARGET_SHOWN 100 /* bytes */

struct old_generation {
	struct list link;
	struct work work;
	struct generation *generation; /* NULL: freed */
	bool under_way;
};

static void begin_next(struct server *s);

/* ---- what is not in force any more ---- */

/* Once each: of two that are kept none would be the last hold. */
static void
keep_old(struct server *s, struct generation *generation)
{
	struct old_generation *old;
	struct list *at, *next;

	list_for_each(at, next, &s->loading.old) {
		const struct old_generation *known = LIST_ITEM(at, struct old_generation, link);

		if (!known->under_way && known->generation == generation) {
			generation_release(&generation);
			return;
		}
	}
	old = calloc(1, sizeof(*old));
	ENSURE(old);
	old->generation = generation;
	list_init(&old->work.link);
	list_append(&s->loading.old, &old->link);
}

static void
free_run(struct work *work)
{
	generation_release(&LIST_ITEM(work, struct old_generation, work)->generation);
}

static void
free_done(struct work *work, enum err result)
{
	struct old_generation *old = LIST_ITEM(work, struct old_generation, work);

	old->under_way = false;
	if (result != OK)
		return; /* the next sweep tries again */
	list_remove(&old->link);
	free(old);
}

void
server_load_sweep(struct server *s)
{
	struct list *at, *next;

	for (at = s->loading.old.next; at != &s->loading.old; at = next) {
		struct old_generation *old = LIST_ITEM(at, struct old_generation, link);

		next = at->next;
		if (old->under_way || !generation_is_last(old->generation))
			continue;
		old->work = (struct work){ .loop = server_front(s)->loop, .kind = WORK_GENERAL, .run = free_run,
			.done = free_done };
		list_init(&old->work.link);
		old->under_way = workers_submit(s->workers, &old->work) == OK;
	}
}

/* ---- on a worker ---- */

static enum err
read_rules(struct reading *r)
{
	struct conf_faults list;
	enum err err;

	conf_faults_init(&list);
	err = conf_load(r->now->text, &r->next, &list);
	conf_faults_fini(&list);
	if (err == OK && (err = server_rules_read(r, NULL)) != OK)
		conf_free(&r->next);
	return err;
}

/* The file may name whom nobody knows yet, or any more: odd, but taken. */
static void
warn_of_targets(struct server *s, const struct conf *conf, struct buf *lines)
{
	struct snapshot *snap = NULL;
	bool room = true;

	for (size_t i = 0; i < conf->monitor.count && room; i++) {
		const struct conf_monitor *m = &conf->monitor.items[i];
		const struct span targets[] = { m->target, m->sample_target };

		if (!snap && snapshot_open(s->store, &snap) != OK)
			return;
		for (size_t n = 0; n < COUNT(targets) && room; n++)
			if (targets[n].len > 0 && rule_target_find(conf, snap, targets[n]) == ERR_NOT_FOUND)
				room = buf_printf(lines, "%s: warning: monitor.%zu.%s: nobody here is called %.*s\n",
					s->options->conf_path, i, n ? "sample_target" : "target",
					SPAN_FMT(span_range(targets[n], 0, TARGET_SHOWN))) == OK;
	}
	if (snap)
		snapshot_close(&snap);
}

static enum err
read_conf(struct server *s, struct loading *l)
{
	char fault[SERVER_LINE_MAX] = "";
	enum err err = server_conf_read(&l->reading, &l->load->faults);

	if (err != OK)
		return ERR_SYNTAX;
	err = server_conf_prepare(s, l->reading.next, &l->tls, &l->roots, fault);
	if (err == OK) {
		warn_of_targets(s, l->reading.next, &l->load->faults);
		return OK;
	}
	buf_clear(&l->load->faults);
	if (buf_put(&l->load->faults, span_of(fault)) != OK)
		buf_clear(&l->load->faults);
	return err;
}

static void
load_run(struct work *work)
{
	struct loading *l = LIST_ITEM(work, struct loading, work);
	struct server_load *load = l->load;

	if (load->back_path && conf_history_take_back(load->back_path, load->back) != OK)
		l->err = ERR_NOT_FOUND;
	else
		l->err = load->what == LOAD_CONF ? read_conf(load->server, l) : read_rules(&l->reading);
}

/* ---- on the front loop ---- */

static void
tell(void *arg)
{
	struct server_load *load = arg;
	struct server *s = load->server;
	struct buf faults = load->faults;

	s->loading.load = NULL;
	load->done(load, load->err); /* the load may be gone, or another already */
	buf_fini(&faults);
	begin_next(s);
}

static void
take_rules(struct server *s, struct conf *next, enum rule_file file)
{
	struct generation *generation = generation_new(next);

	log_put(s->log, &(struct log_line){ .level = LEVEL_INFO, .area = "config",
				.text = "rules taken over",
				.fields = { { "rules", span_of(conf_rules_name(file)) },
					{ "count", .number = (int64_t)conf_rules_count(next, file) } } });
	server_swap(s, generation, server_front(s)->tls);
	generation_release(&generation);
}

static enum err
take_conf(struct server *s, struct loading *l)
{
	enum err err = server_conf_take(s, l->reading.next, l->tls, l->roots, buf_span(&l->load->faults));

	if (err == OK)
		return OK;
	buf_clear(&l->load->faults);
	if (buf_put(&l->load->faults, span_of(s->reload_fault)) != OK)
		buf_clear(&l->load->faults);
	return err;
}

/* The generation is the loops' on OK. */
static enum err
take(struct server *s, struct loading *l)
{
	struct server_load *load = l->load;

	if (load->what == LOAD_CONF) {
		if (l->err != OK)
			server_conf_refuse(s, buf_span(&load->faults));
		return l->err == OK ? take_conf(s, l) : l->err;
	}
	if (l->err == OK && s->rules[load->file].fault[0])
		return ERR_SYNTAX;
	if (l->err == OK)
		take_rules(s, l->reading.next, load->file);
	return l->err;
}

static void
load_done(struct work *work, enum err result)
{
	struct loading *l = LIST_ITEM(work, struct loading, work);
	struct server *s = LIST_ITEM(l, struct server, loading);
	struct server_load *load = l->load;

	if (result == OK && l->reading.next)
		server_rules_note(s, &l->reading);
	load->err = result == OK ? take(s, l) : result;
	if (load->err != OK && l->reading.next)
		keep_old(s, generation_new(l->reading.next));
	tls_server_release(&l->tls);
	tls_client_release(&l->roots);
	keep_old(s, l->base);
	l->base = NULL;
	loop_post(server_front(s)->loop, tell, load); /* behind the swap */
}

static void
begin_next(struct server *s)
{
	struct loading *l = &s->loading;

	if (l->load || list_is_empty(&l->waiting))
		return;
	l->load = LIST_ITEM(list_take_first(&l->waiting), struct server_load, link);
	l->base = generation_hold(server_front(s)->generation);
	l->reading = (struct reading){ .server = s, .now = generation_conf(l->base), .trusts = l->load->trusts };
	l->err = OK;
	l->work = (struct work){ .loop = server_front(s)->loop, .kind = WORK_GENERAL, .run = load_run, .done = load_done };
	list_init(&l->work.link);
	if (workers_submit(s->workers, &l->work) != OK)
		load_done(&l->work, ERR_BUSY);
}

void
server_load(struct server *s, struct server_load *load)
{
	load->server = s;
	buf_init(&load->faults, FAULTS_TEXT_MAX);
	list_append(&s->loading.waiting, &load->link);
	begin_next(s);
}

bool
server_load_is_busy(const struct server *s)
{
	return s->loading.load || !list_is_empty(&s->loading.waiting);
}

void
server_load_init(struct server *s)
{
	list_init(&s->loading.waiting);
	list_init(&s->loading.old);
}

void
server_load_close(struct server *s)
{
	struct loading *l = &s->loading;
	struct list *at;

	while ((at = list_take_first(&l->old))) {
		struct old_generation *old = LIST_ITEM(at, struct old_generation, link);

		generation_release(&old->generation);
		free(old);
	}
	if (!l->load)
		return;
	buf_fini(&l->load->faults);
	if (!l->base) /* it was taken, and its end was not heard */
		return;
	conf_free(&l->reading.next);
	tls_server_release(&l->tls);
	tls_client_release(&l->roots);
	generation_release(&l->base);
}
