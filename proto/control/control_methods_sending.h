/*
 * control_methods_sending.h - rows of control_methods.h, which says what they mean: how mail leaves.
 */
#ifndef PROTO_CONTROL_CONTROL_METHODS_SENDING_H
#define PROTO_CONTROL_CONTROL_METHODS_SENDING_H

#define CONTROL_METHODS_ROUTES(X) \
	X(route_list, "route.list", "route list", QUEUE_VIEW, G0, ROWS, "", \
		"place:number name:text kind:text servers:list domains:list tls:text -username:text " \
		"waiting:number -oldest:time connections:number sent:number rests_until:time why:text " \
		"-last_sent:time -last_error:text -last_error_time:time", \
		"Ways out in the order in which they are asked, with what waits for each; figures of what " \
		"was sent count from the start of the server.") \
	X(route_show, "route.show", "route show", QUEUE_VIEW, G0, OBJECT, "name:name", "", \
		"All keys of a route, and how it does; the names are the keys of `route set`.") \
	X(route_add, "route.add", "route add", CONFIG_EDIT, G1, DONE, \
		"name:name keys:keys -password:secret?", "", \
		"Add a way out behind the others: kind=relay|direct|spool, servers=HOST:PORT,..., tls=, username=, " \
		"domains=..., max_recipients=, ..., also place=N; with --password-stdin its password is " \
		"sealed in the store.") \
	X(route_set, "route.set", "route set", CONFIG_EDIT, G1, DONE, \
		"name:name keys:keys? -password:secret?", "", \
		"Change keys of a route, KEY= for the default; place=N moves it, for the first that fits is " \
		"taken.") \
	X(route_remove, "route.remove", "route remove", CONFIG_EDIT, G2, DONE, "names:targets", "", \
		"Remove routes and their sealed passwords; what waits for them takes another that fits.") \
	X(route_test, "route.test", "route test", QUEUE_OPERATE, G0, FAULTS, \
		"what:text? -to:text? -from:text?", \
		"step:text result:text state:text -host:text -route:text -warning:flag", \
		"Connect by a route, log in and leave again, step by step; nothing is sent.  WHAT is a " \
		"route, an address, or lan:HOST:PORT; with --to alone it is only said which way an " \
		"address takes.") \
	X(signature_preview, "signature.preview", "signature preview", CONFIG_EDIT, G0, TEXT, \
		"-user:name?", "", \
		"The signatures that go to the Internet, each text as it is added; with a user, " \
		"[attribute] is filled in from his fields.") \
	X(route_destinations, "route.destinations", "route destinations", QUEUE_VIEW, G0, ROWS, \
		"route:text?", \
		"route:text destination:text waiting:number connections:number limit:number " \
		"failures:number rests_until:time why:text -server:text -tls:text", \
		"Where mail is being sent to or was just now: domains of direct routes, relays, LAN servers.") \
	X(route_lan_list, "route.lan.list", "route lan list", QUEUE_VIEW, G0, ROWS, "", \
		"line:number pattern:text server:text rewrite:text conditions:text -text:text", \
		"LAN forwarding rules in force, in the order in which they are asked.") \
	X(route_lan_show, "route.lan.show", "route lan show", QUEUE_VIEW, G0, TEXT, "", "", \
		"The text of the LAN forwarding rules in force.") \
	X(route_lan_apply, "route.lan.apply", "route lan apply", CONFIG_EDIT, G2, DONE, \
		"file:fd(read)", "", \
		"Put a text of LAN forwarding rules in force, in place of those there are; a bad line " \
		"changes nothing.") \
	X(route_lan_check, "route.lan.check", "route lan check", QUEUE_VIEW, G0, FAULTS, \
		"file:fd(read)?", \
		"line:number column:number key:text what:text warning:flag", \
		"Check the file of the LAN forwarding rules, or another text, and name every fault.") \
	X(route_lan_test, "route.lan.test", "route lan test", QUEUE_VIEW, G0, OBJECT, \
		"address:text -from:text? -via:choice(smtp|lmtp|pop3|local)? -auth:name? -collect:name? " \
		"-peer:text?", \
		"address:text forwarded:flag line:number rule:text server:text to:text reasons:list " \
		"reply:text", \
		"Which LAN rule takes an address, and where its mail goes.") \
	X(route_lan_export, "route.lan.export", "route lan export", CONFIG_EDIT, G0, DONE, \
		"-server:text? -domain:text? -out:fd(write)", "", \
		"Write LAN rules for another server that forward every address here to this one.")

#define CONTROL_METHODS_DKIM(X) \
	X(dkim_list, "dkim.list", "dkim list", QUEUE_VIEW, G0, ROWS, "domain:text?", \
		"domain:text selector:text algorithm:text bits:number state:text from:time until:time " \
		"-made:time", \
		"Keys that sign outgoing mail; state is waits, signs or retired.") \
	X(dkim_show, "dkim.show", "dkim show", QUEUE_VIEW, G0, OBJECT, "domain:text selector:text", \
		"domain:text selector:text algorithm:text bits:number state:text made:time from:time " \
		"until:time record:text value:text", \
		"One key with the name and value of its record; never its secret part.") \
	X(dkim_add, "dkim.add", "dkim add", CONFIG_EDIT, G1, DONE, \
		"domain:text -selector:text? -algorithm:choice(both|rsa|ed25519)? -bits:count? -now:flag?", \
		"", "Make keys for a domain, RSA and Ed25519 where none is named; they sign after " \
		"`dkim use`, or --now.") \
	X(dkim_rotate, "dkim.rotate", "dkim rotate", CONFIG_EDIT, G1, DONE, \
		"domain:text -selector:text? -after:duration?", "", \
		"Make keys that follow those of a domain: to be published now, they sign after " \
		"dkim.rotate_after, and the present ones retire at that moment.") \
	X(dkim_use, "dkim.use", "dkim use", CONFIG_EDIT, G1, DONE, "domain:text selector:text?", "", \
		"Sign by this key from now on, or by all of the domain that wait; others of the same " \
		"algorithm retire.") \
	X(dkim_retire, "dkim.retire", "dkim retire", CONFIG_EDIT, G1, DONE, \
		"domain:text selector:text", "", "Let a key sign no more; it stays listed.") \
	X(dkim_remove, "dkim.remove", "dkim remove", CONFIG_EDIT, G2, DONE, \
		"domain:text selectors:targets", "", "Remove keys that do not sign.") \
	X(setup_dns, "setup.dns", "setup dns", QUEUE_VIEW, G0, TEXT, "domain:text? -check:flag?", "", \
		"Every DNS record to publish for a domain, or for all local ones, in the form of a zone " \
		"file; --check asks the resolver and says what is there, missing or wrong.") \
	X(setup_records, "setup.records", "setup records", QUEUE_VIEW, G0, FAULTS, "domain:text?", \
		"name:text type:text state:text why:text -value:text -found:list -domain:text -purpose:text " \
		"-warning:flag", \
		"The records of `setup dns`, asked for one by one: ok, missing, wrong, or nobody could say.")

#define CONTROL_METHODS_CONNECT(X) \
	X(connection_list, "connection.list", "connection list", STATUS_VIEW, G0, ROWS, "", \
		"name:text kind:text state:text primary:flag last:time next:time waiting:number result:text " \
		"because:text why:text -routes:list -online:flag -began:time -failed:flag", \
		"Ways onto the Internet, in file order: when each was last and is next used, what waits " \
		"for it, how the last run ended and what it was made for, and why mail leaves when it does.") \
	X(connection_show, "connection.show", "connection show", QUEUE_VIEW, G0, OBJECT, "name:name", "", \
		"All keys of a connection, and how it does; the names are the keys of `connection set`.") \
	X(connection_now, "connection.now", "connection now", CONNECT_START, G1, DONE, \
		"name:name? -all:flag? -primary:flag? -wait:flag?", "", \
		"Connect: one, --all, or the primary ones; --wait returns when they are done or 10 minutes " \
		"have passed, with exit status 1 where a link did not come up or a collector failed.") \
	X(connection_stop, "connection.stop", "connection stop", CONNECT_START, G1, DONE, \
		"name:name? -all:flag? -primary:flag? -wait:flag?", "", \
		"Hang up one, the primary ones, or all: what is being sent is finished, the rest stays in the " \
		"queue.") \
	X(connection_add, "connection.add", "connection add", CONFIG_EDIT, G1, DONE, \
		"name:name keys:keys -password:secret?", "", \
		"Add a connection: kind=lan|link, up=PROGRAM;ARGUMENT;..., down=, status=, and as `connection " \
		"set`; with --password-stdin its password is sealed in the store.") \
	X(connection_set, "connection.set", "connection set", CONFIG_EDIT, G1, DONE, \
		"name:name keys:keys? -password:secret?", "", \
		"Change keys of a connection as docs/settings.md names them; lists a;b; KEY= for its default; with " \
		"--password-stdin its password.") \
	X(connection_remove, "connection.remove", "connection remove", CONFIG_EDIT, G2, DONE, \
		"names:targets", "", "Remove connections that no route, schedule or collector names, and their sealed passwords.") \
	X(schedule_list, "schedule.list", "schedule list", STATUS_VIEW, G0, ROWS, "", \
		"name:text enabled:flag days:list from:text to:text every:duration at:list connections:list " \
		"next:time", \
		"Schedules with when they fire next; no connections: all primary ones.") \
	X(schedule_next, "schedule.next", "schedule next", STATUS_VIEW, G0, ROWS, \
		"-name:name? -count:count? keys:keys?", \
		"time:time schedule:text connections:list", \
		"The next ten runs, or as many as are asked for; with a name those of one schedule, with keys as " \
		"if `schedule set` had changed them: nothing is.") \
	X(schedule_add, "schedule.add", "schedule add", CONFIG_EDIT, G1, DONE, "name:name keys:keys", "", \
		"Add a schedule: days=mon,tue from=9:00 to=17:00 every=15m, or at=8:00,20:00; connections=a;b.") \
	X(schedule_set, "schedule.set", "schedule set", CONFIG_EDIT, G1, DONE, "name:name keys:keys", "", \
		"Change keys of a schedule, enabled=yes|no among them; KEY= for its default.") \
	X(schedule_modifiers, "schedule.modifiers", "schedule modifiers", STATUS_VIEW, G0, OBJECT, "", \
		"send_immediately:flag skip_if_connected_within:duration connect_after_people:number " \
		"connect_after_people_within:duration follow_clock_changes:flag connect_for_priority:flag drop:text", \
		"What holds for all schedules: what is sent at once, what is skipped, what else connects.") \
	X(schedule_modify, "schedule.modify", "schedule modify", CONFIG_EDIT, G1, DONE, \
		"keys:keys -confirm:flag?", "", \
		"Change what `schedule modifiers` shows, several in one step: send_immediately=no ...; KEY= for its " \
		"default.") \
	X(schedule_remove, "schedule.remove", "schedule remove", CONFIG_EDIT, G2, DONE, "names:targets", \
		"", "Remove schedules.")

#endif
