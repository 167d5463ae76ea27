/*
 * envelope.c - sender, options and recipients of one transaction.
 */
#include "proto/mail/envelope.h"

/* A span that was not given stays not given: ptr NULL. */
static struct span
copy_given(struct arena *a, struct span s)
{
	return s.ptr ? arena_copy(a, s) : SPAN_NONE;
}

void
envelope_init(struct envelope *e, struct arena *a, const struct address *reverse_path,
	const struct mail_options *options)
{
	ENSURE(address_is_valid(reverse_path)); /* H10 */
	*e = (struct envelope){
		.arena = a,
		.reverse_path = address_copy(a, reverse_path),
		.options = *options,
	};
	e->options.envid = copy_given(a, options->envid);
	e->options.auth = copy_given(a, options->auth);
	list_init(&e->recipients);
}

enum err
envelope_add_recipient(struct envelope *e, const struct address *address,
	const struct recipient_options *options, size_t max, struct recipient **out)
{
	struct recipient *r;

	ENSURE(address_is_valid(address) && !address_is_null(address)); /* H10 */
	if (e->recipient_count >= max)
		return ERR_LIMIT;
	r = ARENA_NEW(e->arena, struct recipient);
	r->address = address_copy(e->arena, address);
	r->options = *options;
	r->options.orcpt = copy_given(e->arena, options->orcpt);
	list_append(&e->recipients, &r->link);
	e->recipient_count++;
	if (out)
		*out = r;
	return OK;
}

struct recipient *
envelope_find_recipient(const struct envelope *e, struct span key)
{
	struct list *at, *following;

	list_for_each(at, following, &e->recipients) {
		struct recipient *r = LIST_ITEM(at, struct recipient, link);

		if (span_eq(r->address.key, key))
			return r;
	}
	return NULL;
}
