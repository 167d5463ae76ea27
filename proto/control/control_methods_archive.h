/*
 * control_methods_archive.h - rows of control_methods.h: the archive (ARC).
 */
#ifndef PROTO_CONTROL_CONTROL_METHODS_ARCHIVE_H
#define PROTO_CONTROL_CONTROL_METHODS_ARCHIVE_H

/* Which messages of the archive: all of what is said must hold. */
#define CONTROL_ARCHIVE_QUERY \
	"-from:text? -to:text? -subject:text? -text:text? -attachment:text? -since:time? -until:time? " \
	"-min_size:size? -max_size:size? -direction:choice(incoming|outgoing|internal)? -held:flag?"

#define CONTROL_METHODS_ARCHIVE(X) \
	X(archive_set, "archive.set", "archive set", CONFIG_EDIT, G1, DONE, "keys:keys -confirm:flag?", "", \
		"Set on=, incoming=, outgoing=, internal=, keep_days=, keep_incoming=, keep_outgoing=, " \
		"keep_internal=, rules= (a list), max_size=; KEY= for its default.") \
	X(archive_settings, "archive.settings", "archive settings", CONFIG_EDIT, G0, OBJECT, "", \
		"on:flag incoming:flag outgoing:flag internal:flag keep_days:number keep_incoming:number " \
		"keep_outgoing:number keep_internal:number rules:list max_size:size messages:number size:size " \
		"removed:number", \
		"What is archived and for how long, and how much the archive has; removed is what retention took.") \
	X(archive_search, "archive.search", "archive search", MESSAGE_READ, G0, ROWS, \
		CONTROL_ARCHIVE_QUERY, \
		"id:text time:time from:text to:list subject:text size:size direction:text hold:flag " \
		"-user:text -service:text -message:text", \
		"Archived messages, the newest first: by an address or words of one, in full with * and ?, by " \
		"words of subject, header and body, by the name of an attached file.") \
	X(archive_show, "archive.show", "archive show", MESSAGE_READ, G0, OBJECT, \
		"id:text -raw:fd(write|stdout)? -part:text? -out:fd(write)?", \
		"id:text time:time sender:text recipients:list direction:text user:text service:text " \
		"message:text hold:flag subject:text date:time size:size header:text body:text text:text " \
		"parts:list", \
		"An archived message with its envelope; --raw prints it byte by byte, --out FILE writes it, with " \
		"--part NUMBER one part decoded.  Each reading is audited.") \
	X(archive_copy, "archive.copy", "archive copy", MESSAGE_READ, G1, DONE, \
		"id:text user:name -folder:text? " CONTROL_ARCHIVE_QUERY, "", \
		"Copy an archived message to a mailbox; a folder that is not there is made.  With the ID `all`, every " \
		"message that `archive search` finds by the same options, 10,000 at most.") \
	X(archive_export, "archive.export", "archive export", MESSAGE_READ, G0, DONE, \
		"ids:targets? " CONTROL_ARCHIVE_QUERY " -format:choice(mbox|zip) -out:fd(write)", "", \
		"Write archived messages to a file: an mbox (mboxrd), or a zip of .eml files.  Where no ID is " \
		"named, all that `archive search` finds by the same options.") \
	X(archive_verify, "archive.verify", "archive verify", MESSAGE_READ, G0, FAULTS, "-against:text?", \
		"id:text what:text messages:number removed:number chain:text -warning:flag", \
		"Check the chain and every message against it; the first break, or the end: ID and chain, which " \
		"--against ID:CHAIN proves later.") \
	X(archive_hold, "archive.hold", "archive hold", MESSAGE_READ, G1, DONE, \
		"ids:targets " CONTROL_ARCHIVE_QUERY " -why:text?", "", \
		"Keep archived messages from retention until they are released; with --all those that " \
		"`archive search` finds by the same options, previewed.") \
	X(archive_release, "archive.release", "archive release", MESSAGE_READ, G1, DONE, \
		"ids:targets " CONTROL_ARCHIVE_QUERY, "", \
		"Let retention take archived messages again; --all as with hold.")

/* The lines of archive.rules as a text. */
#define CONTROL_METHODS_ARCHIVE_RULES(X) \
	X(rule_archive_list, "rule.archive.list", "rule archive list", CONFIG_EDIT, G0, ROWS, "", \
		"number:number days:number from:text to:text", \
		"How long the archive keeps what, archive.rules: the first rule that fits counts, 0 days is for ever.") \
	X(rule_archive_show, "rule.archive.show", "rule archive show", CONFIG_EDIT, G0, TEXT, "number:count?", "", \
		"The text of the retention rules in force, one a line, or of one of them.") \
	X(rule_archive_edit, "rule.archive.edit", "rule archive edit", CONFIG_EDIT, G0, TEXT, "", "", \
		"The text of the retention rules, to be edited: the command line opens it in $EDITOR and applies " \
		"what is saved.") \
	X(rule_archive_apply, "rule.archive.apply", "rule archive apply", CONFIG_EDIT, G2, DONE, "file:fd(read)", "", \
		"Put a text of retention rules in force, in place of those there are, `DAYS [from=PATTERN] " \
		"[to=PATTERN]` each; a bad line changes nothing, and comments (#) are not kept.") \
	X(rule_archive_check, "rule.archive.check", "rule archive check", CONFIG_EDIT, G0, FAULTS, "file:fd(read)?", \
		"line:number column:number key:text what:text warning:flag", \
		"Check a text of retention rules, else those in force, and name every fault, and rules that never " \
		"count.") \
	X(rule_archive_test, "rule.archive.test", "rule archive test", CONFIG_EDIT, G0, OBJECT, \
		"-from:text -to:list -direction:choice(incoming|outgoing|internal)? -at:time?", \
		"rule:text number:number setting:text days:number until:time direction:text archived:flag why:list", \
		"How long a message that arrives at a time, else now, would stay in the archive: by which rule, or " \
		"which setting, and why.  Without --direction the domains of its addresses say it.")

/* Message security, SEC-09; what it locks stands in control_guarded.h. */
#define CONTROL_METHODS_SECURITY(X) \
	X(security_status, "security.status", "security status", CONFIG_EDIT, G0, OBJECT, "", \
		"on:flag open:flag since:time who:text", \
		"Is message security on, and open for this session?") \
	X(security_on, "security.on", "security on", CONFIG_EDIT, G1, DONE, "-password:secret", "", \
		"Lock what shows mail or sends copies of it behind a password, for every session.") \
	X(security_off, "security.off", "security off", CONFIG_EDIT, G1, DONE, "-password:secret", "", \
		"Switch message security off, with its password.") \
	X(security_open, "security.open", "security open", CONFIG_EDIT, G0, DONE, "-password:secret", "", \
		"Open message security for this session, until it is closed or ends.  A single command takes " \
		"--open instead.") \
	X(security_close, "security.close", "security close", CONFIG_EDIT, G0, DONE, "", "", \
		"Close what this session had opened.")

#endif
