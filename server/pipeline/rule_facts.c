/*
 * rule_facts.c - a message as SMTP rules see it.
 */
#include "server/pipeline/rule_facts.h"

#include "proto/mime/encoded_word.h"

#define DAY_MINUTES 1440
#define THURSDAY 4 /* 1970-01-01, where Sunday is 0 */
#define VALUE_MAX (2 * HEADER_FIELD_SIZE_MAX) /* bytes of a field, decoded */

void
rule_facts_clock(struct rule_facts *out, int64_t now_ms, int zone_minutes)
{
	int64_t minutes = now_ms / 60000 + zone_minutes;
	int64_t days = minutes / DAY_MINUTES - (minutes % DAY_MINUTES < 0);

	out->minute = (unsigned)(minutes - days * DAY_MINUTES);
	out->day = (unsigned)(((days + THURSDAY) % 7 + 7) % 7) + 1;
}

/* ---- the header ---- */

/* A field without its folds, and what its encoded words say, where that is something else. */
static void
add_field(struct rule_header *header, struct arena *a, const struct rule_set *set,
	const struct header_field *field)
{
	struct span decoded = SPAN_NONE;
	struct buf plain, words;

	buf_init(&plain, VALUE_MAX);
	buf_init(&words, VALUE_MAX);
	if (header_unfold(&plain, field->value) == OK) {
		if (encoded_word_is_needed(buf_span(&plain)) &&
			encoded_word_decode(&words, buf_span(&plain)) == OK)
			decoded = buf_span(&words);
		rule_header_add(header, a, set, field->name, span_trim(buf_span(&plain)),
			decoded.ptr ? span_trim(decoded) : SPAN_NONE);
	}
	buf_fini(&words);
	buf_fini(&plain);
}

const struct rule_header *
rule_facts_header(struct arena *a, const struct rule_set *set, struct span text)
{
	struct rule_header *header = ARENA_NEW(a, struct rule_header);
	struct header_field field;

	rule_header_init(header, a, set);
	while (header_next(&text, &field))
		if (rule_header_wants(set, field.name))
			add_field(header, a, set, &field);
	return header;
}

/* ---- the envelope ---- */

static void
add_recipient(struct rule_facts *facts, struct arena *a, struct rule_text *all, struct span address)
{
	struct rule_text *text = &all[facts->recipient_count++];

	rule_text_make(a, address, text);
	rule_text_join(&facts->recipient_pairs, text);
}

static void
add_recipients(struct rule_facts *facts, struct arena *a, const struct mail *mail)
{
	struct rule_text *all = ARENA_ARRAY(a, struct rule_text, mail->envelope.recipient_count);
	struct list *at, *following;

	list_for_each(at, following, &mail->envelope.recipients)
		add_recipient(facts, a, all, LIST_ITEM(at, struct recipient, link)->address.text);
	facts->recipients = all;
}

void
rule_facts_fill(struct rule_facts *out, struct arena *a, const struct rule_set *set,
	const struct mail *mail, unsigned stage, const struct address *recipient)
{
	const struct envelope *envelope = &mail->envelope;

	*out = (struct rule_facts){ .stage = stage, .declared = envelope->options.has_size,
		.has_size = stage == RULE_STAGES || envelope->options.has_size,
		.size = stage == RULE_STAGES ? mail->size : envelope->options.size,
		.count = envelope->recipient_count + (stage == 2) };
	rule_facts_clock(out, mail->now_ms, mail->zone_minutes);
	rule_text_make(a, envelope->reverse_path.text, &out->sender);
	if (stage == 2) {
		struct rule_text *one = ARENA_NEW(a, struct rule_text);

		add_recipient(out, a, one, recipient->text);
		out->recipients = one;
	}
	if (stage < RULE_STAGES)
		return;
	add_recipients(out, a, mail);
	out->header = rule_facts_header(a, set, mail->header);
}
