/*
 * signing.c - who signs a message, and what was signed a moment ago.
 */
#include "server/queue/signing.h"

#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "proto/mail/address.h"
#include "proto/mail/header.h"
#include "server/queue/signing_inside.h"
#include "store/bodies.h"

struct kept {
	unsigned char id[CRYPTO_SHA256_SIZE];
	int64_t until_ms; /* of the steady clock; 0: none */
	struct buf lines;
};

struct signer {
	struct kept kept[SIGNING_KEPT]; /* a ring: `next` is the oldest */
	size_t next;
	struct list ops;
	size_t op_count;
};

static struct signer *
signer_of(struct host *host)
{
	if (!host->signer) {
		host->signer = calloc(1, sizeof(*host->signer));
		ENSURE(host->signer);
		list_init(&host->signer->ops);
	}
	return host->signer;
}

/* ---- what was signed ---- */

static const struct kept *
find_kept(const struct signer *signer, const unsigned char *id, int64_t now_ms)
{
	for (size_t i = 0; i < SIGNING_KEPT; i++)
		if (signer->kept[i].until_ms > now_ms &&
			memcmp(signer->kept[i].id, id, CRYPTO_SHA256_SIZE) == 0)
			return &signer->kept[i];
	return NULL;
}

static void
keep(struct signer *signer, const struct signing_op *op)
{
	struct kept *kept = &signer->kept[signer->next++ % SIGNING_KEPT];

	buf_fini(&kept->lines);
	buf_init(&kept->lines, SIGNING_LINES_MAX);
	memcpy(kept->id, op->id, sizeof(kept->id));
	kept->until_ms = buf_put(&kept->lines, buf_span(&op->lines)) == OK
				 ? loop_now_ms(op->host->loop) + SIGNING_KEPT_MS
				 : 0;
}

/* Equal texts under the same keys and settings have the same id; but for the time in it, the same fields follow. */
static void
make_id(struct signing_op *op)
{
	struct crypto_sha256_stream s;
	const struct dkim_names *n = &op->names;
	uint64_t numbers[] = { op->request.body_id, op->request.body.next != NULL,
		(uint64_t)op->expire_ms, op->key_count, n->name_count, n->oversigned_count,
		op->request.header.len };

	crypto_sha256_begin(&s);
	crypto_sha256_feed(&s, (struct span){ (const char *)numbers, sizeof(numbers) });
	crypto_sha256_feed(&s, op->request.header);
	for (size_t i = 0; i < op->key_count; i++)
		crypto_sha256_feed(&s, op->keys[i].sealed);
	for (size_t i = 0; i < n->name_count; i++) {
		crypto_sha256_feed(&s, n->names[i]);
		crypto_sha256_feed(&s, SPAN(":"));
	}
	for (size_t i = 0; i < n->oversigned_count; i++) {
		crypto_sha256_feed(&s, n->oversigned[i]);
		crypto_sha256_feed(&s, SPAN(":"));
	}
	crypto_sha256_end(&s, op->id);
}

/* ---- which keys ---- */

/* The newest of each algorithm that signs now. */
static enum err
keys_of(struct signing_op *op, struct snapshot *snap, struct span domain)
{
	struct dkim_key key = { .algorithm = 0 }, best[DKIM_ALGORITHMS] = { { .algorithm = 0 } };
	enum err err;

	while ((err = dkim_key_next_of(snap, domain, &key)) == OK)
		if (dkim_key_state(&key, op->now_ms) == DKIM_KEY_SIGNS &&
			key.from_ms > best[key.algorithm].from_ms)
			best[key.algorithm] = key;
	for (size_t i = 0; i < DKIM_ALGORITHMS; i++) {
		if (best[i].from_ms == 0)
			continue;
		fields_copy(&dkim_key_table, &best[i], &op->arena);
		best[i].domain = arena_copy(&op->arena, best[i].domain);
		best[i].selector = arena_copy(&op->arena, best[i].selector);
		op->keys[op->key_count++] = best[i];
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
find_keys(struct signing_op *op, struct span domain)
{
	struct snapshot *snap = host_snapshot(op->host);
	struct span first, rest = domain;
	enum err err = snap ? keys_of(op, snap, domain) : ERR_IO;

	while (err == OK && op->key_count == 0 && op->host->conf->dkim_subdomains &&
		span_cut(rest, '.', &first, &rest) && span_find(rest, '.') < rest.len)
		err = keys_of(op, snap, rest);
	return err;
}

/* The domain of the one address that the message is from, in the arena. NULL: *why. */
static const char *
find_domain(struct signing_op *op, struct span *domain)
{
	struct span from = header_find(op->request.header, SPAN("From"));
	struct header_mailbox mailbox, other;
	struct address address;

	if (header_count(op->request.header, SPAN("From")) != 1)
		return "it has not exactly one From field";
	if (!header_next_mailbox(&from, &mailbox) ||
		address_parse(&op->arena, mailbox.address, &address) != OK)
		return "its From field has no address";
	if (header_next_mailbox(&from, &other))
		return "its From field has several addresses";
	*domain = address.domain;
	return NULL;
}

static void
copy_names(struct arena *a, const struct conf_list *from, const struct span **to, size_t *count)
{
	struct span *names = arena_array(a, sizeof(*names), from->count);

	for (size_t i = 0; i < from->count; i++)
		names[i] = arena_copy(a, from->items[i]);
	*to = names;
	*count = from->count;
}

/* All that the worker needs. Text: why there is nothing to sign; *later: for the moment. */
static const char *
fill(struct signing_op *op, struct span *domain, bool *later)
{
	const struct conf *conf = op->host->conf;
	const char *why;

	if (!conf->dkim_sign)
		return "dkim.sign is off";
	if (!op->request.ours)
		return "its sender is a stranger";
	why = find_domain(op, domain);
	if (why)
		return why;
	op->now_ms = host_now_ms(op->host);
	op->expire_ms = conf->dkim_expire_ms;
	*later = find_keys(op, *domain) != OK;
	if (op->key_count == 0)
		return *later ? "the keys cannot be read" : "no key signs for its domain";
	*domain = op->keys[0].domain;
	copy_names(&op->arena, &conf->dkim_headers, &op->names.names, &op->names.name_count);
	copy_names(&op->arena, &conf->dkim_oversign, &op->names.oversigned,
		&op->names.oversigned_count);
	return NULL;
}

/* ---- the way ---- */

static void
op_free(struct signing_op *op)
{
	const struct signing_body *body = &op->request.body;

	if (body->release)
		body->release(body->arg);
	buf_fini(&op->lines);
	arena_reset(&op->arena);
	free(op);
}

static struct signing_op *
op_new(struct host *host, const struct signing_request *request)
{
	struct signing_op *op = calloc(1, sizeof(*op));

	ENSURE(op);
	op->host = host;
	arena_init(&op->arena, NULL);
	buf_init(&op->lines, SIGNING_LINES_MAX);
	op->request = *request;
	return op;
}

static enum signing_answer
say(struct signing *s, enum signing_answer answer, const char *why)
{
	s->why = why;
	return s->answer = answer;
}

static enum signing_answer
give(struct signing *s, struct span lines)
{
	buf_clear(&s->lines);
	ENSURE(buf_put(&s->lines, lines) == OK);
	return say(s, SIGNING_READY, NULL);
}

static void
on_signed(struct work *work, enum err result)
{
	struct signing_op *op = LIST_ITEM(work, struct signing_op, work);
	struct signer *signer = op->host->signer;
	struct signing *s = op->asker;
	enum err err = result == OK ? op->err : result;

	list_remove(&op->link);
	signer->op_count--;
	if (op->request.body_id != 0)
		body_unpin(op->host->store, op->request.body_id);
	if (err == OK)
		keep(signer, op);
	if (s) {
		s->op = NULL;
		if (err == OK)
			give(s, buf_span(&op->lines));
		else if (err == ERR_DENIED || err == ERR_SYNTAX || err == ERR_LIMIT)
			say(s, SIGNING_NONE, err == ERR_LIMIT ? "it has too many fields to sign"
							      : "the keys cannot be used, see the log");
		else
			say(s, SIGNING_LATER, "it could not be signed now");
	}
	op_free(op);
	if (s)
		s->done(s);
}

static enum signing_answer
submit(struct signing_op *op, struct signing *s)
{
	struct signer *signer = signer_of(op->host);

	op->request.header = arena_copy(&op->arena, op->request.header);
	op->work = (struct work){ .loop = op->host->loop, .kind = WORK_GENERAL, .run = signing_run,
		.done = on_signed };
	if (signer->op_count >= SIGNING_UNDER_WAY_MAX ||
		workers_submit(op->host->workers, &op->work) != OK) {
		op_free(op);
		return say(s, SIGNING_LATER, "too many messages wait to be signed");
	}
	if (op->request.body_id != 0)
		body_pin(op->host->store, op->request.body_id);
	op->asker = s;
	s->op = op;
	list_append(&signer->ops, &op->link);
	signer->op_count++;
	return say(s, SIGNING_WAIT, NULL);
}

static void
tell_names(struct signing *s, const struct signing_op *op, struct span domain)
{
	buf_fini(&s->names);
	buf_init(&s->names, DKIM_ALGORITHMS * 100 + DKIM_KEY_DOMAIN_MAX + 200);
	(void)!buf_put(&s->names, span_range(domain, 0, DKIM_KEY_DOMAIN_MAX));
	for (size_t i = 0; i < op->key_count; i++)
		(void)!buf_printf(&s->names, "%s%.*s (%.*s)", i ? ", " : "",
			SPAN_FMT(op->keys[i].selector),
			SPAN_FMT(dkim_algorithm_name((enum dkim_algorithm)op->keys[i].algorithm)));
	s->domain = span_range(buf_span(&s->names), 0, domain.len);
	s->keys = span_from(buf_span(&s->names), domain.len);
}

enum signing_answer
signing_ask(struct host *host, struct signing *s, const struct signing_request *request)
{
	struct signing_op *op = op_new(host, request);
	struct span domain = SPAN_NONE;
	const struct kept *kept;
	bool later = false;
	const char *why;

	ENSURE(!s->op);
	buf_fini(&s->lines);
	buf_init(&s->lines, SIGNING_LINES_MAX);
	why = fill(op, &domain, &later);
	tell_names(s, op, domain);
	if (why) {
		op_free(op);
		return say(s, later ? SIGNING_LATER : SIGNING_NONE, why);
	}
	make_id(op);
	kept = find_kept(signer_of(host), op->id, loop_now_ms(host->loop));
	if (!kept)
		return submit(op, s);
	op_free(op);
	return give(s, buf_span(&kept->lines));
}

void
signing_end(struct signing *s)
{
	if (s->op)
		s->op->asker = NULL;
	s->op = NULL;
	buf_fini(&s->lines);
	buf_fini(&s->names);
	s->domain = s->keys = SPAN_NONE;
}

enum note_code
signing_note(const struct signing *s, struct span *found, struct span *because)
{
	*found = s->domain;
	*because = s->answer == SIGNING_READY ? s->keys : span_of(s->why);
	return s->answer == SIGNING_READY ? NOTE_DKIM_SIGNED : NOTE_DKIM_UNSIGNED;
}

void
signer_close(struct signer **signerp)
{
	struct signer *signer = *signerp;
	struct list *link;

	if (!signer)
		return;
	while ((link = list_take_first(&signer->ops)))
		op_free(LIST_ITEM(link, struct signing_op, link));
	for (size_t i = 0; i < SIGNING_KEPT; i++)
		buf_fini(&signer->kept[i].lines);
	free(signer);
	*signerp = NULL;
}
