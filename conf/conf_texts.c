/*
 * conf_texts.c - the table.
 */
#include "conf/conf_texts.h"

#include "proto/base/span.h"

#define REPORT "%1 recipients, %2 default domain"

const struct conf_text conf_texts[] = {
	{ "texts.collect_unreached", "Collecting", "%1 POP3, IMAP or File, %2 collector" },
	{ "texts.collect_problem", "Collecting", "%1 POP3, IMAP or File, %2 collector" },
	{ "texts.send_unreached", "Connections", "%1 route" },
	{ "texts.send_problem", "Connections", "%1 route" },
	{ "texts.monitor_prefix", "Monitoring", "%1 Incoming, Outgoing, Internal, %2 profile" },
	{ "texts.quota_subject", "Quotas", "%1 per cent, %2 size" },
	{ "texts.quota_text", "Quotas", "%1 per cent, %2 size" },
	{ "texts.quota_admin_subject", "Quotas", "" },
	{ "texts.quota_admin_text", "Quotas", "%1 how many mailboxes, %2 default domain" },
	{ "texts.receipt", "Receipts", REPORT },
	{ "texts.collected", "Receipts", "%1 who collected it" },
	{ "texts.failed", "Reports", REPORT },
	{ "texts.delayed", "Reports", REPORT },
	{ "texts.delivered", "Reports", REPORT },
	{ "collecting.unknown.bounce_text", "Reports", "%1 unknown recipient, %2 default domain" },
	{ "signature.plain", "Signature", "" },
	{ "signature.html", "Signature", "" },
	{ "signature.auth_plain", "Signature", "" },
	{ "signature.auth_html", "Signature", "" },
	{ "users.welcome_subject", "Welcome", "{user}, {domain}, {server}" },
	{ "users.welcome_text", "Welcome", "{user}, {domain}, {server}" },
};
const size_t conf_text_count = COUNT(conf_texts);
