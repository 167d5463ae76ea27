/*
 * monitor_who.h - whose mail a message is, for monitoring (MON-02, MON-03, MON-09).
 */
#ifndef SERVER_PIPELINE_MONITOR_WHO_H
#define SERVER_PIPELINE_MONITOR_WHO_H

#include "server/pipeline/pipeline.h"

/*
 * Who sent it: the user who logged in; in a range of ours the user of the From field, which may be forged, or of the
 * return address; from anywhere else nobody (contract 8, H12).
 */
struct monitor_sender {
	uint64_t user_id;  /* 0: no user */
	struct span user;
	bool is_ours;      /* a user, or in a range of ours an address of a local domain (MON-03) */
	const char *by;    /* "login", "From", "return address"; static text */
};
MUST_CHECK enum err monitor_sender_find(
	struct pipeline_ask *ask, const struct plan *plan, struct monitor_sender *out);

/*
 * The first of those whose mail it is, the sender or a user here who gets it, who counts as selected for PROFILE:
 * by its users and groups, or where it names none by Monitor Messages (USR-27). ptr NULL: none. *sent: it is the
 * sender. Time in step with the profile's users and the copies.
 */
MUST_CHECK enum err monitor_selected_find(struct pipeline_ask *ask, const struct plan *plan,
	const struct conf_monitor *profile, const struct monitor_sender *sender, struct span *user);

#endif
