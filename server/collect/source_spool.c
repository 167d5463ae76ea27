/*
 * source_spool.c - a folder of files as a source (FXF-01, FXF-02, INM-31): orders one after the other, files on a worker.
 */
#include "server/collect/source_spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct source_spool *
of_source(struct source *s)
{
	return LIST_ITEM(s, struct source_spool, source);
}

static void go_on(struct source_spool *s);

/* ---- the end ---- */

static void
close_file(struct source_spool *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static void
bury(struct source_spool *s)
{
	loop_call_cancel(&s->call);
	loop_timer_clear(&s->list_on);
	close_file(s);
	free(s->buffer);
	arena_reset(&s->arena);
	source_release(&s->source);
}

static void
end(struct source_spool *s, enum source_fault fault, const char *why)
{
	if (s->over)
		return;
	s->over = true;
	s->problem.fault = fault;
	snprintf(s->problem.why, sizeof(s->problem.why), "%s", why);
	loop_defer(s->source.host->loop, &s->call);
}

/* ---- work ---- */

static void
on_scanned(struct source_spool *s)
{
	struct source_offer offer = { .count = s->count, .bytes = s->bytes, .has_sizes = true, .has_unique = true,
		.has_head = true, .remote = s->problem.remote, .tls = "" };
	size_t i = 0;

	if (s->err != OK) {
		end(s, SOURCE_NO_CONNECTION, s->why);
		return;
	}
	s->items = ARENA_ARRAY(&s->arena, struct spool_item *, s->count);
	for (struct spool_item *item = s->first; item; item = item->next)
		s->items[i++] = item;
	s->ready = true;
	s->source.events->ready(&s->source, &offer);
}

static void
answer(struct source_spool *s, enum source_result result)
{
	struct spool_order order = s->orders[s->order_at];

	s->order_at = (s->order_at + 1) % SOURCE_AHEAD;
	s->order_count--;
	close_file(s);
	s->begun = s->tail_given = false;
	s->piece = SPAN_NONE;
	s->source.events->answered(&s->source, order.number, order.order, result,
		result == SOURCE_FAILED || result == SOURCE_BROKEN ? span_of(s->why) : SPAN(""));
}

static void
on_removed(struct source_spool *s)
{
	s->removed = true;
	answer(s, SOURCE_DONE);
}

static void
on_synced(struct source_spool *s)
{
	s->removed = false;
	s->problem.removed_unsure = s->err != OK;
	end(s, s->err == OK ? SOURCE_FINE : SOURCE_LOST, s->why);
}

/* The first piece begins with an envelope, perhaps; the user's folder says for whom it is otherwise. */
static void
begin_text(struct source_spool *s)
{
	struct span from = SPAN_NONE, to = s->item->user;

	s->begun = true;
	s->lines = (struct mail_lines){ 0 };
	if (s->item->user.len == 0)
		s->piece = span_from(s->piece, spool_take_envelope(s->piece, &from, &to));
	s->from[span_copy_clean(from, s->from, sizeof(s->from) - 1)] = '\0';
	s->to[span_copy_clean(to, s->to, sizeof(s->to) - 1)] = '\0';
	s->source.envelope_from = span_of(s->from);
	s->source.envelope_to = span_of(s->to);
}

static void
on_worked(struct work *work, enum err result)
{
	struct source_spool *s = LIST_ITEM(work, struct source_spool, work);

	s->lent = false;
	if (s->doomed) {
		bury(s);
		return;
	}
	if (s->over) {
		loop_defer(s->source.host->loop, &s->call);
		return;
	}
	if (result != OK)
		end(s, SOURCE_OWN, "too busy to look at files");
	else if (s->task == SPOOL_SCAN)
		on_scanned(s);
	else if (s->task == SPOOL_SYNC)
		on_synced(s);
	else if (s->err != OK)
		answer(s, s->err == ERR_NOT_FOUND ? SOURCE_GONE : s->err == ERR_CORRUPT ? SOURCE_BROKEN : SOURCE_FAILED);
	else if (s->task == SPOOL_REMOVE)
		on_removed(s);
	else
		s->piece = (struct span){ s->buffer, s->read_size };
	if (s->task == SPOOL_READ && result == OK && s->err == OK && !s->begun)
		begin_text(s);
	s->source.bytes_in += s->task == SPOOL_READ ? s->read_size : 0;
	go_on(s);
}

static void
submit(struct source_spool *s, enum spool_task task)
{
	s->task = task;
	s->now_ms = host_now_ms(s->source.host);
	s->work = (struct work){ .loop = s->source.host->loop, .kind = WORK_GENERAL, .run = spool_work,
		.done = on_worked };
	list_init(&s->work.link);
	s->lent = true;
	if (workers_submit(s->source.host->workers, &s->work) != OK) {
		s->lent = false;
		end(s, SOURCE_OWN, "too busy to look at files");
	}
}

/* ---- text ---- */

/* Of HEAD what stands before the first empty line; of a header longer than one piece the piece. */
static struct span
cut_head(struct span piece)
{
	size_t crlf = span_find_span(piece, SPAN("\n\r\n")), lf = span_find_span(piece, SPAN("\n\n"));
	size_t at = crlf < lf ? crlf + 3 : lf + 2;

	return span_range(piece, 0, at);
}

static bool
give(struct source_spool *s, struct span text)
{
	uint32_t number = s->orders[s->order_at].number;

	s->held = text.len > 0 && !s->source.events->text(&s->source, number, text);
	return !s->held;
}

/* False: the holder takes no more. */
static bool
give_piece(struct source_spool *s)
{
	while (s->piece.len > 0) {
		struct mail_lines before = s->lines;
		size_t used;
		struct span run = mail_lines_next(&s->lines, s->piece, &used);

		if (!give(s, run)) {
			s->lines = before;
			return false;
		}
		s->piece = span_from(s->piece, used);
	}
	return true;
}

/* All of the file is read: the end of its last line, then the answer. */
static void
give_end(struct source_spool *s)
{
	struct mail_lines before = s->lines;

	if (!give(s, mail_lines_end(&s->lines)))
		s->lines = before;
	else
		answer(s, SOURCE_DONE);
}

static void
read_on(struct source_spool *s)
{
	bool is_head = s->orders[s->order_at].order == SOURCE_HEAD;

	if (s->begun && is_head && !s->tail_given) {
		s->piece = cut_head(s->piece);
		s->tail_given = true; /* the piece is all there is to give */
	}
	if (!give_piece(s))
		return;
	if (s->begun && (is_head || s->read_size == 0))
		give_end(s);
	else
		submit(s, SPOOL_READ);
}

/* ---- orders ---- */

static void
obey(struct source_spool *s)
{
	struct spool_order *order = &s->orders[s->order_at];

	if (order->number == 0 || order->number > s->count) {
		answer(s, SOURCE_GONE);
		return;
	}
	s->item = s->items[order->number - 1];
	if (order->order == SOURCE_KEEP)
		answer(s, SOURCE_DONE);
	else if (order->order == SOURCE_REMOVE)
		submit(s, SPOOL_REMOVE);
	else
		read_on(s);
}

/* What an empty file is known by is not what it will be known by when it is written. */
static void
tell_item(struct source_spool *s, const struct spool_item *file, uint32_t number)
{
	char unique[SPOOL_NAME_MAX * 2 + 20];
	struct source_item item = { .number = number, .size = file->size };

	snprintf(unique, sizeof(unique), "%.*s/%.*s%s", SPAN_FMT(file->folder), SPAN_FMT(file->name),
		file->size == 0 ? " (empty)" : "");
	item.unique = span_of(unique);
	s->source.events->item(&s->source, &item);
}

/* Piece by piece, a turn of the loop each. */
static void
tell_list(struct source_spool *s)
{
	size_t end = s->list_at + SPOOL_LIST_STEP;

	for (; s->list_at < s->count && s->list_at < end; s->list_at++)
		tell_item(s, s->items[s->list_at], (uint32_t)s->list_at + 1);
	if (s->list_at < s->count) {
		loop_timer_set(s->source.host->loop, &s->list_on, 0);
		return;
	}
	s->to_list = false;
	s->source.events->listed(&s->source, true);
}

static void
go_on(struct source_spool *s)
{
	while (!s->lent && !s->over && !s->held && s->ready) {
		if (s->to_list && !loop_timer_is_set(&s->list_on))
			tell_list(s);
		else if (s->order_count > 0)
			obey(s);
		else
			break;
	}
	if (!s->closing || s->lent || s->over || s->order_count > 0)
		return;
	if (s->removed)
		submit(s, SPOOL_SYNC);
	else
		end(s, SOURCE_FINE, "");
}

static void
on_call(struct loop_call *call)
{
	struct source_spool *s = LIST_ITEM(call, struct source_spool, call);

	if (!s->over)
		go_on(s);
	else if (!s->lent) /* else behind the one read or one name that is under way */
		s->source.events->over(&s->source, &s->problem);
}

static void
on_list_on(struct loop_timer *timer)
{
	go_on(LIST_ITEM(timer, struct source_spool, list_on));
}

/* ---- what the holder asks ---- */

static void
start(struct source *source)
{
	struct source_spool *s = of_source(source);

	loop_call_init(&s->call, on_call);
	loop_timer_init(&s->list_on, on_list_on);
	arena_init(&s->arena, NULL);
	s->fd = -1;
	s->last = &s->first;
	s->buffer = malloc(SPOOL_PIECE);
	ENSURE(s->buffer);
	source->ahead = SOURCE_AHEAD;
	snprintf(s->problem.remote, sizeof(s->problem.remote), "%.*s", SPAN_FMT(source->conf->path));
	submit(s, SPOOL_SCAN);
}

static void
list(struct source *source)
{
	of_source(source)->to_list = true;
	of_source(source)->list_at = 0;
	loop_defer(source->host->loop, &of_source(source)->call);
}

static void
order(struct source *source, enum source_order what, uint32_t number)
{
	struct source_spool *s = of_source(source);

	if (s->closing || s->over || s->order_count == SOURCE_AHEAD)
		return;
	s->orders[(s->order_at + s->order_count++) % SOURCE_AHEAD] = (struct spool_order){ what, number };
	loop_defer(source->host->loop, &s->call);
}

static void
resume(struct source *source)
{
	of_source(source)->held = false;
	loop_defer(source->host->loop, &of_source(source)->call);
}

static void
close_it(struct source *source)
{
	of_source(source)->closing = true;
	loop_defer(source->host->loop, &of_source(source)->call);
}

static void
cut(struct source *source)
{
	end(of_source(source), SOURCE_LOST, "it was told to stop");
}

static void
free_it(struct source *source)
{
	struct source_spool *s = of_source(source);

	s->doomed = true;
	if (!s->buffer)
		source_release(source); /* it was not started */
	else if (!s->lent)
		bury(s);
}

const struct source_kind source_spool = {
	.with = "FILE",
	.size = sizeof(struct source_spool),
	.start = start,
	.list = list,
	.order = order,
	.resume = resume,
	.close = close_it,
	.cut = cut,
	.free = free_it,
};
