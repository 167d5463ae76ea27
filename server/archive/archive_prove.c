/*
 * archive_prove.c - row by row, and of a message piece by piece.
 */
#include "server/archive/archive_prove.h"

#include <string.h>

#include "server/archive/archive_write.h"
#include "store/bodies.h"
#include "store/contents.h"

static enum err
fault(struct archive_prove *p, const char *what)
{
	p->chain.fault_id = p->chain.last_id;
	p->chain.fault = what;
	return ERR_SYNTAX;
}

static bool
is_unknown(const unsigned char digest[ARCHIVE_HASH_SIZE])
{
	static const unsigned char none[ARCHIVE_HASH_SIZE];

	return memcmp(digest, none, ARCHIVE_HASH_SIZE) == 0;
}

static enum err
begin(struct snapshot *snap, struct archive_prove *p, const struct archive_message *m)
{
	struct content c;
	enum err err = content_get(snap, m->content_id, &c);

	if (err == ERR_IO)
		return err;
	if (err != OK)
		return fault(p, err == ERR_NOT_FOUND ? "its message is gone" : "its message is damaged");
	if (c.veiled) {
		p->unread++;
		return OK;
	}
	if (c.header.len + c.body_size != m->size)
		return fault(p, "its message has another size");
	if (is_unknown(m->digest))
		return OK;
	memcpy(p->want, m->digest, sizeof(p->want));
	crypto_sha256(c.header, p->header);
	crypto_sha256_begin(&p->stream);
	p->body_id = c.body_id;
	p->size = c.body_size;
	p->at = 0;
	p->in_body = true;
	return OK;
}

static enum err
end(struct archive_prove *p)
{
	unsigned char parts[2][ARCHIVE_HASH_SIZE], digest[ARCHIVE_HASH_SIZE];

	p->in_body = false;
	memcpy(parts[0], p->header, sizeof(parts[0]));
	crypto_sha256_end(&p->stream, parts[1]);
	crypto_sha256((struct span){ (const char *)parts, sizeof(parts) }, digest);
	if (memcmp(digest, p->want, sizeof(digest)) != 0)
		return fault(p, "its message was changed");
	return OK;
}

static enum err
more_body(struct snapshot *snap, struct archive_prove *p)
{
	struct span piece;
	enum err err;

	if (p->at == p->size)
		return end(p);
	err = body_read(snap, p->body_id, p->at, &piece);
	if (err == ERR_IO)
		return err;
	if (err != OK)
		return fault(p, "its message is damaged");
	crypto_sha256_feed(&p->stream, piece);
	p->at += piece.len;
	return OK;
}

enum err
archive_prove_next(struct snapshot *snap, struct archive_prove *p)
{
	struct archive_row row;
	enum err err;

	if (p->in_body)
		return more_body(snap, p);
	err = archive_verify_next(snap, archive_sha256, &p->chain, &row);
	return err == OK && row.kind == ARCHIVE_MESSAGE ? begin(snap, p, &row.message) : err;
}
