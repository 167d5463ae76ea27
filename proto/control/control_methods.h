/*
 * control_methods.h - every method of the control protocol, one row each.
 *
 * The command line, its help, the server's dispatcher, the check of parameters, hello's list, the
 * console and docs/control-protocol.md read these rows; nothing else names a method.
 *
 *   X(id, method, words, right, guard, reply, params, columns, help)
 *
 *   id       the name in C: CONTROL_queue_list, and the handler's name in the dispatcher
 *   method   the name on the wire; the command's words joined by dots
 *   words    what a person types; "" where it is no command
 *   right    what the asker must have (control_rights.h)
 *   guard    G0 reads; G1 acts, undo is offered; G2 wants a preview in the console; G3 cannot be
 *            undone (console: the count or name is typed)
 *   reply    ROWS    {"rows":[{...}],"next":KEY|null,"total":N}; takes CONTROL_LIST_PARAMS too
 *            OBJECT  one object
 *            TEXT    {"text":"..."}
 *            DONE    {"done":N,"skipped":[{"key":K,"why":W}],"undo":ID|null,"undo_until":TIME|null,
 *                    "note":"a sentence"}, and with what makes a password "secret":"...", told this once;
 *                    what waited for an end says "errors":[TEXT], what ran, but failed (exit status 1)
 *            FAULTS  as ROWS; a row that is no `warning` means that something is wrong (exit
 *                    status 1)
 *   params   schema, see control_schema.h:  name:type, '-' in front: an option on the command line
 *            (else a word in its place), '?' behind: may be left out
 *   columns  the fields of a row or of the object in the order they are printed, same form; '-' in
 *            front: in JSON and --columns only; "" where the fields are not fixed
 *
 * A method that changes something and takes `targets` may be called with them named; to select by
 * filter it goes through preview and apply.
 *
 * Values that are objects themselves:
 *   status    sessions {SERVICE:N}  queue {count,bytes,held}  mailboxes {users,messages,bytes}
 *             people_checked: different users who checked their mail since the last connection (SCH-06)
 *             store {bytes,free,...}
 *   explain   asked {from,to,via,auth,size}  reply {stage,code,text}
 *             copies [{kind,target,because}], a target is "anna" (her INBOX) or "anna/Folder"
 *             steps ["STAGE: SENTENCE"]
 *   trace     steps ["STAGE: SENTENCE"]
 *   list.open pinned, the row that stands above the list whatever it is sorted by (*OUTQUEUE)
 *   route     of queue.list: where its open recipients leave by, a route or lan:HOST:PORT
 *   event     data is for topic log {lines: rows of log.tail, skipped: N}, for status an object of
 *             status (only what changed, after a first whole one)
 * Sizes are bytes, durations and ages whole seconds, times RFC 3339 in UTC, lists arrays.
 */
#ifndef PROTO_CONTROL_CONTROL_METHODS_H
#define PROTO_CONTROL_CONTROL_METHODS_H

#include "proto/control/control_methods_collecting.h"
#include "proto/control/control_methods_copies.h"
#include "proto/control/control_methods_download.h"
#include "proto/control/control_methods_journal.h"
#include "proto/control/control_methods_sending.h"

#define CONTROL_LIST_PARAMS "-filter:text? -sort:text? -limit:count? -after:text?"

/* What log_line.area may be: a part of the server, or the protocol of a session. */
#define CONTROL_LOG_AREAS \
	"choice(collect|config|connect|control|dlrules|imap|listen|loop|mapping|outgoing|pop3|queue|rules|runner|search|" \
	"security|server|smtp|store|task|tls)"

#define CONTROL_METHODS_SESSION(X) \
	X(hello, "hello", "", NONE, G0, OBJECT, \
		"version:count? client:text? size:text? plain:flag? read_only:flag?", \
		"version:text hostname:text protocol:number epoch:text revision:number user:text role:text " \
		"rights:list limits:text methods:text", \
		"Say who is there: version, the caller's rights, and the methods with their schema.") \
	X(auth, "auth", "", NONE, G0, OBJECT, "user:name password:secret", \
		"user:text role:text rights:list", \
		"Take the rights of a user in place of those of the peer's credentials.") \
	X(cancel, "cancel", "", NONE, G0, DONE, "id:count", "", \
		"Give up the request with this id; it answers with an error.") \
	X(subscribe, "subscribe", "", STATUS_VIEW, G0, OBJECT, \
		"topic:choice(status|list|log|notice) since:count? window:count? cursor:text? " \
		"filter:text? level:choice(error|warning|info|debug)? service:" CONTROL_LOG_AREAS \
		"? session:text?", \
		"subscription:number seq:number", \
		"Be told of changes by `event` notifications; at most 64 may wait for their ack.") \
	X(unsubscribe, "unsubscribe", "", NONE, G0, DONE, "subscription:count", "", \
		"End a subscription.") \
	X(ack, "ack", "", NONE, G0, DONE, "subscription:count seq:count", "", \
		"Say that the events up to this number were shown.")

#define CONTROL_METHODS_LISTS(X) \
	X(list_open, "list.open", "", STATUS_VIEW, G0, OBJECT, \
		"method:text params:params? filter:text? sort:text? columns:text?", \
		"cursor:text total:number approx:flag fresh:flag -pinned:text", \
		"Open a list at a cursor; the rights are those of its method.  fresh: its pages show " \
		"rows as they are now, those that left as `gone`.") \
	X(list_page, "list.page", "", STATUS_VIEW, G0, ROWS, \
		"cursor:text before:text? at_key:text? at_fraction:count? n:count? keys:list?", \
		"key:text revision:number cells:text", \
		"Rows after, before or at a key; at_fraction is in millionths; at most 200 rows.  Or " \
		"those of `keys` that the list has, in that order, at most 400; where it is fresh, the " \
		"total then counts what came since it was opened, and not those of `keys` that left.") \
	X(list_count, "list.count", "", STATUS_VIEW, G0, OBJECT, \
		"method:text params:params? filter:text?", "count:number approx:flag", \
		"Count what a filter would leave; a later one cancels an earlier one.") \
	X(list_close, "list.close", "", NONE, G0, DONE, "cursor:text", "", "Give up a cursor.") \
	X(get, "get", "", STATUS_VIEW, G0, OBJECT, "method:text params:params?", "", \
		"One item: the reply of its show method.") \
	X(preview, "preview", "", STATUS_VIEW, G0, OBJECT, \
		"method:text params:params? filter:text? all:flag?", \
		"token:text count:number bytes:size sample:list effects:list warnings:list undo:text cli:text " \
		"expires:time", \
		"Pin what a changing method would change, by id, for two minutes; changes nothing.") \
	X(apply, "apply", "", STATUS_VIEW, G1, DONE, "token:text word:text?", "", \
		"Change exactly what a preview pinned; what changed or left since is skipped.")

#define CONTROL_METHODS_STATUS(X) \
	X(status, "status", "status", STATUS_VIEW, G0, OBJECT, "", \
		"version:text uptime_s:duration sessions:number queue.count:number queue.bytes:size " \
		"queue.held:number mailboxes.users:number mailboxes.messages:number mailboxes.bytes:size " \
		"store.bytes:size store.free:size tls:text last_connect:time next_connect:time", \
		"What the server does at this moment.") \
	X(service_list, "service.list", "service list", STATUS_VIEW, G0, ROWS, "", \
		"name:text on:flag listen:list tls:text sessions:number max_connections:number", \
		"Services with their listeners and sessions.") \
	X(service_start, "service.start", "service start", SERVER_STOP, G1, DONE, "name:name", "", \
		"Open the listeners of a service.") \
	X(service_stop, "service.stop", "service stop", SERVER_STOP, G2, DONE, "name:name", "", \
		"Close the listeners of a service and end its sessions.") \
	X(service_set, "service.set", "service set", CONFIG_EDIT, G2, DONE, "name:name keys:keys", \
		"", "Set access=, listen= (lists: a;b), max_connections=, max_per_ip=, timeout=.") \
	X(service_lan, "service.lan", "service lan", CONFIG_EDIT, G2, DONE, \
		"name:name -noauth:flag?", "", \
		"Give a service the lines of `access lan`, in place of those it has.") \
	X(access_list, "access.list", "access list", QUEUE_VIEW, G0, ROWS, "service:name?", \
		"service:text no:number line:text meaning:text", \
		"Access lines of the services, in the order in which they are asked.") \
	X(access_test, "access.test", "access test", QUEUE_VIEW, G0, ROWS, \
		"address:text -service:name? -user:name?", \
		"service:text connect:flag login:flag send:flag relay:flag line:text why:text", \
		"What an address may do at each service, as nobody or as a user: connect, log in, " \
		"send to users here, send to others.") \
	X(access_lan, "access.lan", "access lan", QUEUE_VIEW, G0, ROWS, "", \
		"line:text what:text", \
		"Access lines for this machine and the networks it is in.") \
	X(session_list, "session.list", "session list", QUEUE_VIEW, G0, ROWS, "-user:name?", \
		"id:text service:text user:text peer:text tls:text age:duration doing:text", \
		"Open sessions, or those of a user.") \
	X(session_end, "session.end", "session end", QUEUE_OPERATE, G2, DONE, \
		"ids:targets? -user:name?", "", \
		"Close sessions, or all of a user; each is told that the server shuts down.") \
	X(block_list, "block.list", "block list", QUEUE_VIEW, G0, ROWS, "", \
		"address:text user:text failures:number since:time until:time why:text", \
		"Addresses and users that are locked or slowed after failed logins, or refused for " \
		"connecting too often.") \
	X(block_remove, "block.remove", "block remove", CONFIG_EDIT, G1, DONE, \
		"addresses:targets", "", \
		"Let an address in again, or one user of it: \"192.0.2.1 anna\", \"* anna\".") \
	X(log_tail, "log.tail", "log tail", LOG_VIEW, G0, ROWS, \
		"-lines:count? -level:choice(error|warning|info|debug)? -service:" CONTROL_LOG_AREAS \
		"? -session:text?", \
		"time:time level:text service:text session:text message:text text:text", \
		"The last lines of the log; --follow goes on until ^C.") \
	X(log_show, "log.show", "log show", LOG_VIEW, G0, ROWS, \
		"-level:choice(error|warning|info|debug)? -service:" CONTROL_LOG_AREAS \
		"? -session:text? -message:text? " \
		"-since:time? -until:time?", \
		"time:time level:text service:text session:text message:text text:text", \
		"Lines of the log, oldest first.") \
	X(trace, "trace", "trace", QUEUE_VIEW, G0, ROWS, \
		"message:text? -from:text? -to:text? -since:time? -steps:flag?", \
		"time:time id:text from:text to:list size:size result:text -subject:text -because:text " \
		"-message_id:text -session:text -steps:list", \
		"Where a message went, and why; with an id, step by step.") \
	X(explain, "explain", "explain", QUEUE_VIEW, G0, OBJECT, \
		CONTROL_EXPLAIN_PARAMS, \
		"asked:text steps:list copies:list more:number refused:list reply:text", \
		"What would happen to a message, step by step, changing nothing.") \
	X(clock_advance, "clock.advance", "clock advance", CONFIG_EDIT, G1, DONE, "by:duration", "", \
		"Move the server's idea of now; only with testing.clock in the configuration.")

#define CONTROL_METHODS_USERS(X) \
	X(user_list, "user.list", "user list", QUEUE_VIEW, G0, ROWS, "", \
		"flags:text name:text group:text inbox:number size:size quota_mb:number last_login:time " \
		"comment:text -store_forward_address:text -store_forward_server:text", \
		"Users, *OUTQUEUE first; flags: a admin, r autoreply, f forward, s assistant, m monitored, L locked, - off.") \
	X(user_show, "user.show", "user show", QUEUE_VIEW, G0, OBJECT, "name:name", "", \
		"All fields of a user; the names are the keys of `user set`.") \
	X(user_add, "user.add", "user add", CONFIG_EDIT, G1, DONE, \
		"name:name -admin:flag? -quota:count? -comment:text? -group:name? -welcome:flag? " \
		"-no_welcome:flag? -password:secret", "", \
		"Add a user; the quota is in MB. At a terminal he is written a welcome message.") \
	X(user_set, "user.set", "user set", CONFIG_EDIT, G1, DONE, \
		"name:name keys:keys -password:secret?", "", \
		"Set fields of a user; with --password-stdin the password is that of the account in " \
		"store_forward_server=ACCOUNT@HOST, sealed in the store.") \
	X(user_remove, "user.remove", "user remove", CONFIG_EDIT, G2, DONE, \
		"names:targets -keep_references:flag?", "", \
		"Remove users; their mailboxes stay in the bin for users.bin_keep.") \
	X(user_rename, "user.rename", "user rename", CONFIG_EDIT, G2, DONE, \
		"name:name new_name:name", "", "Give a user another name.") \
	X(user_passwd, "user.passwd", "user passwd", CONFIG_EDIT, G1, DONE, \
		"name:name -password:secret", "", "Set a user's password.") \
	X(user_unlock, "user.unlock", "user unlock", CONFIG_EDIT, G1, DONE, "names:targets", "", \
		"Forget the failed logins that locked users.") \
	X(user_legacy, "user.legacy", "user legacy", CONFIG_EDIT, G2, DONE, \
		"name:name mechanism:choice(apop|cram-md5) state:choice(on|off)", "", \
		"Make a password of our own for APOP or CRAM-MD5 alone, shown this once; off erases it.") \
	X(apppass_list, "apppass.list", "apppass list", CONFIG_EDIT, G0, ROWS, "user:name", \
		"id:text label:text protocols:list created:time last_used:time last_by:text", \
		"A user's app passwords: one a device, for mail programs alone.") \
	X(apppass_add, "apppass.add", "apppass add", CONFIG_EDIT, G1, DONE, \
		"user:name label:text -protocols:text?", "", \
		"Make an app password, shown this once; for `pop3,imap` or so, else pop3,imap,smtp,ldap.") \
	X(apppass_remove, "apppass.remove", "apppass remove", CONFIG_EDIT, G1, DONE, \
		"user:name labels:targets", "", \
		"Revoke app passwords by label or number; undo lets them in again.") \
	X(user_recount, "user.recount", "user recount", CONFIG_EDIT, G1, DONE, "names:targets", "", \
		"Count the messages of users and their sizes anew.") \
	X(user_bulk, "user.bulk", "user bulk", CONFIG_EDIT, G2, DONE, \
		"file:fd(read) -welcome:flag?", "", \
		"Add many users: a line is NAME PASSWORD [COMMENT], a password with blanks in double quotes.") \
	X(user_import, "user.import", "user import", CONFIG_EDIT, G2, DONE, \
		"file:fd(read) -replace:flag? -welcome:flag?", "", \
		"Merge users from a file as `user export` writes it; --replace removes the others.") \
	X(user_export, "user.export", "user export", CONFIG_EDIT, G0, DONE, \
		"-csv:flag? -titles:flag? -verbose:flag? -passwords:flag? -out:fd(write)", "", \
		"Write all users, one JSON object a line, or as CSV of 2 columns, with --verbose 13; " \
		"--passwords adds one, of hashes.") \
	X(group_list, "group.list", "group list", QUEUE_VIEW, G0, ROWS, "", \
		"name:text members:list role:text enabled:flag comment:text", "Groups.") \
	X(group_show, "group.show", "group show", QUEUE_VIEW, G0, OBJECT, "name:name", "", \
		"All fields of a group; the names are the keys of `group set`.") \
	X(group_add, "group.add", "group add", CONFIG_EDIT, G1, DONE, "name:name members:list?", "", \
		"Add a group with these members.") \
	X(group_set, "group.set", "group set", CONFIG_EDIT, G1, DONE, "name:name keys:keys", "", \
		"Set fields of a group; three-way values are on, off, unset; also name=, members=a;b.") \
	X(group_remove, "group.remove", "group remove", CONFIG_EDIT, G2, DONE, \
		"names:targets -keep_references:flag?", "", \
		"Remove groups; their members stay, and what points at them goes along.") \
	X(mapping_list, "mapping.list", "mapping list", QUEUE_VIEW, G0, ROWS, "", \
		"address:text target:text when:text collect:text comment:text -id:text", \
		"Mappings of address patterns to targets.") \
	X(mapping_add, "mapping.add", "mapping add", CONFIG_EDIT, G1, DONE, \
		"address:text target:text -when:choice(always|pop3|smtp|sender)? -collect:name? " \
		"-comment:text?", "", "Map an address pattern to a target.") \
	X(mapping_set, "mapping.set", "mapping set", CONFIG_EDIT, G1, DONE, \
		"address:text target:text keys:keys", "", \
		"Change a mapping: address=, target=, when=, collect=, comment=.") \
	X(mapping_remove, "mapping.remove", "mapping remove", CONFIG_EDIT, G1, DONE, \
		"address:text target:text?", "", \
		"Remove the mappings of an address pattern, or the one to this target.") \
	X(mapping_test, "mapping.test", "mapping test", QUEUE_VIEW, G0, OBJECT, \
		"address:text -from:text? -auth:name? -via:choice(smtp|lmtp|pop3|local)? -collect:name?", \
		"address:text matched:list targets:list more:number reply:text reasons:list ways:list", \
		"Where an address goes, and why; by each way that mail can come.") \
	X(mapping_import, "mapping.import", "mapping import", CONFIG_EDIT, G2, DONE, \
		"file:fd(read) -replace:flag? -skip_bad:flag?", "", \
		"Add mappings from lines \"address,target\"; --replace removes the others, and with a bad " \
		"line changes nothing, unless --skip-bad.") \
	X(mapping_export, "mapping.export", "mapping export", QUEUE_VIEW, G0, DONE, \
		"-full:flag? -out:fd(write)", "", \
		"Write all mappings as lines \"address,target\" that `mapping import` reads; --full adds " \
		"when, collect and comment.")

#define CONTROL_MAILLIST_KINDS "choice(distribution|forwarding|mailing)"

#define CONTROL_METHODS_MAILLISTS(X) \
	X(maillist_list, "maillist.list", "maillist list", QUEUE_VIEW, G0, ROWS, "", \
		"name:text kind:text members:number comment:text -builtin:flag", \
		"Lists, and groups, which are lists too; the built-in ones first.") \
	X(maillist_show, "maillist.show", "maillist show", QUEUE_VIEW, G0, OBJECT, "name:name", "", \
		"All fields of a list and its first members; the names are the keys of `maillist set`.") \
	X(maillist_members, "maillist.members", "maillist members", QUEUE_VIEW, G0, ROWS, \
		"name:name", "member:text kind:text added:time", \
		"Every member of a list, and what each is: user, group, list, address, nobody.") \
	X(maillist_add, "maillist.add", "maillist add", CONFIG_EDIT, G1, DONE, \
		"name:name -kind:" CONTROL_MAILLIST_KINDS " -member:list? -comment:text?", "", \
		"Add a list; a forwarding has one member.") \
	X(maillist_set, "maillist.set", "maillist set", CONFIG_EDIT, G1, DONE, "name:name keys:keys", \
		"", "Change a list: name=, kind=, comment=, members=a;b (these and no others).") \
	X(maillist_remove, "maillist.remove", "maillist remove", CONFIG_EDIT, G2, DONE, \
		"names:targets -keep_references:flag?", "", \
		"Remove lists; what points at them goes along.") \
	X(maillist_member, "maillist.member", "maillist member", CONFIG_EDIT, G1, DONE, \
		"name:name act:choice(add|remove) members:list", "", \
		"Add members to a list or group, or take them out of it.") \
	X(maillist_import, "maillist.import", "maillist import", CONFIG_EDIT, G2, DONE, \
		"file:fd(read) -skip_to:text? -remove_to:text? -replace:flag?", "", \
		"Add forwardings from lines \"name address\"; leave out those to a domain or address, and " \
		"remove what is there to it; --replace changes those of the same name.") \
	X(maillist_export, "maillist.export", "maillist export", QUEUE_VIEW, G0, DONE, \
		"-out:fd(write)", "", "Write all forwardings as lines that `maillist import` reads.")

#define CONTROL_METHODS_MESSAGES(X) \
	X(message_list, "message.list", "message list", CONFIG_EDIT, G0, ROWS, \
		"user:text -folder:text?", \
		"uid:number from:text subject:text date:time size:size flags:list held:flag", \
		"Messages of a folder, INBOX where none is named.") \
	X(message_show, "message.show", "message show", MESSAGE_READ, G0, OBJECT, \
		"user:text uid:count -folder:text? -part:text? -out:fd(write)?", \
		"uid:number from:text to:list subject:text date:time size:size flags:list held:flag " \
		"header:text body:text truncated:flag text:text parts:list", \
		"A message, its text decoded; --out FILE takes it byte by byte, with --part NUMBER one part " \
		"decoded.  Each reading is audited.") \
	X(message_hold, "message.hold", "message hold", CONFIG_EDIT, G1, DONE, \
		"user:text uids:targets -folder:text?", "", "Hide messages from their reader.") \
	X(message_release, "message.release", "message release", CONFIG_EDIT, G1, DONE, \
		"user:text uids:targets -folder:text?", "", "Show held messages again.") \
	X(message_move, "message.move", "message move", CONFIG_EDIT, G2, DONE, \
		"user:text uids:targets -folder:text? -to_folder:text? -to_user:name? -routed:flag?", "", \
		"Move messages to another folder or user; a folder that is not there is made; " \
		"--routed: to the user as new mail, by his assistants and forwarding.") \
	X(message_copy, "message.copy", "message copy", CONFIG_EDIT, G2, DONE, \
		"user:text uids:targets -folder:text? -to_folder:text? -to_user:name? -routed:flag?", "", \
		"Copy messages to another folder or user; a folder that is not there is made; " \
		"--routed: to the user as new mail, by his assistants and forwarding.") \
	X(message_remove, "message.remove", "message remove", CONFIG_EDIT, G2, DONE, \
		"user:text uids:targets -folder:text?", "", "Put messages into the bin.") \
	X(message_purge, "message.purge", "message purge", CONFIG_EDIT, G3, DONE, \
		"user:text ids:targets -folder:text?", "", \
		"Remove messages of the bin for good; with --folder those of a folder, past the bin.") \
	X(message_bin, "message.bin", "message bin", CONFIG_EDIT, G0, ROWS, "user:text", \
		"id:text folder:text from:text subject:text size:size removed:time until:time", \
		"What is in a user's bin.") \
	X(message_bins, "message.bins", "message bins", CONFIG_EDIT, G0, ROWS, "", \
		"user:text messages:number size:size oldest:time until:time", \
		"The bins that hold anything: whose, how much, and when its oldest message came there and " \
		"goes for good.") \
	X(message_restore, "message.restore", "message restore", CONFIG_EDIT, G1, DONE, \
		"user:text ids:targets", "", "Put messages of the bin back where they were.") \
	X(message_import, "message.import", "message import", CONFIG_EDIT, G2, DONE, \
		"user:text file:fd(read|dir) -folder:text?", "", \
		"Add messages from an mbox, an .eml file or a maildir.") \
	X(message_send, "message.send", "message send", CONFIG_EDIT, G2, DONE, \
		"names:list -subject:text -text:text? -message:fd(read)?", "", \
		"Write to users, groups and lists as the Main Administrator; the text is a file, or --text.")

#define CONTROL_METHODS_FOLDERS(X) \
	X(folder_list, "folder.list", "folder list", CONFIG_EDIT, G0, ROWS, "user:text? -shared:flag?", \
		"folder:text use:text messages:number unseen:number size:size subscribed:flag " \
		"shared:list -user:text -own_seen:flag -rights:text -held:number -deleted:number -id:text " \
		"-uidvalidity:number -uidnext:number -modseq:number", \
		"Folders of a user, with --shared those of others that he may see; without a user those " \
		"in Shared/, which nobody owns.") \
	X(folder_add, "folder.add", "folder add", CONFIG_EDIT, G1, DONE, \
		"user:text folder:text -use:choice(sent|drafts|trash|junk|archive)? " \
		"-no_subscribe:flag?", "", \
		"Make a folder; one that begins with Shared/ is nobody's, USER `Shared/` may stand for the user.") \
	X(folder_rename, "folder.rename", "folder rename", CONFIG_EDIT, G2, DONE, \
		"user:text folder:text new_name:text", "", \
		"Give a folder another name; what lies below it moves along.") \
	X(folder_remove, "folder.remove", "folder remove", CONFIG_EDIT, G2, DONE, \
		"user:text folders:targets", "", \
		"Remove folders; their messages lie in the bin for users.bin_keep, what is below stays.") \
	X(folder_undelete, "folder.undelete", "folder undelete", CONFIG_EDIT, G2, DONE, \
		"user:text folder:text?", "", \
		"Bring back from the bin what was in a folder and below it, with the folder where it is " \
		"gone; without one, all.") \
	X(folder_set, "folder.set", "folder set", CONFIG_EDIT, G1, DONE, \
		"user:text folder:text keys:keys", "", \
		"Change a folder: use=sent|drafts|trash|junk|archive|none, own_seen=yes|no (everybody " \
		"who shares it has a \\Seen of his own).") \
	X(folder_rights, "folder.rights", "folder rights", CONFIG_EDIT, G0, ROWS, \
		"user:text folder:text", "who:text rights:text meaning:text kind:text", \
		"Who may do what in a folder; a '-' in front: what is denied.") \
	X(folder_share, "folder.share", "folder rights", CONFIG_EDIT, G1, DONE, \
		"user:text folder:text who:text rights:text", "", \
		"Give rights in a folder: WHO is a user, group:NAME or anyone, with '-' in front of it they " \
		"are denied; RIGHTS letters of lrswipkxtea, +letters, -letters, all or none.") \
	X(folder_subscribe, "folder.subscribe", "folder subscribe", CONFIG_EDIT, G1, DONE, \
		"user:text folders:targets", "", "Let a user's mail programs show folders.") \
	X(folder_unsubscribe, "folder.unsubscribe", "folder unsubscribe", CONFIG_EDIT, G1, DONE, \
		"user:text folders:targets", "", "Let a user's mail programs no longer show folders.") \
	X(folder_recount, "folder.recount", "folder recount", CONFIG_EDIT, G1, DONE, "user:text", "", \
		"Count the messages of a user's folders and their sizes anew.")

#define CONTROL_METHODS_QUEUE(X) \
	X(queue_list, "queue.list", "queue list", QUEUE_VIEW, G0, ROWS, "", \
		"id:text state:text age:duration next_try:time size:size sender:text " \
		"recipients:list last_error:text -tries:number -subject:text -via:text -user:text " \
		"-route:list", \
		"Waiting messages, the next due first.") \
	X(queue_show, "queue.show", "queue show", QUEUE_VIEW, G0, OBJECT, "id:text", "", \
		"One waiting message with its recipients and tries.") \
	X(queue_message, "queue.message", "queue message", MESSAGE_READ, G0, OBJECT, \
		"id:text -part:text? -out:fd(write)?", \
		"id:text from:text to:list subject:text date:time size:size header:text body:text " \
		"truncated:flag text:text parts:list", \
		"What a waiting message says; --out FILE takes it byte by byte, with --part NUMBER one part " \
		"decoded.  Each reading is audited.") \
	X(queue_hold, "queue.hold", "queue hold", QUEUE_OPERATE, G1, DONE, "ids:targets", "", \
		"Keep messages from being sent until they are released.") \
	X(queue_release, "queue.release", "queue release", QUEUE_OPERATE, G1, DONE, "ids:targets", "", \
		"Send held messages when they are due.") \
	X(queue_retry, "queue.retry", "queue retry", QUEUE_OPERATE, G1, DONE, \
		"ids:targets -wait:flag?", "", \
		"Try now; --wait returns when nothing is due any more or 60 s have passed.") \
	X(queue_remove, "queue.remove", "queue remove", QUEUE_OPERATE, G2, DONE, "ids:targets", "", \
		"Put messages into the bin for queue.bin_keep; no bounces are sent.") \
	X(queue_bounce, "queue.bounce", "queue bounce", QUEUE_OPERATE, G3, DONE, "ids:targets", "", \
		"Give messages up now: the open recipients leave the queue, and the senders get reports.") \
	X(queue_redirect, "queue.redirect", "queue redirect", QUEUE_OPERATE, G2, DONE, \
		"ids:targets keys:keys", "", "Send elsewhere: to=ADDRESS or route=NAME.")


#define CONTROL_METHODS_SERVER(X) \
	X(config_show, "config.show", "config show", CONFIG_EDIT, G0, ROWS, "", \
		"key:text value:text default:flag needs:text -help:text -type:text", \
		"Every setting with its value; secrets are masked.") \
	X(config_get, "config.get", "config get", CONFIG_EDIT, G0, OBJECT, "key:text", \
		"value:text -key:text -default:flag -text:text", \
		"The value of a setting; text is how the file writes it.") \
	X(config_texts, "config.texts", "config texts", CONFIG_EDIT, G0, ROWS, "", \
		"category:text key:text text:text placeholders:text default:flag -help:text", \
		"The texts that the server writes to people, by category; `config set KEY TEXT` changes one, and an " \
		"empty text stands for the server's own words.") \
	X(config_set, "config.set", "config set", CONFIG_EDIT, G2, DONE, \
		"key:text value:text -confirm:flag?", "", \
		"Change a setting in the file and in the server; lists are given as JSON.") \
	X(config_change, "config.change", "config change", CONFIG_EDIT, G2, DONE, \
		"keys:keys -confirm:flag?", "", \
		"Change several settings in one step: KEY=VALUE..., KEY= for its default.") \
	X(config_unset, "config.unset", "config unset", CONFIG_EDIT, G2, DONE, "key:text", "", \
		"Take a setting out of the file: its default holds again.") \
	X(config_file, "config.file", "config file", CONFIG_EDIT, G0, OBJECT, "", "path:text", \
		"Where the configuration file lies that this server reads.") \
	X(config_edit, "config.edit", "config edit", CONFIG_EDIT, G2, DONE, \
		"-file:fd(read)? -read:text? -confirm:flag?", "", \
		"Edit the configuration file: the command line opens it in $EDITOR, has what is saved checked, shows what " \
		"differs and puts it in force. With --file no editor: that text, of at most 1 MiB, takes the file's place " \
		"if the file still has the mark --read, the 32 digits that its hash has.") \
	X(config_check, "config.check", "config check", CONFIG_EDIT, G0, FAULTS, "file:fd(read)?", \
		"line:number column:number key:text what:text warning:flag", \
		"Check the configuration file, or another one, and name every fault, and what is " \
		"odd but taken (warning).") \
	X(config_diff, "config.diff", "config diff", CONFIG_EDIT, G0, TEXT, "id:text?", "", \
		"What a change altered, or how the file differs from what is in force.") \
	X(config_history, "config.history", "config history", CONFIG_EDIT, G0, ROWS, "", \
		"id:text time:time who:text what:text undone:flag", "Changes of the file, newest first.") \
	X(config_undo, "config.undo", "config undo", CONFIG_EDIT, G2, DONE, "id:text?", "", \
		"Take back a change of the file; without an id the last one.") \
	X(secret_list, "secret.list", "secret list", CONFIG_EDIT, G0, ROWS, "", \
		"name:text changed:time bytes:size", \
		"Names of the sealed secrets of the configuration; never what they are.") \
	X(secret_set, "secret.set", "secret set", CONFIG_EDIT, G1, DONE, \
		"name:name -password:secret", "", \
		"Seal a secret in the store, for {sealed: NAME} in the file.") \
	X(secret_remove, "secret.remove", "secret remove", CONFIG_EDIT, G2, DONE, "names:targets", "", \
		"Remove sealed secrets.") \
	X(backup, "backup", "backup", CONFIG_EDIT, G1, DONE, "dir:fd(dir)", "", \
		"Copy the store into an empty folder while mail flows.") \
	X(store_check, "store.check", "check", CONFIG_EDIT, G0, FAULTS, "-repair:flag?", \
		"what:text where:text why:text repaired:flag", \
		"Check every reference, counter and checksum of the store. Where no server answers, postroomd does it; " \
		"--repair, which mends what it can, wants it so.") \
	X(search_status, "search.status", "search status", STATUS_VIEW, G0, OBJECT, "", \
		"state:text messages:number behind:number words:number runs:number bytes:size written:size " \
		"merges:number", \
		"How far the index of words is, by which IMAP searches text.") \
	X(search_rebuild, "search.rebuild", "search rebuild", CONFIG_EDIT, G1, DONE, "", "", \
		"Throw the index of words away and make it anew, while searches read the messages.") \
	X(undo_list, "undo.list", "undo list", CONFIG_EDIT, G0, ROWS, "", \
		"id:text time:time who:text what:text object:text state:text", \
		"Changes with their state: can undo, undone, too old, cannot.") \
	X(undo_preview, "undo.preview", "undo preview", CONFIG_EDIT, G0, OBJECT, "id:text?", \
		"token:text id:text what:text who:text effects:list clashes:list", \
		"What taking a change back would do.") \
	X(undo_apply, "undo.apply", "undo", QUEUE_OPERATE, G1, DONE, "id:text?", "", \
		"Take back a change; without an id the caller's last one.")

#define CONTROL_METHODS(X) \
	CONTROL_METHODS_SESSION(X) \
	CONTROL_METHODS_LISTS(X) \
	CONTROL_METHODS_STATUS(X) \
	CONTROL_METHODS_USERS(X) \
	CONTROL_METHODS_MAILLISTS(X) \
	CONTROL_METHODS_FOLDERS(X) \
	CONTROL_METHODS_MESSAGES(X) \
	CONTROL_METHODS_QUEUE(X) \
	CONTROL_METHODS_ROUTES(X) \
	CONTROL_METHODS_CONNECT(X) \
	CONTROL_METHODS_COLLECTORS(X) \
	CONTROL_METHODS_COLLECT(X) \
	CONTROL_METHODS_JOURNAL(X) \
	CONTROL_METHODS_DKIM(X) \
	CONTROL_METHODS_COPIES(X) \
	CONTROL_METHODS_DOWNLOAD(X) \
	CONTROL_METHODS_SERVER(X)

#endif
