/*
 * control_methods_journal.h - rows of control_methods.h, which says what they mean: the journal.
 */
#ifndef PROTO_CONTROL_CONTROL_METHODS_JOURNAL_H
#define PROTO_CONTROL_CONTROL_METHODS_JOURNAL_H

#define CONTROL_METHODS_JOURNAL(X) \
	X(journal_set, "journal.set", "journal set", CONFIG_EDIT, G1, DONE, \
		"keys:keys? -password:secret?", "", \
		"Set the journal: internal=USER external=ADDRESS server=HOST:PORT tls=none|starttls|implicit " \
		"username= format=report|plain seats_internal=N|unlimited seats_external= internal_list=a;b " \
		"receive=a;b receive_from=a;b; KEY= for its default; with --password-stdin its password is " \
		"sealed in the store.") \
	X(journal_show, "journal.show", "journal show", QUEUE_VIEW, G0, OBJECT, "", \
		"internal:text external:text server:text tls:text username:text format:text " \
		"seats_internal:text seats_external:text internal_list:list receive:list receive_from:list " \
		"used_internal:number free_internal:number used_external:number free_external:number", \
		"Where the journal's copies go, and how many seats are used and free.") \
	X(journal_seats, "journal.seats", "journal seats", QUEUE_VIEW, G0, ROWS, "", \
		"address:text kind:text since:time last:time", \
		"The addresses that the journal covers: internal or external, since when, and their last " \
		"message, to the hour.") \
	X(journal_release, "journal.release", "journal release", CONFIG_EDIT, G1, DONE, \
		"addresses:targets", "", \
		"Take seats back; an address whose mail is recorded again takes another, if one is free.")

#endif
