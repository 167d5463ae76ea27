/*
 * services.c - the table of services; a row's number is its place, as in conf's enum service_name.
 */
#include "server/services.h"

#include "conf/conf.h"
#include "server/control/control_session.h"

extern const struct session_class smtp_session_class, lmtp_session_class, pop3_session_class,
	imap_session_class;

const struct service services[] = {
	/* name            class                   TLS           number               control login first */
	{ "smtp", &smtp_session_class, TLS_STARTTLS, SERVICE_smtp, false, false },
	{ "submission", &smtp_session_class, TLS_STARTTLS, SERVICE_submission, false, true },
	{ "submissions", &smtp_session_class, TLS_IMPLICIT, SERVICE_submissions, false, true },
	{ "pop3", &pop3_session_class, TLS_STARTTLS, SERVICE_pop3, false, true },
	{ "pop3s", &pop3_session_class, TLS_IMPLICIT, SERVICE_pop3s, false, true },
	{ "imap", &imap_session_class, TLS_STARTTLS, SERVICE_imap, false, true },
	{ "imaps", &imap_session_class, TLS_IMPLICIT, SERVICE_imaps, false, true },
	{ "lmtp", &lmtp_session_class, TLS_NONE, SERVICE_lmtp, false, false },
	{ "ldap", NULL, TLS_STARTTLS, SERVICE_ldap, false, true },
	{ "finger", NULL, TLS_NONE, SERVICE_finger, false, false },
	{ "password", NULL, TLS_NONE, SERVICE_password, false, false },
	{ "metrics", NULL, TLS_NONE, SERVICE_metrics, false, false },
	{ "control", &control_session_class, TLS_NONE, SERVICE_COUNT, true, false },
};
const unsigned service_count = COUNT(services);

_Static_assert(COUNT(services) == SERVICE_COUNT + 1, "a row for each name conf knows, and control");
_Static_assert(COUNT(services) <= SHARED_SERVICES_MAX, "shared.h counts too few services");

const struct service *
service_find(struct span name)
{
	for (unsigned i = 0; i < service_count; i++) {
		if (span_eq(name, span_of(services[i].name)))
			return &services[i];
	}
	return NULL;
}
