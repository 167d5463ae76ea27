/*
 * script_give.c - what the child of a script is given: the script, and what it may know of the message.
 *
 * A user's script sees the header and the envelope, as far as it is his: no other recipient, who may
 * be a blind copy. The site's sees all recipients, the body and the attachments.
 */
#include "proto/mime/mime_value.h"
#include "server/pipeline/mail_body.h"
#include "server/script/scripts_inside.h"
#include "store/user_scripts.h"

#define PART_HEADER_MAX 8192 /* bytes of the header of an attachment that are read */
#define FILE_TEXT_MAX 1000   /* bytes of its name or type that are told */

static const char *
source_of(const struct mail *mail)
{
	static const char *const words[] = {
		[MAIL_VIA_MX] = "smtp",
		[MAIL_VIA_SUBMISSION] = "submission",
		[MAIL_VIA_LMTP] = "lmtp",
		[MAIL_VIA_POP3] = "pop3",
		[MAIL_VIA_LOCAL] = "local",
	};

	return words[mail->via];
}

static enum err
put_number(struct buf *out, struct mail *mail, enum script_item item, uint64_t number)
{
	return script_item_put(out, item,
		arena_printf(mail->arena, "%llu", (unsigned long long)number));
}

static enum err
put_envelope(struct mail *mail, struct buf *out)
{
	enum err err = script_item_put(out, SCRIPT_ITEM_FROM, mail->envelope.reverse_path.text);

	if (err == OK)
		err = put_number(out, mail, SCRIPT_ITEM_SIZE, mail->size);
	if (err == OK)
		err = script_item_put(out, SCRIPT_ITEM_SOURCE, span_of(source_of(mail)));
	if (err == OK)
		err = script_item_put(out, SCRIPT_ITEM_AUTH, mail->user);
	if (err == OK)
		err = script_item_put(out, SCRIPT_ITEM_PEER, span_of(mail->peer.text));
	return err == OK ? script_item_put(out, SCRIPT_ITEM_HEADER, mail->header) : err;
}

/* ---- for the site ---- */

static enum err
put_recipients(struct mail *mail, struct buf *out)
{
	struct list *at, *following;
	size_t count = 0;
	enum err err = OK;

	list_for_each(at, following, &mail->envelope.recipients)
		if (err == OK && count++ < SCRIPT_RCPTS_MAX)
			err = script_item_put(out, SCRIPT_ITEM_RCPT,
				LIST_ITEM(at, struct recipient, link)->address.text);
	return err;
}

static enum err
put_body(const struct mail *mail, struct buf *out)
{
	uint64_t at = 0;
	struct span piece;
	enum err err = OK;

	while (err == OK && at < SCRIPT_BODY_MAX) {
		err = mail_body_read(mail, at, &piece);
		if (err == ERR_NOT_FOUND)
			return OK;
		if (err == OK)
			piece = span_range(piece, 0, (size_t)(SCRIPT_BODY_MAX - at));
		if (err == OK)
			err = script_item_put(out, SCRIPT_ITEM_BODY, piece);
		at += piece.len;
	}
	return err;
}

/* About: the last group of base64 may hold less. */
static uint64_t
decoded_size(const struct mime_part *part)
{
	uint64_t size = part->body_size;

	if (part->encoding != MIME_BASE64)
		return size;
	size -= 2 * part->lines < size ? 2 * part->lines : size;
	return size / 4 * 3;
}

static struct span
type_of(struct arena *a, struct span header)
{
	struct span value = header_find(header, SPAN("Content-Type")), type, subtype;

	if (!value.ptr || !mime_take_type(a, &value, &type, &subtype))
		return SPAN("application/octet-stream");
	return arena_lower(a, arena_printf(a, "%.*s/%.*s", SPAN_FMT(type), SPAN_FMT(subtype)));
}

static enum err
put_file(struct mail *mail, const struct mime_part *part, struct buf *out)
{
	uint64_t size = part->header_size < PART_HEADER_MAX ? part->header_size : PART_HEADER_MAX;
	struct span header = mail->header, name;
	enum err err = OK;

	if (part->header_offset >= mail->header.len)
		err = mail_body_range(mail, part->header_offset - mail->header.len, size, &header);
	if (err != OK)
		return err;
	name = mime_file_name(mail->arena, header);
	err = script_item_put(out, SCRIPT_ITEM_FILE_NAME, span_range(name, 0, FILE_TEXT_MAX));
	if (err == OK)
		err = script_item_put(out, SCRIPT_ITEM_FILE_TYPE,
			span_range(type_of(mail->arena, header), 0, FILE_TEXT_MAX));
	return err == OK ? put_number(out, mail, SCRIPT_ITEM_FILE_SIZE, decoded_size(part)) : err;
}

static enum err
put_files(struct mail *mail, struct buf *out)
{
	struct mime_walk at = { .at = 0 };
	struct mime_derived derived;
	struct mime_part part;
	size_t count = 0;
	enum err err = mail_body_parts(mail, &derived);

	while (err == OK && count < SCRIPT_ATTACHMENTS_MAX && mime_part_next(&derived, &at, &part))
		if (part.is_attachment) {
			err = put_file(mail, &part, out);
			count++;
		}
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
give_to_site(struct mail *mail, struct span text, struct buf *out)
{
	enum err err = script_item_put(out, SCRIPT_ITEM_TEXT, text);

	if (err == OK)
		err = script_item_put(out, SCRIPT_ITEM_SITE, SPAN(""));
	if (err == OK)
		err = put_recipients(mail, out);
	if (err == OK)
		err = put_body(mail, out);
	if (err == OK)
		err = script_item_put(out, SCRIPT_ITEM_RECORD, mail->derived);
	return err == OK ? put_files(mail, out) : err;
}

/* ---- for a user ---- */

static enum err
give_to_user(struct snapshot *snap, const struct script_run *run, struct buf *out)
{
	struct user_script script;
	enum err err = user_script_find(snap, run->answer.user_id, &script);

	if (err == OK)
		err = script_item_put(out, SCRIPT_ITEM_TEXT, script.text);
	if (err == OK)
		err = script_item_put(out, SCRIPT_ITEM_USER, run->answer.name);
	return err == OK ? script_item_put(out, SCRIPT_ITEM_RCPT, run->rcpt) : err;
}

enum err
script_give(struct snapshot *snap, struct mail *mail, const struct script_run *run, struct buf *out)
{
	struct snapshot *before = mail->body.snap;
	enum err err;

	mail->body.snap = snap;
	err = run->answer.user_id == 0 ? give_to_site(mail, run->text, out) : give_to_user(snap, run, out);
	if (err == OK)
		err = put_envelope(mail, out);
	mail->body.snap = before;
	return err;
}
