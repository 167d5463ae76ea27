/*
 * control_methods_copies.h - rows of control_methods.h, which says what they mean: who gets a copy, and
 * why. One macro for each area (rules, archive, journal, ...), all of them named in the last one.
 */
#ifndef PROTO_CONTROL_CONTROL_METHODS_COPIES_H
#define PROTO_CONTROL_CONTROL_METHODS_COPIES_H

#include "proto/control/control_methods_archive.h"

/* A message that is only asked about. */
#define CONTROL_EXPLAIN_PARAMS \
	"-from:text? -to:list? -auth:name? -via:choice(smtp|lmtp|pop3|local)? -collect:name? " \
	"-peer:text? -size:size? -message:fd(read)? -at:time?"

#define CONTROL_METHODS_RULES(X) \
	X(rule_smtp_list, "rule.smtp.list", "rule smtp list", QUEUE_VIEW, G0, ROWS, "", \
		"number:number enabled:flag name:text match:text conditions:list action:text stage:number " \
		"hits_24h:number hits:number last_hit:time -line:number -target:text -stage_given:flag " \
		"-timed:flag", \
		"SMTP rules in force, in the order in which they are asked; match is all or any.") \
	X(rule_smtp_show, "rule.smtp.show", "rule smtp show", QUEUE_VIEW, G0, TEXT, "number:count?", "", \
		"The text of the SMTP rules in force, or of one of them with its comments.") \
	X(rule_smtp_edit, "rule.smtp.edit", "rule smtp edit", CONFIG_EDIT, G0, TEXT, "", "", \
		"The text of the SMTP rules in force, to be edited: the command line opens it in $EDITOR and " \
		"applies what is saved.") \
	X(rule_smtp_apply, "rule.smtp.apply", "rule smtp apply", CONFIG_EDIT, G2, DONE, \
		"file:fd(read)", "", \
		"Put a text of SMTP rules in force, in place of those there are; a bad line changes nothing.") \
	X(rule_smtp_check, "rule.smtp.check", "rule smtp check", QUEUE_VIEW, G0, FAULTS, \
		"file:fd(read)?", "line:number column:number key:text what:text warning:flag", \
		"Check the file of the SMTP rules, or another text, and name every fault.") \
	X(rule_smtp_on, "rule.smtp.on", "rule smtp on", CONFIG_EDIT, G1, DONE, "number:count", "", \
		"Switch an SMTP rule on again: its lines lose their #off.") \
	X(rule_smtp_off, "rule.smtp.off", "rule smtp off", CONFIG_EDIT, G1, DONE, "number:count", "", \
		"Switch an SMTP rule off: its lines become comments that begin with #off.") \
	X(rule_smtp_move, "rule.smtp.move", "rule smtp move", CONFIG_EDIT, G1, DONE, \
		"number:count place:count", "", \
		"Give an SMTP rule another number, with the comments right above it: the first that holds wins.") \
	X(rule_smtp_add, "rule.smtp.add", "rule smtp add", CONFIG_EDIT, G1, DONE, \
		"text:text -place:count?", "", \
		"Add an SMTP rule, the text of its lines, as number PLACE, else as the last.") \
	X(rule_smtp_set, "rule.smtp.set", "rule smtp set", CONFIG_EDIT, G1, DONE, \
		"number:count text:text", "", \
		"Put the text of a rule in the place of an SMTP rule; the comments above it stay.") \
	X(rule_smtp_remove, "rule.smtp.remove", "rule smtp remove", CONFIG_EDIT, G2, DONE, \
		"numbers:targets", "", "Remove SMTP rules, with the comments right above them.") \
	X(rule_smtp_test, "rule.smtp.test", "rule smtp test", QUEUE_VIEW, G0, OBJECT, \
		"-message:fd(read)? -from:text? -to:list? -size:size? -stage:count? -at:time? -draft:fd(read)? " \
		"-collect:text?", \
		"rule:text action:text stage:number number:number line:number recipient:text why:list " \
		"-rules:list", \
		"Which SMTP rule holds for a message, in force or of a draft, and why; without --from and --to " \
		"its header says them, without --stage all stages are asked, --size is what MAIL declares. --collect, " \
		"as `rule download test` has it, changes nothing.") \
	X(rule_smtp_try, "rule.smtp.try", "rule smtp try", CONFIG_EDIT, G0, ROWS, \
		"-draft:text? -against:text? -now:time? -last:count? -number:count? -rule:text?", \
		"time:time from:text to:list size:size rule:text action:text before:text before_action:text " \
		"changed:flag -id:text -subject:text -number:number -stage:number -before_number:number " \
		"-conditions:list -told:list", \
		"SMTP rules, of a draft (its text) or in force, asked about the last messages that are here " \
		"(against last, and how many), one that trace names (its id), or pasted (its text); now is the " \
		"time to ask at, else the message's. Before is the answer of those in force; conditions are those " \
		"of the rule NUMBER, each y, n or - where it is not known at that stage; told are the same with " \
		"their text. With --rule, the text of one rule, the draft is the rules in force with that in the " \
		"place of NUMBER, or behind the last.")

#define CONTROL_METHODS_MONITOR(X) \
	X(rule_monitor_list, "rule.monitor.list", "rule monitor list", CONFIG_EDIT, G0, ROWS, "", \
		"name:text incoming:text outgoing:text internal:text users:list target:text min_kb:number " \
		"sample_percent:number sample_target:text", \
		"Monitoring profiles: whose mail is copied to whom.") \
	X(rule_monitor_show, "rule.monitor.show", "rule monitor show", CONFIG_EDIT, G0, OBJECT, \
		"name:name?", \
		"name:text incoming:text outgoing:text internal:text users:list target:text min_kb:number " \
		"sample_percent:number sample_target:text flagged:list flagged_more:number warnings:list", \
		"A profile, `default` where none is named, with all users who have Monitor Messages, and what " \
		"is not as it should be.") \
	X(rule_monitor_set, "rule.monitor.set", "rule monitor set", CONFIG_EDIT, G1, DONE, \
		"keys:keys", "", \
		"Set a profile, name=NAME or `default`, which is made where there is none: " \
		"incoming=all|selected|none outgoing= internal= target= users=a;b min_kb= sample_percent= " \
		"sample_target=; KEY= for its default.") \
	X(rule_monitor_remove, "rule.monitor.remove", "rule monitor remove", CONFIG_EDIT, G2, DONE, \
		"names:targets", "", "Remove monitoring profiles.") \
	X(rule_monitor_test, "rule.monitor.test", "rule monitor test", CONFIG_EDIT, G0, OBJECT, \
		CONTROL_EXPLAIN_PARAMS, "monitored:flag direction:text why:list copies:list more:number reply:text", \
		"Who would get a monitoring copy of a message, by which profile, and why: what `explain` says of it.")

#define CONTROL_METHODS_SCRIPTS(X) \
	X(user_script, "user.script", "user script", CONFIG_EDIT, G0, TEXT, "user:name", "", \
		"The routing script of a user, in Lua; with a file behind it, put that in force.") \
	X(user_script_set, "user.script.set", "user script", CONFIG_EDIT, G1, DONE, \
		"user:name file:fd(read)", "", \
		"Put a routing script in force, in place of the one there is; one that does not compile " \
		"changes nothing, an empty file removes it.") \
	X(script_list, "script.list", "script list", CONFIG_EDIT, G0, ROWS, "", \
		"user:text bytes:size changed:time by:text", "Users with a routing script.") \
	X(rule_content_show, "rule.content.show", "rule content show", QUEUE_VIEW, G0, TEXT, "", "", \
		"The script of the content rules in force.") \
	X(rule_content_apply, "rule.content.apply", "rule content apply", CONFIG_EDIT, G2, DONE, \
		"file:fd(read)", "", \
		"Put a script of content rules in force, in place of the one there is; one that does not " \
		"compile changes nothing, an empty file removes it.") \
	X(rule_content_check, "rule.content.check", "rule content check", QUEUE_VIEW, G0, FAULTS, \
		"file:fd(read)?", "line:number column:number key:text what:text warning:flag", \
		"Compile the file of the content rules, or another script.") \
	X(rule_content_test, "rule.content.test", "rule content test", QUEUE_VIEW, G0, OBJECT, \
		"-message:fd(read) -from:text? -to:list? -draft:fd(read)?", \
		"ok:flag failed:text actions:list log:list", \
		"What the content rules in force, or a draft, say of a message; nothing is done.  Without " \
		"--from and --to its header says them.") \
	X(script_functions, "script.functions", "script functions", STATUS_VIEW, G0, ROWS, "", \
		"name:text scripts:text help:text", \
		"What a script in Lua may call and read, and what each does.")

#define CONTROL_METHODS_PRUNE(X) \
	X(rule_prune_list, "rule.prune.list", "rule prune list", CONFIG_EDIT, G0, ROWS, \
		"-user:name?", \
		"id:number user:text folder:text age:number size:size read:text flagged:text deleted:flag " \
		"spam:flag", \
		"Prune rules: those for everybody, which have no user, then those of each user.") \
	X(rule_prune_show, "rule.prune.show", "rule prune show", CONFIG_EDIT, G0, OBJECT, \
		"id:text", "", "A prune rule; the names are the keys of `rule prune set`.") \
	X(rule_prune_add, "rule.prune.add", "rule prune add", CONFIG_EDIT, G1, DONE, \
		"-user:name? keys:keys", "", \
		"Remove messages by themselves, of everybody or of a user: folder=NAME or * (INBOX) age=DAYS " \
		"since they came (365) size=50kB at least read=any|read|unread flagged=any|flagged|unflagged " \
		"deleted=yes|no spam=yes|no.") \
	X(rule_prune_set, "rule.prune.set", "rule prune set", CONFIG_EDIT, G1, DONE, \
		"id:text keys:keys", "", "Change a prune rule.") \
	X(rule_prune_remove, "rule.prune.remove", "rule prune remove", CONFIG_EDIT, G1, DONE, \
		"ids:targets", "", "Remove prune rules.") \
	X(rule_prune_status, "rule.prune.status", "rule prune status", CONFIG_EDIT, G0, OBJECT, "", \
		"rules:flag next:time every:duration last:time last_count:number", \
		"When the server prunes next, how often it does now, and what the last round took.") \
	X(rule_prune_preview, "rule.prune.preview", "rule prune preview", CONFIG_EDIT, G0, ROWS, \
		"-user:name?", \
		"user:text folder:text uid:number from:text subject:text received:time size:size rule:number", \
		"The messages that match a prune rule now, and the rule.") \
	X(rule_prune_run, "rule.prune.run", "rule prune run", CONFIG_EDIT, G2, DONE, \
		"-user:name?", "", "Put what matches a prune rule into the bins now, of all or of a user.")

#define CONTROL_METHODS_COPIES(X) \
	CONTROL_METHODS_ARCHIVE(X) \
	CONTROL_METHODS_ARCHIVE_RULES(X) \
	CONTROL_METHODS_PRUNE(X) \
	CONTROL_METHODS_SECURITY(X) \
	CONTROL_METHODS_MONITOR(X) \
	CONTROL_METHODS_SCRIPTS(X) \
	CONTROL_METHODS_RULES(X)

#endif
