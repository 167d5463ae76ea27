/*
 * imap_find_judge.c - one key and one message, at the depth that the message was looked into.
 */
#include "server/imap/imap_find.h"

#include <stdio.h>

#include "proto/base/find.h"
#include "proto/base/utf8.h"
#include "proto/mail/header.h"
#include "proto/mime/encoded_word.h"
#include "store/keywords.h"

#define DAY_S 86400

static enum imap_verdict
yes_if(bool holds)
{
	return holds ? IMAP_VERDICT_YES : IMAP_VERDICT_NO;
}

/* ---- of the entry ---- */

static enum imap_verdict
judge_flag(struct imap_find *f, struct snapshot *snap, const struct imap_key *key,
	const struct find_message *m)
{
	bool has = m->entry.flags & key->flag;

	if (key->flag == FLAG_SEEN && f->own_seen)
		has = seen_is(snap, &f->seen, m->uid);
	return yes_if(has == (key->kind == IMAP_KEY_FLAG));
}

/* RFC 3501, 6.4.4. In IMAP4rev2 no message is \Recent (RFC 9051, Appendix E). */
static enum imap_verdict
judge_recent(struct imap_find *f, struct snapshot *snap, const struct imap_key *key,
	const struct find_message *m)
{
	static const struct imap_key unseen = { .kind = IMAP_KEY_NO_FLAG, .flag = FLAG_SEEN };
	bool recent = uid_ranges_have(&f->recent, m->uid);

	if (key->kind == IMAP_KEY_OLD)
		return yes_if(!recent);
	if (key->kind == IMAP_KEY_RECENT || !recent)
		return yes_if(recent);
	return judge_flag(f, snap, &unseen, m);
}

static enum imap_verdict
judge_keyword(const struct imap_key *key, const struct find_key *ready, const struct find_message *m)
{
	bool wants = key->kind == IMAP_KEY_KEYWORD;

	if (m->entry.flags & ready->bit)
		return yes_if(wants);
	if (!(m->entry.flags & FLAG_MORE_KEYWORDS))
		return yes_if(!wants);
	if (m->depth < FIND_COPY)
		return IMAP_VERDICT_UNKNOWN;
	return yes_if(keyword_in(m->copy.keywords, key->text) == wants);
}

static enum imap_verdict
judge_entry(struct imap_find *f, const struct imap_key *key, const struct find_key *ready,
	const struct find_message *m)
{
	int64_t received = m->entry.received_s;

	switch (key->kind) {
	case IMAP_KEY_NUMBERS:
	case IMAP_KEY_UIDS:
		return yes_if(uid_ranges_have(&ready->seqs, m->seq));
	case IMAP_KEY_LARGER:
		return yes_if(m->entry.size > key->number);
	case IMAP_KEY_SMALLER:
		return yes_if(m->entry.size < key->number);
	case IMAP_KEY_MODSEQ:
		return yes_if(m->entry.modseq >= key->number);
	case IMAP_KEY_BEFORE:
		return yes_if(received < ready->from_s);
	case IMAP_KEY_ON:
		return yes_if(received >= ready->from_s && received < ready->to_s);
	case IMAP_KEY_SINCE:
		return yes_if(received >= ready->from_s);
	case IMAP_KEY_YOUNGER: /* RFC 5032, 3 */
		return yes_if(received >= f->now_s - (int64_t)key->number);
	case IMAP_KEY_OLDER:
		return yes_if(received <= f->now_s - (int64_t)key->number);
	default:
		return IMAP_VERDICT_UNKNOWN;
	}
}

/* ---- of the copy ---- */

static enum imap_verdict
judge_email_id(const struct imap_key *key, const struct find_message *m)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "E%llu", (unsigned long long)m->copy.content_id);

	return yes_if(span_eq(key->text, (struct span){ text, (size_t)len }));
}

static enum imap_verdict
judge_copy(const struct imap_key *key, const struct find_key *ready, const struct find_message *m)
{
	int64_t saved_s = (int64_t)(m->copy.save_ms / 1000);

	if (m->depth < FIND_COPY)
		return IMAP_VERDICT_UNKNOWN;
	switch (key->kind) {
	case IMAP_KEY_EMAILID:
		return judge_email_id(key, m);
	case IMAP_KEY_SAVED_BEFORE: /* RFC 8514, 4.3 */
		return yes_if(saved_s < ready->from_s);
	case IMAP_KEY_SAVED_ON:
		return yes_if(saved_s >= ready->from_s && saved_s < ready->to_s);
	default:
		return yes_if(saved_s >= ready->from_s);
	}
}

/* ---- of the index ---- */

static enum imap_verdict
judge_answer(const struct find_key *ready, const struct find_message *m)
{
	if (m->depth < FIND_COPY || !ready->answer)
		return IMAP_VERDICT_UNKNOWN;
	return find_answer_of(ready->answer, m->copy.content_id, m->copy.copy_id);
}

/* ---- of stored fields ---- */

static int64_t
day_of(int64_t seconds)
{
	return seconds >= 0 ? seconds / DAY_S : -((-seconds + DAY_S - 1) / DAY_S);
}

/* The writer's day (RFC 9051, 6.4.4: "disregarding time and timezone"). */
static enum imap_verdict
judge_sent(const struct imap_key *key, const struct find_message *m)
{
	const struct mime_derived *d = &m->derived.mime;
	int64_t day;

	if (m->depth < FIND_FIELDS)
		return IMAP_VERDICT_UNKNOWN;
	if (!d->has_sent)
		return IMAP_VERDICT_NO;
	day = day_of(d->sent_s + d->sent_offset_minutes * 60);
	if (key->kind == IMAP_KEY_SENT_BEFORE)
		return yes_if(day < key->day);
	return yes_if(key->kind == IMAP_KEY_SENT_ON ? day == key->day : day >= key->day);
}

static enum imap_verdict
judge_field(const struct imap_key *key, const struct find_key *ready, const struct find_message *m)
{
	static const enum mime_field fields[] = {
		[IMAP_KEY_FROM] = MIME_FROM,
		[IMAP_KEY_TO] = MIME_TO,
		[IMAP_KEY_CC] = MIME_CC,
		[IMAP_KEY_BCC] = MIME_BCC,
		[IMAP_KEY_SUBJECT] = MIME_SUBJECT,
	};

	if (m->depth < FIND_FIELDS)
		return judge_answer(ready, m);
	return yes_if(ready->needle.len == 0 ||
		mime_derived_holds(&m->derived.mime, fields[key->kind], ready->needle));
}

/* ---- of the message ---- */

static bool
value_holds(struct imap_find *f, struct span value, struct span needle)
{
	if (needle.len == 0)
		return true;
	if (find_8bit(value) == value.len && span_find_any(value, SPAN("=\r\n")) == value.len)
		return find_lower(value, needle) < value.len;
	buf_clear(&f->scratch);
	buf_clear(&f->folded);
	(void)!encoded_word_decode(&f->scratch, value); /* as much as there is room for */
	(void)!utf8_put_folded(&f->folded, buf_span(&f->scratch));
	value = buf_span(&f->folded);
	return find_lower(value, needle) < value.len;
}

static bool
header_holds(struct imap_find *f, struct span header, struct span name, struct span needle)
{
	struct header_field field;

	while (header_next(&header, &field))
		if (span_eq_nocase(field.name, name) && value_holds(f, field.value, needle))
			return true;
	return false;
}

static enum imap_verdict
judge_header(struct imap_find *f, const struct imap_key *key, const struct find_key *ready,
	const struct find_message *m)
{
	if (m->depth < FIND_FIELDS)
		return judge_answer(ready, m);
	return yes_if(header_holds(f, m->copy.front, key->field, ready->needle) ||
		header_holds(f, m->content.header, key->field, ready->needle));
}

static enum imap_verdict
judge_text(const struct find_key *ready, const struct find_message *m)
{
	if (ready->needle.len == 0)
		return IMAP_VERDICT_YES;
	return m->depth == FIND_TEXT ? yes_if(ready->looked->found) : judge_answer(ready, m);
}

static enum imap_verdict
judge_key(struct imap_find *f, struct snapshot *snap, unsigned i, const struct find_message *m)
{
	const struct imap_key *key = &f->search->keys[i];
	const struct find_key *ready = &f->keys[i];

	if (key->kind <= IMAP_KEY_NOT)
		return IMAP_VERDICT_UNKNOWN; /* imap_search_judge() fills it in */
	switch (key->kind) {
	case IMAP_KEY_ALL:
	case IMAP_KEY_SAVEDATE_SUPPORTED:
		return IMAP_VERDICT_YES;
	case IMAP_KEY_THREADID: /* RFC 8474, 5.2: none has one */
		return IMAP_VERDICT_NO;
	case IMAP_KEY_FLAG:
	case IMAP_KEY_NO_FLAG:
		return judge_flag(f, snap, key, m);
	case IMAP_KEY_OLD:
	case IMAP_KEY_RECENT:
	case IMAP_KEY_NEW:
		return judge_recent(f, snap, key, m);
	case IMAP_KEY_KEYWORD:
	case IMAP_KEY_NO_KEYWORD:
		return judge_keyword(key, ready, m);
	case IMAP_KEY_EMAILID:
	case IMAP_KEY_SAVED_BEFORE:
	case IMAP_KEY_SAVED_ON:
	case IMAP_KEY_SAVED_SINCE:
		return judge_copy(key, ready, m);
	case IMAP_KEY_SENT_BEFORE:
	case IMAP_KEY_SENT_ON:
	case IMAP_KEY_SENT_SINCE:
		return judge_sent(key, m);
	case IMAP_KEY_HEADER:
		return judge_header(f, key, ready, m);
	case IMAP_KEY_BODY:
	case IMAP_KEY_TEXT:
		return judge_text(ready, m);
	default:
		return key->kind >= IMAP_KEY_FROM ? judge_field(key, ready, m)
						  : judge_entry(f, key, ready, m);
	}
}

enum imap_verdict
find_judge(struct imap_find *f, struct snapshot *snap, struct find_message *m)
{
	for (unsigned i = 0; i < f->search->count; i++)
		f->verdicts[i] = (unsigned char)judge_key(f, snap, i, m);
	return imap_search_judge(f->search, f->verdicts);
}
