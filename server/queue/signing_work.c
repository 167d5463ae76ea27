/*
 * signing_work.c - the worker's part of signing: the body is hashed in slices, then each key signs.
 */
#include "server/log.h"
#include "server/queue/signing_inside.h"
#include "server/secret_key.h"
#include "store/bodies.h"
#include "store/store.h"

_Static_assert((int)CRYPTO_RSA == (int)DKIM_RSA_SHA256 &&
		       (int)CRYPTO_ED25519 == (int)DKIM_ED25519_SHA256,
	"one number for both");
_Static_assert(CRYPTO_PRIVATE_MAX + CRYPTO_SEAL_MORE <= DKIM_KEY_SEALED_MAX, "a sealed key fits");

static void
feed(void *stream, struct span bytes)
{
	crypto_sha256_feed(stream, bytes);
}

/* ---- the body ---- */

struct hashing {
	struct crypto_sha256_stream stream;
	struct dkim_body body;
	uint64_t at;
	bool ended;
};

static enum err
next_piece(struct signing_op *op, struct hashing *h, struct snapshot *snap, struct span *piece)
{
	enum err err;

	*piece = SPAN_NONE;
	if (op->request.body.next)
		return op->request.body.next(op->request.body.arg, snap, piece);
	if (op->request.body_id == 0)
		return OK;
	err = body_read(snap, op->request.body_id, h->at, piece);
	if (err == OK)
		h->at += piece->len;
	return err == ERR_NOT_FOUND ? OK : err;
}

/* Under one snapshot, for a while (H44). */
static enum err
hash_slice(struct signing_op *op, struct hashing *h)
{
	int64_t end_ms = work_clock_ms() + SIGNING_SLICE_MS;
	struct snapshot *snap;
	struct span piece;
	enum err err = snapshot_open(op->host->store, &snap);

	if (err != OK)
		return err;
	while (err == OK && !h->ended && work_clock_ms() < end_ms) {
		err = next_piece(op, h, snap, &piece);
		h->ended = piece.len == 0;
		if (err == OK)
			dkim_body_feed(&h->body, piece);
	}
	snapshot_close(&snap);
	return err;
}

static enum err
hash_body(struct signing_op *op, unsigned char out[CRYPTO_SHA256_SIZE])
{
	struct hashing h = { .at = 0 };
	enum err err = OK;

	crypto_sha256_begin(&h.stream);
	dkim_body_init(&h.body, DKIM_RELAXED, feed, &h.stream);
	while (err == OK && !h.ended)
		err = hash_slice(op, &h);
	dkim_body_end(&h.body);
	crypto_sha256_end(&h.stream, out);
	return err;
}

/* ---- a key ---- */

static enum err
unseal(const struct signing_op *op, const struct dkim_key *key, struct buf *private)
{
	char name[DKIM_KEY_NAME_SIZE];

	if (!op->host->secret_key->kept)
		return ERR_DENIED;
	return crypto_unseal(
		&op->host->secret_key->key, dkim_key_name(key, name), key->sealed, private);
}

static enum err
sign_field(const struct signing_op *op, const struct dkim_key *key, struct dkim_signing *s,
	struct buf *field)
{
	unsigned char hash[CRYPTO_SHA256_SIZE];
	struct crypto_sha256_stream stream;
	struct buf private, signature;
	enum err err;

	crypto_sha256_begin(&stream);
	err = dkim_field_begin(s, op->request.header, field, feed, &stream);
	crypto_sha256_end(&stream, hash);
	if (err != OK)
		return err;
	buf_init(&private, CRYPTO_PRIVATE_MAX);
	buf_init(&signature, CRYPTO_SIGNATURE_MAX);
	err = unseal(op, key, &private);
	if (err == OK)
		err = crypto_signer_sign(
			(enum crypto_signer)key->algorithm, buf_span(&private), hash, &signature);
	if (err == OK)
		err = dkim_field_end(field, buf_span(&signature));
	buf_wipe(&private);
	buf_fini(&signature);
	return err;
}

static void
log_failure(const struct signing_op *op, const struct dkim_key *key, enum err err)
{
	struct span why = span_of(err_name(err));

	if (err == ERR_DENIED)
		why = SPAN("sealed with another key: see secrets.key");
	log_put(op->host->log, &(struct log_line){ .level = LEVEL_ERROR, .area = "security",
				       .text = "a DKIM key cannot sign",
				       .fields = { { "domain", key->domain, 0 },
					       { "selector", key->selector, 0 },
					       { "why", why, 0 } } });
}

static enum err
sign_each(struct signing_op *op, struct dkim_signing *s)
{
	struct buf field;
	enum err err, first = OK;

	for (size_t i = 0; i < op->key_count; i++) {
		s->algorithm = (enum dkim_algorithm)op->keys[i].algorithm;
		s->domain = op->keys[i].domain;
		s->selector = op->keys[i].selector;
		buf_init(&field, DKIM_FIELD_MAX);
		err = sign_field(op, &op->keys[i], s, &field);
		if (err == OK)
			err = buf_put(&op->lines, buf_span(&field));
		buf_fini(&field);
		if (err == OK)
			continue;
		log_failure(op, &op->keys[i], err);
		first = first == OK ? err : first;
	}
	return buf_span(&op->lines).len > 0 ? OK : first;
}

void
signing_run(struct work *work)
{
	struct signing_op *op = LIST_ITEM(work, struct signing_op, work);
	struct dkim_signing s = { .header_canon = DKIM_RELAXED, .body_canon = DKIM_RELAXED,
		.sign = op->names, .time_s = op->now_ms / 1000 };

	if (op->expire_ms > 0)
		s.expires_s = (op->now_ms + op->expire_ms) / 1000;
	op->err = hash_body(op, s.body_hash);
	if (op->err == OK)
		op->err = sign_each(op, &s);
}
