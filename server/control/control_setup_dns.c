/*
 * control_setup_dns.c - `setup dns`: the records of a domain as lines of a zone file (RFC 1035, 5).
 */
#include "server/control/control_setup.h"

#define TEXT_MAX (512 * 1024)
#define STRING_MAX 255 /* bytes of one string of a TXT record (RFC 1035, 3.3.14) */
#define MX_PREFERENCE 10

/* In strings, for a longer one; in what we publish nothing needs an escape but a quote. */
static void
put_txt(struct buf *out, struct span text)
{
	bool many = text.len > STRING_MAX;

	if (many)
		(void)!buf_put(out, SPAN("("));
	do {
		(void)!buf_put(out, many ? SPAN("\n\t\"") : SPAN("\""));
		for (size_t i = 0; i < text.len && i < STRING_MAX; i++) {
			if (text.ptr[i] == '"' || text.ptr[i] == '\\')
				(void)!buf_put(out, SPAN("\\"));
			(void)!buf_put_char(out, text.ptr[i]);
		}
		(void)!buf_put(out, SPAN("\""));
		text = span_from(text, STRING_MAX);
	} while (text.len > 0);
	if (many)
		(void)!buf_put(out, SPAN(" )"));
}

/* What was found is text from outside: controls leave (H70). */
static void
put_state(struct buf *out, const struct setup_record *r)
{
	char clean[STRING_MAX];

	if (r->state == SETUP_UNASKED)
		return;
	(void)!buf_printf(out, "; %s%s%.*s\n", setup_state_words[r->state],
		r->why.len > 0 ? ": " : "", SPAN_FMT(r->why));
	for (size_t i = 0; i < r->found_count && r->state != SETUP_OK; i++)
		(void)!buf_printf(out, ";   there is: %.*s\n",
			(int)span_copy_clean(r->found[i], clean, sizeof(clean)), clean);
}

static void
put_record(struct buf *out, const struct setup_record *r)
{
	(void)!buf_printf(out, "; %s\n%.*s. IN ", setup_purpose(r->kind), SPAN_FMT(r->name));
	if (setup_type(r->kind) == DNS_MX) {
		(void)!buf_printf(out, "MX %d %.*s.", MX_PREFERENCE, SPAN_FMT(r->value));
	} else {
		(void)!buf_put(out, SPAN("TXT "));
		put_txt(out, r->value);
	}
	(void)!buf_put(out, SPAN("\n"));
	put_state(out, r);
}

static void
text_done(struct setup_asked *all)
{
	struct control_call *call = all->call;
	struct span domain = SPAN_NONE;
	bool has_key = true;
	struct buf out;

	buf_init(&out, TEXT_MAX);
	for (size_t i = 0; i < all->count; i++) {
		const struct setup_record *r = &all->records[i];

		if (!span_eq(r->domain, domain)) {
			(void)!buf_printf(&out, "%s; ---- %.*s ----\n", i ? "\n" : "",
				SPAN_FMT(r->domain));
			has_key = false;
		}
		domain = r->domain;
		has_key |= r->kind == SETUP_DKIM;
		if (r->kind == SETUP_DMARC && !has_key)
			(void)!buf_printf(&out, "; no DKIM key: postroom dkim add %.*s\n",
				SPAN_FMT(domain));
		put_record(&out, r);
	}
	if (all->full)
		(void)!buf_printf(&out, "; more than %d records: name a domain\n",
			SETUP_RECORDS_MAX);
	call->text = arena_copy(&call->arena, buf_span(&out));
	buf_fini(&out);
	control_call_end(call);
}

static void
dns_start(struct control_call *call)
{
	setup_begin(call, rpc_flag(call->request, "check"), text_done);
}

const struct control_handler control_do_setup_dns = {.start = dns_start};
