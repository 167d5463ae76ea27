/*
 * signature_text.c - the texts of the signature for one sender.
 */
#include "conf/conf.h"
#include "proto/base/ascii.h"
#include "proto/mime/mime_footer.h"
#include "server/pipeline/global_signature.h"
#include "store/groups.h"
#include "store/users.h"

#define TEXT_MAX (1u << 20) /* bytes of one form with all its attributes */

/* Attributes of a sender that a text may name (SIG-06, BOOK-02, Q-20); what has no function has no value yet. */
struct attribute {
	struct span name;
	struct span (*value)(struct arena *a, const struct conf *conf, const struct user *user);
};

static struct span
full_name(struct arena *a, const struct conf *conf, const struct user *user)
{
	(void)a;
	(void)conf;
	return user->full_name.len > 0 ? user->full_name : user->name;
}

/* What stands before the last word of the name; a name of one word is given. */
static struct span
given_name(struct arena *a, const struct conf *conf, const struct user *user)
{
	size_t at = span_find_last(user->full_name, ' ');

	(void)a;
	(void)conf;
	return span_trim(span_range(user->full_name, 0, at));
}

static struct span
surname(struct arena *a, const struct conf *conf, const struct user *user)
{
	size_t at = span_find_last(user->full_name, ' ');

	(void)a;
	(void)conf;
	return at < user->full_name.len ? span_from(user->full_name, at + 1) : SPAN_NONE;
}

static struct span
login_name(struct arena *a, const struct conf *conf, const struct user *user)
{
	(void)a;
	(void)conf;
	return user->name;
}

static struct span
comment(struct arena *a, const struct conf *conf, const struct user *user)
{
	(void)a;
	(void)conf;
	return user->comment;
}

static struct span
mail_address(struct arena *a, const struct conf *conf, const struct user *user)
{
	if (user->reply_address.len > 0)
		return group_reply_address(a, user->reply_address, user->name);
	return arena_printf(a, "%.*s@%.*s", SPAN_FMT(user->name), SPAN_FMT(conf_default_domain(conf)));
}

#define NAME(text) { text, sizeof(text) - 1 }
static const struct attribute attributes[] = {
	{ NAME("cn"), full_name },
	{ NAME("displayName"), full_name },
	{ NAME("givenName"), given_name },
	{ NAME("sn"), surname },
	{ NAME("surname"), surname },
	{ NAME("mail"), mail_address },
	{ NAME("uid"), login_name },
	{ NAME("description"), comment },
	{ NAME("title"), NULL }, { NAME("physicalDeliveryOfficeName"), NULL },
	{ NAME("department"), NULL }, { NAME("URL"), NULL }, { NAME("telephoneNumber"), NULL },
	{ NAME("facsimileTelephoneNumber"), NULL }, { NAME("officeFax"), NULL },
	{ NAME("mobile"), NULL }, { NAME("pager"), NULL }, { NAME("officePager"), NULL },
	{ NAME("postalAddress"), NULL }, { NAME("postAddress"), NULL }, { NAME("homePhone"), NULL },
	{ NAME("otherTelephone"), NULL }, { NAME("otherFacsimileTelephoneNumber"), NULL },
	{ NAME("street"), NULL }, { NAME("streetAddress"), NULL }, { NAME("l"), NULL },
	{ NAME("st"), NULL }, { NAME("postalCode"), NULL }, { NAME("c"), NULL },
	{ NAME("co"), NULL }, { NAME("o"), NULL }, { NAME("company"), NULL },
	{ NAME("homePostalAddress"), NULL }, { NAME("info"), NULL }, { NAME("initials"), NULL },
};

/* "[name]" at the front of TEXT. NULL: none. */
static const struct attribute *
take_attribute(struct span text, size_t *len)
{
	size_t end = span_find(text, ']');

	if (end == text.len || text.ptr[0] != '[')
		return NULL;
	*len = end + 1;
	for (size_t i = 0; i < COUNT(attributes); i++)
		if (span_eq_nocase(span_range(text, 1, end), attributes[i].name))
			return &attributes[i];
	return NULL;
}

/* A value is one line, and in HTML no tag. */
static struct span
value_of(struct arena *a, const struct attribute *attribute, const struct conf *conf,
	const struct user *user, bool is_html)
{
	struct span value = attribute->value ? attribute->value(a, conf, user) : SPAN_NONE;

	return is_html ? mime_footer_escape(a, value) : value;
}

static struct span
fill(struct arena *a, const struct conf *conf, const struct user *user, struct span text,
	bool is_html)
{
	struct span rest = text, filled;
	struct buf out;

	buf_init(&out, TEXT_MAX);
	while (rest.len > 0) {
		size_t len = span_find(rest, '[');
		const struct attribute *attribute;

		(void)!buf_put(&out, span_range(rest, 0, len));
		rest = span_from(rest, len);
		if (rest.len == 0)
			break;
		len = 1;
		attribute = take_attribute(rest, &len);
		(void)!buf_put(&out, attribute ? value_of(a, attribute, conf, user, is_html) :
						 span_range(rest, 0, len = 1));
		rest = span_from(rest, len);
	}
	filled = arena_copy(a, buf_span(&out));
	buf_fini(&out);
	return filled;
}

struct signature
signature_of(struct arena *a, const struct conf *conf, const struct user *user, bool logged_in)
{
	struct span plain = conf->signature_plain, html = conf->signature_html;
	struct signature s = { .is_auth = logged_in && conf->signature_auth_plain.len +
			conf->signature_auth_html.len > 0 };

	if (s.is_auth) {
		plain = conf->signature_auth_plain;
		html = conf->signature_auth_html;
	}
	if (s.is_auth && user) {
		plain = fill(a, conf, user, plain, false);
		html = fill(a, conf, user, html, true);
	}
	s.plain = plain.len > 0 ? mime_footer_lines(a, plain) : mime_footer_plain_of(a, html);
	s.html = html.len > 0 ? mime_footer_lines(a, html) : mime_footer_html_of(a, s.plain);
	s.html = mime_footer_numbers(a, s.html);
	return s;
}
