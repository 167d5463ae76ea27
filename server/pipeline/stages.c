/*
 * stages.c - the stages of the pipeline, in the order in which they are asked.
 */
#include "server/pipeline/stages.h"

const struct stage stages[] = {
	{ "limits", AT_CONNECT | AT_MAIL | AT_RCPT | AT_END, stage_limits },
	{ "journal-receive", AT_RCPT, stage_journal_receive },
	{ "sender", AT_MAIL | AT_RCPT | AT_END, stage_sender },
	{ "quota", AT_MAIL, stage_quota },
	{ "rules", AT_MAIL | AT_RCPT | AT_END, stage_rules },
	{ "lan", AT_RCPT, stage_lan },
	{ "mapping", AT_MAIL | AT_RCPT, stage_mapping },
	{ "maillist", AT_RCPT, stage_maillist },
	{ "unknown", AT_RCPT, stage_unknown },
	{ "rules", AT_RCPT, stage_rule_copies },
	{ "lan-targets", AT_RCPT, stage_lan_targets },
	{ "collected", AT_END, stage_collected },
	{ "question", AT_END, stage_question },
	{ "script", AT_END, stage_script },
	{ "journal-receive", AT_END, stage_journal_receive },
	{ "mailbox", AT_END, stage_mailbox },
	{ "outgoing", AT_RCPT | AT_END, stage_outgoing },
	{ "place", AT_RCPT | AT_END, stage_place },
	{ "script", AT_END, stage_script_header },
	{ "store-forward", AT_RCPT | AT_END, stage_store_forward },
	{ "monitor", AT_END, stage_monitor },
	{ "journal", AT_END, stage_journal },
	{ "archive", AT_END, stage_archive },
};
const size_t stage_count = COUNT(stages);
