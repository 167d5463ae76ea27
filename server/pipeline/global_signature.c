/*
 * global_signature.c - who gets a signature, and the version of the message that has it.
 */
#include "server/pipeline/global_signature.h"

#include "conf/conf.h"
#include "proto/mime/mime_footer.h"
#include "server/pipeline/mail_body.h"
#include "server/pipeline/names.h"
#include "store/contents.h"

#define HEADER_MORE 4096 /* bytes that a header may be longer for what is said of its text */

/* *user is filled where somebody logged in. *why: static text, why there is none; NULL: there is one. */
static enum err
find_signature(struct pipeline_ask *ask, const struct plan *plan, struct signature *out,
	const char **why)
{
	bool logged_in = ask->mail->user_id != 0;
	struct user user;
	enum err err;

	*why = NULL;
	*out = (struct signature){ .is_auth = false };
	if (plan->standing != STANDING_USER || ask->mail->via == MAIL_VIA_LOCAL)
		*why = "its sender is none of the users here"; /* SIG-02 */
	if (*why)
		return OK;
	if (!logged_in) {
		*out = signature_of(plan->arena, ask->conf, NULL, false);
		return OK;
	}
	err = names_user_by_id(ask->snap, ask->mail->user_id, &user);
	if (err == ERR_NOT_FOUND) { /* removed since he logged in */
		*why = "its sender is no user any more";
		return OK;
	}
	if (err != OK)
		return err;
	if (user.no_signature)
		*why = "the user has none (no_signature)"; /* USR-32 */
	else
		*out = signature_of(plan->arena, ask->conf, &user, true);
	return OK;
}

static enum err
read_mail(void *arg, uint64_t offset, uint64_t size, struct span *out)
{
	const struct mail *mail = arg;

	if (offset < mail->header.len)
		return ERR_CORRUPT;
	return mail_body_range(mail, offset - mail->header.len, size, out);
}

/* ---- the version ---- */

static enum err
make_header(struct plan *plan, const struct mime_footer_result *r, struct span *header)
{
	size_t max = header->len + HEADER_MORE;
	struct buf *out;
	enum err err;

	if (r->type.len + r->encoding.len == 0 && !r->is_measured)
		return OK;
	out = plan_buf(plan, max < CONTENT_HEADER_MAX ? max : CONTENT_HEADER_MAX);
	err = mime_footer_put_header(*header, r->type, r->encoding, out);
	*header = buf_span(out);
	return err;
}

/* What is between the edits is as it came. */
static void
make_pieces(const struct mail *mail, struct plan *plan, const struct mime_footer_result *r,
	struct plan_version *version)
{
	struct plan_piece *pieces = ARENA_ARRAY(plan->arena, struct plan_piece, 2 * r->count + 1);
	uint64_t at = 0;
	size_t count = 0;

	for (size_t i = 0; i < r->count; i++) {
		const struct mime_footer_edit *edit = &r->edits[i];

		pieces[count++] = (struct plan_piece){ .from = at, .size = edit->at - at };
		pieces[count++] = (struct plan_piece){ .text = edit->text };
		at = edit->at + edit->size;
	}
	pieces[count++] = (struct plan_piece){ .from = at, .size = mail->body.size - at };
	version->pieces = pieces;
	version->piece_count = count;
}

static enum err
add_version(struct pipeline_ask *ask, struct plan *plan, const struct mime_footer_result *r)
{
	struct span header = plan->header_outgoing.len > 0 ? plan->header_outgoing
			     : plan->header_relayed.len > 0 ? plan->header_relayed
							    : plan->header;
	struct plan_version *version;
	enum err err = make_header(plan, r, &header);

	if (err != OK) {
		plan_note(plan, NOTE_SIGN_NOT, SPAN("its header takes no change"), SPAN_NONE);
		return OK;
	}
	version = plan_version_new(plan);
	version->header = header;
	make_pieces(ask->mail, plan, r, version);
	plan->outgoing = version;
	return OK;
}

static const char *
parts_word(const struct mime_footer_result *r)
{
	if (r->plain > 0 && r->html > 0)
		return "in its plain text and its HTML";
	return r->html > 0 ? "in its HTML" : "in its plain text";
}

static enum err
sign(struct pipeline_ask *ask, struct plan *plan, const struct signature *signature)
{
	struct mime_derived derived;
	struct mime_footer footer = { plan->arena, &derived, signature->plain, signature->html,
		read_mail, ask->mail };
	struct mime_footer_result *r = ARENA_NEW(plan->arena, struct mime_footer_result);
	enum err err;

	if (mail_body_parts(ask->mail, &derived) != OK) {
		plan_note(plan, NOTE_SIGN_NOT, SPAN("its parts cannot be told"), SPAN_NONE);
		return OK;
	}
	err = mime_footer_make(&footer, r);
	if (err == OK && r->count > 0)
		err = add_version(ask, plan, r);
	if (err != OK)
		return err;
	if (plan->outgoing)
		plan_note(plan, NOTE_SIGN_ADDED, span_of(signature->is_auth ? "auth" : "default"),
			span_of(parts_word(r)));
	if (r->why)
		plan_note(plan, NOTE_SIGN_NOT, span_of(r->why), SPAN_NONE);
	return OK;
}

static bool
is_set(const struct conf *conf)
{
	return conf->signature_plain.len + conf->signature_html.len +
		conf->signature_auth_plain.len + conf->signature_auth_html.len > 0;
}

enum err
signature_make(struct pipeline_ask *ask, struct plan *plan)
{
	struct signature signature;
	const char *why;
	enum err err;

	plan->outgoing = NULL;
	if (!is_set(ask->conf) || plan_outgoing_count(plan) == 0)
		return OK;
	err = find_signature(ask, plan, &signature, &why);
	if (err != OK)
		return err;
	if (why)
		plan_note(plan, NOTE_SIGN_NOT, span_of(why), SPAN_NONE);
	else if (signature.plain.len + signature.html.len > 0)
		return sign(ask, plan, &signature);
	return OK;
}
