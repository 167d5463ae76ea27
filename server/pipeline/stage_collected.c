/*
 * stage_collected.c - AT_END, what becomes of collected mail that is for nobody here (ADM-02 to ADM-05).
 *
 * It was accepted by a mailbox elsewhere long ago, so it is never refused: once a message, as soon as one of its
 * recipients is unknown or none is left (LOC-04), collecting.unknown says who gets it. Who is known gets his copy
 * all the same.
 *
 *     do: mail      the mail itself, to collecting.unknown.to, else to the Main Administrator
 *     do: error     a letter that says so, with the mail attached
 *     do: remote    nothing: it is taken for somebody's at the other office (MAP-18)
 *
 * Where the collector accepts no domain at all it is always the letter, for that is a mistake (INM-07). A report to the
 * sender (ADM-03) was added with the unknown recipient, stage_unknown.c; of a message without any there is none.
 */
#include "server/pipeline/stages.h"

#include "server/pipeline/attached_mail.h"
#include "server/pipeline/names.h"
#include "store/forwards.h"

/* Who is told: a user, or an address elsewhere. */
struct reader {
	struct user user; /* user_id 0: none */
	struct span address;
};

static enum err
find_administrator(struct pipeline_ask *ask, struct reader *out)
{
	enum err err = names_main_administrator(ask->conf, ask->snap, &out->user);

	out->address = out->user.name;
	return err;
}

/* collecting.unknown.to; where nobody here has that name any more, the Main Administrator. */
static enum err
find_reader(struct pipeline_ask *ask, struct plan *plan, struct reader *out)
{
	struct span to = ask->conf->collecting_unknown_to;
	struct address address;
	enum err err;

	*out = (struct reader){ .address = to };
	if (to.len == 0)
		return find_administrator(ask, out);
	if (address_parse(plan->arena, to, &address) == OK && !(address.flags & ADDRESS_NO_DOMAIN) &&
		!conf_is_local(ask->conf, address.local_part, address.domain))
		return OK;
	err = names_user(ask->snap, span_range(to, 0, span_find_last(to, '@')), &out->user);
	if (err == OK || err == ERR_IO || err == ERR_CORRUPT)
		return err;
	plan_note(plan, NOTE_COLLECTED_NOT, SPAN("collecting.unknown.to"),
		arena_printf(plan->arena, "nobody here is called %.*s", SPAN_FMT(to)));
	return find_administrator(ask, out);
}

static bool
accepts_nothing(const struct pipeline_ask *ask)
{
	const struct conf_collector *collector = names_collector(ask->conf, ask->mail);

	return collector && collector->accepted.count == 0 &&
		(collector->route == COLLECTOR_RECIPIENT || collector->route == COLLECTOR_SINGLE);
}

/* ---- the letter ---- */

static struct span
letter_text(struct pipeline_ask *ask, struct plan *plan)
{
	const struct mail *mail = ask->mail;
	struct span box = mail->collect.len > 0 ? mail->collect : SPAN("(any)");
	struct span why = plan->lost.count > 0
		? arena_printf(plan->arena, "Nobody here has the address %.*s.\r\n",
			  SPAN_FMT(attached_mail_words(plan, plan->lost.address)))
		: SPAN("None of its addresses is one that mail is collected for: see the accepted domains of\r\n"
		       "the collector.\r\n");

	return arena_printf(plan->arena,
		"A message was collected that is for nobody here. It is attached.\r\n\r\n%.*s\r\n"
		"Collector: %.*s\r\nSender: %.*s\r\nFrom: %.*s\r\nSubject: %.*s\r\n",
		SPAN_FMT(why), SPAN_FMT(box),
		SPAN_FMT(attached_mail_words(plan, mail->envelope.reverse_path.text)),
		SPAN_FMT(attached_mail_words(plan, mail->facts.from)),
		SPAN_FMT(attached_mail_words(plan, mail->facts.subject)));
}

static enum err
make_letter(struct pipeline_ask *ask, const struct reader *reader, struct plan *plan,
	const struct plan_version **out)
{
	struct attached_mail letter = { .to = reader->address, .text = letter_text(ask, plan),
		.subject = plan->lost.count > 0 ? SPAN("There was incoming mail for somebody unknown")
						: SPAN("There was incoming mail with no recipients") };

	if (span_find(letter.to, '@') == letter.to.len)
		letter.to = arena_printf(plan->arena, "%.*s@%.*s", SPAN_FMT(letter.to),
			SPAN_FMT(conf_default_domain(ask->conf)));
	return attached_mail_make(ask, &letter, plan, out);
}

/* ---- who gets it ---- */

static enum err
add_copy(struct pipeline_ask *ask, const struct reader *reader, bool as_letter, struct plan *plan)
{
	bool has_lost = plan->lost.count > 0;
	struct plan_copy copy = { .kind = COPY_REMOTE, .target = reader->address,
		.recipient = has_lost ? plan->lost.address : SPAN(""),
		.recipient_no = has_lost ? plan->lost.recipient_no : SIZE_MAX, .passed = true,
		.why = NOTE_COLLECTED_GOES, .found = reader->address,
		.because = as_letter ? SPAN("a letter with the mail attached") : SPAN("the mail itself") };

	if (reader->user.user_id != 0) {
		copy.kind = COPY_FOLDER;
		copy.user_id = reader->user.user_id;
		copy.user = reader->user.name;
		copy.folder = SPAN("INBOX");
		copy.forwards = forward_acts(&reader->user);
		copy.target = arena_printf(plan->arena, "%.*s/INBOX", SPAN_FMT(reader->user.name));
	}
	copy.own_sender = as_letter; /* nobody is told where it fails */
	if (as_letter && make_letter(ask, reader, plan, &copy.version) != OK)
		return ERR_LIMIT;
	return plan_copy_add(plan, &copy, SIZE_MAX);
}

static enum verdict
drop(struct pipeline_ask *ask, struct plan *plan)
{
	struct plan_copy copy = { .kind = COPY_DISCARD, .recipient_no = SIZE_MAX, .target = SPAN("No-one"),
		.recipient = SPAN(""), .why = NOTE_COLLECTED_NOT,
		.found = SPAN("it has no recipients, and is kept nowhere"),
		.because = SPAN("collecting.unknown.do is remote") };

	return plan_copy_add(plan, &copy, (size_t)ask->conf->limits_expansion_recipients) == OK
		? STAGE_NEXT : stage_trouble(plan);
}

/* It waits where it is until there is one. Our own people read this: in `collect list`, and in a letter once somebody can. */
static enum verdict
no_reader(struct plan *plan)
{
	plan_refuse(plan, 450, "4.3.0", "it is for nobody here, and there is no Main Administrator to get such mail: "
		"make one (postroom user add NAME --admin)");
	return STAGE_DEFER;
}

enum verdict
stage_collected(struct pipeline_ask *ask, enum phase phase, struct plan *plan)
{
	enum conf_unknown_do what = (enum conf_unknown_do)ask->conf->collecting_unknown_do;
	bool as_letter = what == UNKNOWN_ERROR || accepts_nothing(ask);
	struct reader reader;
	enum err err;

	(void)phase;
	if (ask->mail->via != MAIL_VIA_POP3 || (plan->lost.count == 0 && plan->recipients > 0))
		return STAGE_NEXT;
	if (what == UNKNOWN_REMOTE && !as_letter)
		return drop(ask, plan);
	err = find_reader(ask, plan, &reader);
	if (err == ERR_NOT_FOUND)
		return no_reader(plan);
	if (err != OK || add_copy(ask, &reader, as_letter, plan) != OK)
		return stage_trouble(plan);
	return STAGE_NEXT;
}
