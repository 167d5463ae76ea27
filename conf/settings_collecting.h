/*
 * settings_collecting.h - rows of settings.h about mail that is fetched; those of each collector are in
 * settings_items.h.
 */
#ifndef CONF_SETTINGS_COLLECTING_H
#define CONF_SETTINGS_COLLECTING_H

#define SETTINGS_COLLECTING(X)                                                                     \
	X(collectors, "collecting.collectors", COLLECTORS, 0, 1000, "[]", "", RELOAD,              \
		"Mailboxes elsewhere that are fetched.")                                           \
	X(collecting_disk_spare, "collecting.disk_spare", SIZE, 0, INT64_C(1) << 50, "5MB", "bytes", \
		NOTHING, "Room on the disk, besides its size, that a message is fetched with (INM-25).")   \
	X(collecting_disk_spare_unknown, "collecting.disk_spare_unknown", SIZE, 0, INT64_C(1) << 50, \
		"15MB", "bytes", NOTHING, "So much more where sizes are not known beforehand (INM-25).")   \
	X(collecting_ignore_message_id, "collecting.ignore_message_id", BOOL, 0, 0, "no", "", NOTHING, \
		"Doubles may have different Message-Ids (IgnoreMessageIdForDuplicates, INM-21).")          \
	X(collecting_unknown_do, "collecting.unknown.do", CHOICE, 0, 0, "mail",                    \
		"mail|error|remote", NOTHING, "What becomes of mail for unknown names (ADM-02).")  \
	X(collecting_unknown_to, "collecting.unknown.to", ADDRESS, 0, 254, "", "", NOTHING,        \
		"Who gets it; empty: the Main Administrator.")                                     \
	X(collecting_unknown_bounce, "collecting.unknown.bounce", BOOL, 0, 0, "no", "", NOTHING,   \
		"Tell the sender too.")                                                            \
	X(collecting_unknown_text, "collecting.unknown.bounce_text", LINES, 0, 10000, "", "",       \
		NOTHING, "Text of that notice, and of the one for names unknown here (SMT-12); "           \
		"%1: the address, %2: the default domain (ADM-06).")                                                   \
	X(collecting_query_delay_ms, "collecting.query_delay", DURATION, 0, YEARS_MS, "7d",        \
		"time", NOTHING, "How long an asked recipient has to answer (DLR-07).")

#endif
