/*
 * control_methods_copies.h - rows of control_methods.h, which says what they mean: who gets a copy, and
 * why. One macro for each area (rules, archive, journal, ...), all of them named in the last one.
 */
#ifndef PROTO_CONTROL_CONTROL_METHODS_COPIES_H
#define PROTO_CONTROL_CONTROL_METHODS_COPIES_H

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

#define CONTROL_METHODS_COPIES(X) \
	CONTROL_METHODS_MONITOR(X) \
	CONTROL_METHODS_RULES(X)

#endif
