/*
 * archive_write.c - from a mail and its envelope to an entry of the archive.
 */
#include "server/archive/archive_write.h"

#include <string.h>

#include "proto/mail/header.h"
#include "store/traces.h"

void
archive_sha256(struct span first, struct span second, unsigned char out[ARCHIVE_HASH_SIZE])
{
	struct crypto_sha256_stream s;

	crypto_sha256_begin(&s);
	crypto_sha256_feed(&s, first);
	crypto_sha256_feed(&s, second);
	crypto_sha256_end(&s, out);
}

void
archive_digest_feed(struct archive_digest *d, struct span piece)
{
	if (!d->begun)
		crypto_sha256_begin(&d->stream);
	d->begun = true;
	crypto_sha256_feed(&d->stream, piece);
	d->fed += piece.len;
}

/* All zero where the body was not seen from its beginning. */
static void
digest_make(struct span header, const struct archive_body *body, unsigned char out[ARCHIVE_HASH_SIZE])
{
	unsigned char parts[2][CRYPTO_SHA256_SIZE];
	struct archive_digest whole = { .begun = false };
	const struct archive_digest *d = body->digest;
	struct crypto_sha256_stream stream;

	if (!d->begun || d->fed != body->size) {
		archive_digest_feed(&whole, SPAN(""));
		for (size_t i = 0; i < body->count; i++)
			archive_digest_feed(&whole, body->spans[i]);
		d = &whole;
	}
	memset(out, 0, ARCHIVE_HASH_SIZE);
	if (d->fed != body->size)
		return;
	stream = d->stream; /* it may be asked once more */
	crypto_sha256_end(&stream, parts[1]);
	crypto_sha256(header, parts[0]);
	crypto_sha256((struct span){ (const char *)parts, sizeof(parts) }, out);
}

/* ---- words ---- */

#define WORDS_ROOM (ARCHIVE_WORDS_MAX + 1)

struct words {
	uint32_t *at;
	size_t count, room;
};

static void
add_words(struct words *w, struct span text, enum archive_role role)
{
	w->count = archive_words_of(text, role, w->at, w->count, w->room);
}

static size_t
recipients_len(const struct mail *mail)
{
	struct list *at, *following;
	size_t len = 0;

	list_for_each(at, following, &mail->envelope.recipients)
		len += LIST_ITEM(at, struct recipient, link)->address.text.len + 1;
	return len;
}

static void
take_recipients(const struct mail *mail, struct archive_message *m, struct words *words)
{
	size_t len = recipients_len(mail);
	char *text = arena_alloc(mail->arena, len + 1);
	struct list *at, *following;

	m->recipients = (struct span){ text, len };
	m->recipient_count = mail->envelope.recipient_count;
	list_for_each(at, following, &mail->envelope.recipients) {
		struct span address = LIST_ITEM(at, struct recipient, link)->address.text;

		memcpy(text, address.ptr, address.len);
		text += address.len + 1;
		add_words(words, address, ARCHIVE_TO);
	}
}

/* The addresses of From are words of the sender too: people look for what they see. */
static void
take_words(const struct mail *mail, struct archive_order *order)
{
	struct span sender = mail->envelope.reverse_path.text, from = header_find(mail->header, SPAN("From"));
	size_t most = (sender.len + from.len + recipients_len(mail)) / 2 + 3; /* a letter and a mark each */
	struct words words = { .room = most < WORDS_ROOM ? most : WORDS_ROOM };

	words.at = ARENA_ARRAY(mail->arena, uint32_t, words.room);
	add_words(&words, sender, ARCHIVE_FROM);
	add_words(&words, from, ARCHIVE_FROM);
	order->message.sender_bits = archive_words_bits(words.at, words.count);
	take_recipients(mail, &order->message, &words);
	order->words = words.at;
	order->word_count =
		words.count < WORDS_ROOM ? archive_words_sort(words.at, words.count) : words.count;
}

struct archive_order *
archive_order_new(const struct mail *mail, struct span header, const struct archive_body *body,
	unsigned direction)
{
	struct archive_order *order = ARENA_NEW(mail->arena, struct archive_order);

	order->message = (struct archive_message){ .message_no = mail->message_no,
		.time_ms = (uint64_t)mail->arrived_ms, .size = header.len + body->size,
		.direction = direction, .from = mail->envelope.reverse_path.text,
		.auth_user = mail->user, .source = span_of(mail->service ? mail->service : "") };
	take_words(mail, order);
	digest_make(header, body, order->message.digest);
	return order;
}

enum err
archive_order_write(struct txn *txn, const struct archive_order *order, uint64_t content_id,
	uint64_t *archive_id)
{
	struct archive_message m = order->message;

	m.content_id = content_id;
	return archive_add(txn, archive_sha256, &m, order->words, order->word_count, archive_id);
}
