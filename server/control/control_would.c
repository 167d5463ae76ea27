/*
 * control_would.c - what a command would do, as a sentence: "would remove 2 users", "would hold message 5 of the queue".
 *
 * Its words are those of the command line; where these make no sentence, the tables below have others. control_did()
 * says the same of what was done.
 */
#include "server/control/control_call.h"

#define ITEMS_MAX 20	  /* of a list */
#define VALUE_TEXT_MAX 200 /* bytes of a value */

/* ---- words ---- */

struct noun {
	const char *area; /* the command without its last word */
	const char *one, *many, *behind;
};

static const struct noun *
noun_of(struct span area)
{
	static const struct noun nouns[] = {
		{ "apppass", "app password", "app passwords", "" },
		{ "archive", "message", "messages", " of the archive" },
		{ "block", "blocked address", "blocked addresses", "" },
		{ "collect", "collector", "collectors", "" },
		{ "dkim", "key", "keys", "" },
		{ "journal", "seat", "seats", "" },
		{ "maillist", "list", "lists", "" },
		{ "queue", "message", "messages", " of the queue" },
		{ "rule archive", "retention rule", "retention rules", "" },
		{ "rule download", "download rule", "download rules", "" },
		{ "rule download ask", "question", "questions", "" },
		{ "rule monitor", "monitoring profile", "monitoring profiles", "" },
		{ "rule prune", "prune rule", "prune rules", "" },
		{ "rule smtp", "SMTP rule", "SMTP rules", "" },
	};

	for (size_t i = 0; i < COUNT(nouns); i++)
		if (span_eq(area, span_of(nouns[i].area)))
			return &nouns[i];
	return NULL;
}

struct verb {
	unsigned id; /* CONTROL_... */
	const char *verb, *behind;
};

static struct verb
verb_of(struct arena *a, const struct control_method *method, struct span last)
{
	static const struct verb verbs[] = {
		{ CONTROL_collect_now, "collect by", "" },
		{ CONTROL_collect_off, "switch off", "" },
		{ CONTROL_collect_on, "switch on", "" },
		{ CONTROL_connection_now, "start", "" },
		{ CONTROL_message_purge, "remove for good", "" },
		{ CONTROL_rule_download_ask_fetch, "answer", ": fetch it" },
		{ CONTROL_rule_download_ask_remove, "answer", ": remove it" },
		{ CONTROL_rule_download_off, "switch off", "" },
		{ CONTROL_rule_download_on, "switch on", "" },
		{ CONTROL_rule_smtp_off, "switch off", "" },
		{ CONTROL_rule_smtp_on, "switch on", "" },
	};

	for (size_t i = 0; i < COUNT(verbs); i++)
		if (verbs[i].id == (unsigned)method->id)
			return verbs[i];
	return (struct verb){ (unsigned)method->id, arena_text(a, last), "" };
}

/* ---- values ---- */

static struct span
keys_text(struct arena *a, const struct rpc_value *v)
{
	struct span text = SPAN("");

	for (size_t k = 0; k < v->count; k++)
		text = arena_printf(a, "%.*s%s%.*s=%.*s", SPAN_FMT(text), k ? " " : "", SPAN_FMT(v->pairs[k].key),
			SPAN_FMT(span_range(v->pairs[k].value, 0, VALUE_TEXT_MAX)));
	return text;
}

static struct span
items_text(struct arena *a, const struct rpc_value *v)
{
	struct span text = SPAN("");

	for (size_t k = 0; k < v->count && k < ITEMS_MAX; k++)
		text = arena_printf(a, "%.*s%s%.*s", SPAN_FMT(text), k ? " " : "", SPAN_FMT(v->items[k]));
	return text;
}

/* One parameter as people read it; empty where it says nothing. */
static struct span
value_text(struct arena *a, const struct control_param *p, const struct rpc_value *v)
{
	switch (p->type) {
	case CONTROL_TYPE_KEYS:
		return keys_text(a, v);
	case CONTROL_TYPE_LIST:
		return items_text(a, v);
	case CONTROL_TYPE_COUNT:
	case CONTROL_TYPE_SIZE:
	case CONTROL_TYPE_DURATION:
		return arena_printf(a, "%llu%s", (unsigned long long)v->number,
			p->type == CONTROL_TYPE_DURATION ? " s" : "");
	case CONTROL_TYPE_FLAG:
		return v->number ? SPAN("yes") : SPAN("no");
	case CONTROL_TYPE_FD:
		return SPAN("(the one given)");
	case CONTROL_TYPE_SECRET:
	case CONTROL_TYPE_PARAMS:
	case CONTROL_TYPE_TARGETS: /* they are the object */
		return SPAN("");
	default:
		return span_range(v->text, 0, VALUE_TEXT_MAX);
	}
}

/* ---- the sentence ---- */

struct sentence {
	struct arena *a;
	const struct rpc_request *r;
	struct span area, text;
	size_t targets; /* which parameter; schema.count: none */
	size_t told;	/* parameters in front of it are told with the object */
};

/* "2 users", "message 5 of the queue", "3 messages of anna" */
static void
put_objects(struct sentence *s, size_t count)
{
	const struct rpc_value *v = &s->r->values[s->targets];
	const struct noun *noun = noun_of(s->area);
	struct span one = noun ? span_of(noun->one) : s->area;

	if (count == 1 && v->count == 1)
		s->text = arena_printf(s->a, "%.*s %.*s %.*s", SPAN_FMT(s->text), SPAN_FMT(one), SPAN_FMT(v->items[0]));
	else if (noun)
		s->text = arena_printf(s->a, "%.*s %zu %s", SPAN_FMT(s->text), count, count == 1 ? noun->one : noun->many);
	else
		s->text = arena_printf(s->a, "%.*s %zu %.*s%s", SPAN_FMT(s->text), count, SPAN_FMT(one), count == 1 ? "" : "s");
	for (; s->told < s->targets; s->told++)
		if (s->r->values[s->told].present && !s->r->schema.items[s->told].option)
			s->text = arena_printf(s->a, "%.*s of %.*s", SPAN_FMT(s->text), SPAN_FMT(span_range(
				s->r->values[s->told].text, 0, VALUE_TEXT_MAX)));
	if (noun)
		s->text = arena_printf(s->a, "%.*s%s", SPAN_FMT(s->text), noun->behind);
}

static void
put_area(struct sentence *s)
{
	bool is_item = s->r->schema.count > 0 && s->r->schema.items[0].type == CONTROL_TYPE_NAME &&
		!s->r->schema.items[0].option;
	const struct noun *noun = is_item ? noun_of(s->area) : NULL;

	if (s->area.len > 0)
		s->text = arena_printf(s->a, "%.*s %.*s", SPAN_FMT(s->text),
			SPAN_FMT(noun ? span_of(noun->one) : s->area));
}

static void
put_values(struct sentence *s)
{
	bool arrow = s->r->method->id == CONTROL_mapping_add || s->r->method->id == CONTROL_user_rename;
	unsigned words = 0;

	for (size_t i = s->told; i < s->r->schema.count; i++) {
		const struct control_param *p = &s->r->schema.items[i];
		bool named = p->option || p->type == CONTROL_TYPE_FD;
		struct span value = s->r->values[i].present ? value_text(s->a, p, &s->r->values[i]) : SPAN("");

		if (value.len == 0)
			continue;
		s->text = arena_printf(s->a, "%.*s%s%.*s%s%.*s", SPAN_FMT(s->text),
			named ? ", " : arrow && words ? " -> " : " ", SPAN_FMT(named ? p->name : SPAN("")),
			named ? " " : "", SPAN_FMT(value));
		words += !named;
	}
}

struct span
control_would(struct arena *a, const struct rpc_request *r, size_t count)
{
	struct span words = span_of(r->method->words);
	size_t cut = span_find_last(words, ' ');
	struct sentence s = { .a = a, .r = r, .area = cut < words.len ? span_range(words, 0, cut) : SPAN("") };
	struct verb verb = verb_of(a, r->method, cut < words.len ? span_from(words, cut + 1) : words);

	s.text = arena_printf(a, "would %s", verb.verb);
	while (s.targets < r->schema.count && r->schema.items[s.targets].type != CONTROL_TYPE_TARGETS)
		s.targets++;
	if (s.targets < r->schema.count)
		put_objects(&s, count);
	else
		put_area(&s);
	put_values(&s);
	return arena_printf(a, "%.*s%s", SPAN_FMT(s.text), verb.behind);
}
