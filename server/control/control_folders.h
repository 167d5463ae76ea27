/*
 * control_folders.h - which folder USER and FOLDER of a command mean.
 *
 * FOLDER is a name as a mail program shows it to that user (imap_place.h): "Sent", "Shared/sales",
 * "Other users/anna/Sent". USER "Shared/" stands for nobody's folders, so that "sales" is one too.
 */
#ifndef SERVER_CONTROL_CONTROL_FOLDERS_H
#define SERVER_CONTROL_CONTROL_FOLDERS_H

#include "server/control/control_call.h"
#include "store/folders.h"
#include "store/users.h"

struct control_place {
	uint64_t user_id;   /* of the owner; FOLDER_OWNER_SHARED */
	struct span owner;  /* his name; "Shared/" */
	struct span folder; /* as the store has it */
	struct user asker;  /* USER; user_id 0 where that is "Shared/" */
};

/* Texts in the call's arena. Fails the call where there is no such user or the name is none. */
MUST_CHECK enum err control_place_find(struct control_call *call, struct snapshot *snap,
	struct span user, struct span name, struct control_place *out);
/* The same and the folder, which must be there. */
MUST_CHECK enum err control_place_folder(struct control_call *call, struct snapshot *snap,
	struct span user, struct span name, struct control_place *place, struct folder *out);
/*
 * For `each`: nothing fails; call->skip_why says what is wrong. FOLDER may be NULL.
 */
MUST_CHECK enum err control_place_each(struct control_call *call, struct snapshot *snap,
	struct span name, struct control_place *place, struct folder *folder);

/* The name that USER of the call sees it by; in the call's arena. */
struct span control_place_name(
	struct control_call *call, const struct control_place *place, struct span folder);
/* Does USER stand for the folders that nobody owns? */
bool control_is_shared(struct span user);

/* "sent", "drafts" ... or empty; and the bits of a word, 0 where it is none. */
struct span control_folder_use(uint32_t attributes);
uint32_t control_folder_use_bit(struct span word);
#define CONTROL_FOLDER_USES "sent|drafts|trash|junk|archive"

/* "lrs", in A. */
struct span control_rights_text(struct arena *a, uint32_t rights);

/* What is wrong with a new name; NULL: another error. Static text. */
const char *control_folder_name_why(enum err err);

#endif
