/*
 * settings_copies.h - rows of settings.h about copies of mail: the journal.
 */
#ifndef CONF_SETTINGS_COPIES_H
#define CONF_SETTINGS_COPIES_H

#define SETTINGS_JOURNAL(X)                                                                        \
	X(journal_internal, "journal.internal", TEXT, 0, 254, "", "", NOTHING,                     \
		"User whose mailbox gets a copy of all mail, for a collector that fetches it by "  \
		"POP3 (JRN-02); empty: none.")                                                     \
	X(journal_external, "journal.external", ADDRESS, 0, 254, "", "", NOTHING,                  \
		"Address that copies of all mail are sent to (JRN-03); empty: none.")              \
	X(journal_server, "journal.server", TEXT, 0, 263, "", "host:port", NOTHING,                \
		"The server that takes them there; port 25 where none is given.")                  \
	X(journal_tls, "journal.tls", CHOICE, 0, 0, "starttls", "none|starttls|implicit", NOTHING, \
		"How: starttls never falls back to clear text, implicit verifies the certificate.") \
	X(journal_username, "journal.username", TEXT, 0, 255, "", "", NOTHING, "Empty: no AUTH.")  \
	X(journal_password, "journal.password", SECRET, 0, 256, "", "", NOTHING, "Its password.")  \
	X(journal_format, "journal.format", CHOICE, 0, 0, "report", "report|plain", NOTHING,       \
		"report: a message with the envelope that holds the original, as Exchange writes "  \
		"it; plain: the original behind X-Envelope lines (Q-36).")                         \
	X(journal_seats_internal, "journal.seats_internal", SEATS, 0, COUNT_MAX, "unlimited",      \
		"addresses", NOTHING, "Internal addresses that may be covered (JRN-07).")          \
	X(journal_seats_external, "journal.seats_external", SEATS, 0, COUNT_MAX, "unlimited",      \
		"addresses", NOTHING, "External addresses that may be covered.")                   \
	X(journal_internal_list, "journal.internal_list", PATTERNS, 0, 10000, "[]", "", NOTHING,   \
		"Domains and addresses that count as internal (JRN-06); empty: domains.local.")    \
	X(journal_receive, "journal.receive", PATTERNS, 0, 1000, "[]", "", NOTHING,                \
		"Addresses at which the journal of another server arrives, for the archive (JRN-04).") \
	X(journal_receive_from, "journal.receive_from", ACCESS, 0, 1000, "[]", "", NOTHING,        \
		"Who may deliver there, as access lines; empty: nobody.")

#endif
