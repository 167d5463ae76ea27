/*
 * control_methods_download.h - rows of control_methods.h, which says what they mean: download rules, and what they
 * ask.
 */
#ifndef PROTO_CONTROL_CONTROL_METHODS_DOWNLOAD_H
#define PROTO_CONTROL_CONTROL_METHODS_DOWNLOAD_H

#define CONTROL_METHODS_DOWNLOAD(X) \
	X(rule_download_list, "rule.download.list", "rule download list", QUEUE_VIEW, G0, ROWS, "", \
		"number:number enabled:flag name:text match:text conditions:list action:text hits_24h:number " \
		"hits:number last_hit:time automatic:flag -line:number -target:text -also:flag", \
		"Download rules in force, in the order in which they are asked; match is all or any. Behind them " \
		"the limits of collectors (max_kb), which are automatic: they are changed at the collector.") \
	X(rule_download_show, "rule.download.show", "rule download show", QUEUE_VIEW, G0, TEXT, "number:count?", "", \
		"The text of the download rules in force, or of one of them with its comments.") \
	X(rule_download_edit, "rule.download.edit", "rule download edit", CONFIG_EDIT, G0, TEXT, "", "", \
		"The text of the download rules in force, to be edited: the command line opens it in $EDITOR and " \
		"applies what is saved.") \
	X(rule_download_apply, "rule.download.apply", "rule download apply", CONFIG_EDIT, G2, DONE, \
		"file:fd(read)", "", \
		"Put a text of download rules in force, in place of those there are; a bad line changes nothing.") \
	X(rule_download_check, "rule.download.check", "rule download check", QUEUE_VIEW, G0, FAULTS, \
		"file:fd(read)?", "line:number column:number key:text what:text warning:flag", \
		"Check the file of the download rules, or another text, and name every fault.") \
	X(rule_download_on, "rule.download.on", "rule download on", CONFIG_EDIT, G1, DONE, "number:count", "", \
		"Switch a download rule on again: its lines lose their #off.") \
	X(rule_download_off, "rule.download.off", "rule download off", CONFIG_EDIT, G1, DONE, "number:count", "", \
		"Switch a download rule off: its lines become comments that begin with #off.") \
	X(rule_download_move, "rule.download.move", "rule download move", CONFIG_EDIT, G1, DONE, \
		"number:count place:count", "", \
		"Give a download rule another number, with the comments right above it: the first that holds wins.") \
	X(rule_download_add, "rule.download.add", "rule download add", CONFIG_EDIT, G1, DONE, \
		"text:text -place:count?", "", \
		"Add a download rule, the text of its lines, as number PLACE, else as the last.") \
	X(rule_download_set, "rule.download.set", "rule download set", CONFIG_EDIT, G1, DONE, \
		"number:count text:text", "", \
		"Put the text of a rule in the place of a download rule; the comments above it stay.") \
	X(rule_download_remove, "rule.download.remove", "rule download remove", CONFIG_EDIT, G2, DONE, \
		"numbers:targets", "", "Remove download rules, with the comments right above them.") \
	X(rule_download_test, "rule.download.test", "rule download test", QUEUE_VIEW, G0, OBJECT, \
		"-message:fd(read)? -collect:text? -to:list? -size:size? -at:time? -draft:fd(read)? -from:text? " \
		"-stage:count?", \
		"rule:text action:text number:number line:number does:text names:list who:list why:list -rules:list", \
		"Which download rule would hold for a message, in force or of a draft, and why; as collector " \
		"COLLECT would meet it, else the first of the file. Its header says for whom it is (names, and in who " \
		"which field named whom and what was passed over), --to names users in place of that. --from and --stage, as `rule smtp test` has them, change nothing: these rules know " \
		"neither.") \
	X(rule_download_try, "rule.download.try", "rule download try", CONFIG_EDIT, G0, ROWS, \
		"-draft:text? -against:text? -now:time? -last:count? -number:count? -rule:text? -collect:text?", \
		"time:time from:text to:list size:size rule:text action:text before:text before_action:text " \
		"changed:flag -id:text -subject:text -number:number -before_number:number -conditions:list " \
		"-told:list -who:list", \
		"Download rules, of a draft (its text) or in force, asked about the last messages that are here, as " \
		"`rule smtp try` does it; each as if collector COLLECT had it: to are the users that it would find in the header, who says why.") \
	X(rule_download_ask_list, "rule.download.ask.list", "rule download ask list", QUEUE_VIEW, G0, ROWS, "", \
		"id:text collector:text from:text subject:text size:size rule:text asked:list since:time until:time " \
		"answer:text by:text", \
		"Messages of mailboxes elsewhere about which somebody was asked (Ask); answer is open, fetch or remove " \
		"and is carried out the next time that mailbox is collected.") \
	X(rule_download_ask_fetch, "rule.download.ask.fetch", "rule download ask fetch", CONFIG_EDIT, G1, DONE, \
		"ids:targets", "", \
		"Answer in place of those who were asked: fetch it, for those it was meant for.") \
	X(rule_download_ask_remove, "rule.download.ask.remove", "rule download ask remove", CONFIG_EDIT, G2, DONE, \
		"ids:targets", "", \
		"Answer in place of those who were asked: remove it there without fetching it.")

#endif
