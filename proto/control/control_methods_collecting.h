/*
 * control_methods_collecting.h - rows of control_methods.h, which says what they mean: mail that is fetched.
 */
#ifndef PROTO_CONTROL_CONTROL_METHODS_COLLECTING_H
#define PROTO_CONTROL_CONTROL_METHODS_COLLECTING_H

/* Of the configuration file. */
#define CONTROL_METHODS_COLLECTORS(X) \
	X(collect_add, "collect.add", "collect add", CONFIG_EDIT, G1, DONE, \
		"name:name keys:keys -password:secret?", "", \
		"Add a mailbox that is fetched: kind=pop3|imap|spool|smtp server=HOST port=N " \
		"tls=none|starttls|implicit username= accepted=a;b route=recipient|all|lan|single|subject " \
		"target= leave_days=N connections=a;b, ...; with --password-stdin its password is sealed in " \
		"the store.") \
	X(collect_set, "collect.set", "collect set", CONFIG_EDIT, G1, DONE, \
		"name:name keys:keys? -same_mailbox:flag? -password:secret?", "", \
		"Change keys of a collector as docs/settings.md names them; lists a;b; KEY= for its default; " \
		"name=NEW renames it, and what was fetched stays known. At another server, port or user nothing is " \
		"known, unless --same-mailbox says that it is the mailbox of before.") \
	X(collect_remove, "collect.remove", "collect remove", CONFIG_EDIT, G2, DONE, "names:targets", "", \
		"Remove collectors and their sealed passwords; what they fetched stays known for 30 days.") \
	X(collect_on, "collect.on", "collect on", CONFIG_EDIT, G1, DONE, "names:targets", "", \
		"Let collectors be contacted again.") \
	X(collect_off, "collect.off", "collect off", CONFIG_EDIT, G1, DONE, "names:targets", "", \
		"No start contacts these collectors any more; one under way ends.")

/*
 * What they do. Of `collect now --wait` the reply has besides fetched, left, deleted, failed: messages;
 * bytes; and errors: one line each, behind "NAME: " where several were meant.
 */
#define CONTROL_METHODS_COLLECT(X) \
	X(collect_list, "collect.list", "collect list", QUEUE_VIEW, G0, ROWS, "", \
		"place:number name:text state:text server:text user:text route:text every:duration " \
		"leave_days:number last:time next:time fetched:number error:text -kind:text -enabled:flag " \
		"-target:text -connections:list -began:time -because:text -left:number -deleted:number " \
		"-failed:number -bytes:size -to_fetch:number -to_fetch_bytes:size", \
		"Collectors in file order, which is their InMail number: what each does, when it did and will, " \
		"and figures of the collection under way, else of the last one.") \
	X(collect_show, "collect.show", "collect show", QUEUE_VIEW, G0, OBJECT, "name:name", "", \
		"All keys of a collector, and how it does; the names are the keys of `collect set`.") \
	X(collect_test, "collect.test", "collect test", QUEUE_OPERATE, G0, FAULTS, \
		"name:name -message:fd(read)?", \
		"step:text result:text state:text -warning:flag", \
		"Log in as a collector does and leave again, step by step: nothing is fetched or removed. With " \
		"--message FILE nobody is asked: for whom that message would be, and what looked at it.") \
	X(collect_now, "collect.now", "collect now", CONNECT_START, G1, DONE, \
		"names:targets? -all:flag? -wait:flag?", "", \
		"Collect by these collectors, or by --all that are enabled; --wait returns when they are done " \
		"and says what came of it, with exit status 1 where something failed.") \
	X(collect_stop, "collect.stop", "collect stop", CONNECT_START, G1, DONE, \
		"names:targets? -all:flag? -wait:flag?", "", \
		"End collections: what is being stored is finished, the rest stays on the server.")

#endif
