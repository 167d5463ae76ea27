/*
 * script_wire.c - items in a row.
 */
#include "server/script/script_wire.h"

#include <string.h>

enum err
script_item_put(struct buf *out, enum script_item item, struct span text)
{
	char head[5] = { (char)item, (char)(text.len >> 24), (char)(text.len >> 16),
		(char)(text.len >> 8), (char)text.len };
	enum err err = buf_put(out, (struct span){ head, sizeof(head) });

	return err == OK ? buf_put(out, text) : err;
}

static bool
take(struct span *rest, unsigned char *item, struct span *text)
{
	const unsigned char *at = (const unsigned char *)rest->ptr;
	size_t len;

	if (rest->len < 5)
		return false;
	len = (size_t)at[1] << 24 | (size_t)at[2] << 16 | (size_t)at[3] << 8 | at[4];
	if (len > rest->len - 5)
		return false;
	*item = at[0];
	*text = span_range(*rest, 5, 5 + len);
	*rest = span_from(*rest, 5 + len);
	return true;
}

static struct span *
place_of(struct script_input *in, unsigned char item)
{
	switch (item) {
	case SCRIPT_ITEM_TEXT:
		return &in->text;
	case SCRIPT_ITEM_FROM:
		return &in->from;
	case SCRIPT_ITEM_USER:
		return &in->user;
	case SCRIPT_ITEM_SOURCE:
		return &in->source;
	case SCRIPT_ITEM_AUTH:
		return &in->auth;
	case SCRIPT_ITEM_PEER:
		return &in->peer;
	case SCRIPT_ITEM_HEADER:
		return &in->header;
	case SCRIPT_ITEM_RECORD:
		return &in->record;
	case SCRIPT_ITEM_FILE_TYPE:
		return in->file_count > 0 ? &in->files[in->file_count - 1].type : NULL;
	}
	return NULL;
}

static enum err
read_item(struct script_input *in, unsigned char item, struct span text)
{
	struct span *place = place_of(in, item);

	if (place) {
		*place = text;
		return OK;
	}
	if (item == SCRIPT_ITEM_BODY)
		return buf_put(&in->body, text) == OK ? OK : ERR_SYNTAX;
	if (item == SCRIPT_ITEM_SIZE)
		return span_u64(text, UINT64_MAX, &in->size) == OK ? OK : ERR_SYNTAX;
	if (item == SCRIPT_ITEM_FILE_SIZE && in->file_count > 0)
		return span_u64(text, UINT64_MAX, &in->files[in->file_count - 1].size) == OK ? OK : ERR_SYNTAX;
	if (item == SCRIPT_ITEM_FILE_NAME && in->file_count < SCRIPT_ATTACHMENTS_MAX)
		in->files[in->file_count++].name = text;
	if (item == SCRIPT_ITEM_RCPT && in->rcpt_count < SCRIPT_RCPTS_MAX)
		in->rcpts[in->rcpt_count++] = text;
	in->checks |= item == SCRIPT_ITEM_CHECK;
	in->site |= item == SCRIPT_ITEM_SITE;
	return OK;
}

enum err
script_input_read(struct span bytes, struct script_input *out)
{
	unsigned char item;
	struct span text;
	enum err err = OK;

	memset(out, 0, sizeof(*out));
	buf_init(&out->body, SCRIPT_BODY_MAX);
	while (err == OK && bytes.len > 0)
		err = take(&bytes, &item, &text) ? read_item(out, item, text) : ERR_SYNTAX;
	return err;
}

void
script_input_fini(struct script_input *in)
{
	buf_fini(&in->body);
}
