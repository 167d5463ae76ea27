/*
 * login_notes.h - when and from where users logged in, on its way into the store.
 *
 * A good login is noted at most once a minute for each user and protocol, and gathers with others for a
 * second, so that programs that poll cost no commit each. What is not yet written when the process
 * ends is lost: nobody was promised it.
 */
#ifndef SERVER_SESSION_LOGIN_NOTES_H
#define SERVER_SESSION_LOGIN_NOTES_H

#include "server/net/peer.h"
#include "store/users.h"

struct host;
struct login_notes;

#define LOGIN_NOTES_MAX 256 /* that wait on one loop; more are not noted */
#define LOGIN_NOTES_EVERY_MS (60 * 1000)
#define LOGIN_NOTES_GATHER_MS 1000

/* On the loop of HOST. APP_ID: of the app password that it was, or 0. */
void login_note(struct host *host, uint64_t user_id, enum user_protocol protocol,
	const struct peer *peer, uint64_t app_id);
/* With the host, when the store is closed. May be NULL. */
void login_notes_close(struct login_notes **notes);

/* What is kept of a good password and is not as the settings ask for (H63). */
struct login_renewed {
	struct span hash; /* empty: it stays as it is */
	struct span scram;
	bool renews_scram; /* else that stays */
};
void login_renew(struct host *host, uint64_t user_id, uint64_t revision,
	const struct login_renewed *renewed);

#endif
