/*
 * control_methods_copies.h - rows of control_methods.h, which says what they mean: who gets a copy, and
 * why. One macro for each area (rules, archive, journal, ...), all of them named in the last one.
 */
#ifndef PROTO_CONTROL_CONTROL_METHODS_COPIES_H
#define PROTO_CONTROL_CONTROL_METHODS_COPIES_H

#include "proto/control/control_methods_archive.h"

#define CONTROL_METHODS_RULES(X)

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
		"names:targets", "", "Remove monitoring profiles.")

#define CONTROL_METHODS_SCRIPTS(X) \
	X(user_script, "user.script", "user script", CONFIG_EDIT, G0, TEXT, "user:name", "", \
		"The routing script of a user, in Lua; with a file behind it, put that in force.") \
	X(user_script_set, "user.script.set", "user script", CONFIG_EDIT, G1, DONE, \
		"user:name file:fd(read)", "", \
		"Put a routing script in force, in place of the one there is; one that does not compile " \
		"changes nothing, an empty file removes it.") \
	X(script_list, "script.list", "script list", CONFIG_EDIT, G0, ROWS, "", \
		"user:text bytes:size changed:time by:text", "Users with a routing script.") \
	X(script_functions, "script.functions", "script functions", STATUS_VIEW, G0, ROWS, "", \
		"name:text scripts:text help:text", \
		"What a script in Lua may call and read, and what each does.")

#define CONTROL_METHODS_COPIES(X) \
	CONTROL_METHODS_ARCHIVE(X) \
	CONTROL_METHODS_MONITOR(X) \
	CONTROL_METHODS_SCRIPTS(X) \
	CONTROL_METHODS_RULES(X)

#endif
