/*
 * control_items.h - what `add`, `set` and `remove` of items of the configuration file share: connections,
 * schedules, monitoring profiles (control_items.c), collectors (control_collectors.c).
 *
 * A method's `check` calls one of the three; the other steps are those of CONTROL_ITEM_METHOD.
 */
#ifndef SERVER_CONTROL_CONTROL_ITEMS_H
#define SERVER_CONTROL_CONTROL_ITEMS_H

#include "conf/conf.h"
#include "server/control/control_seals.h"
#include "server/control/control_undo.h"

#define ITEM_CHANGES_MAX 110 /* keys of one item, or items that are removed at once */

struct item_kind {
	enum setting_type type;
	const char *list; /* its key in the file */
	const char *what;
	const char *usual; /* which one is meant where its keys have no name=; NULL: the name is a word of its own */
	const char *seals; /* "collector.": names of passwords that --password-stdin gives; NULL: there is no such */
};

struct item_change {
	struct control_config config; /* first: what control_config.c works on */
	const struct item_kind *kind;
	struct conf_change changes[ITEM_CHANGES_MAX + 4];
	size_t count;
	struct span path;     /* of the item: "connections.isp" */
	struct span new_name; /* empty: it keeps its name */
	struct control_seals seals;
	void *more; /* of the kind's own file */
};

/* SIZE_MAX: there is none, and with MUST the call fails. */
size_t control_item_find(
	struct control_call *call, const struct item_kind *kind, struct span name, bool must);
/* "collecting.collectors.isp", or by its place. */
struct span control_item_path(struct control_call *call, const struct item_kind *kind, size_t i);
/* What the pairs of the request say of KEY, else FALLBACK. */
struct span control_item_key(struct control_call *call, const char *key, struct span fallback);
bool control_item_change(struct control_call *call, struct item_change *ic, struct conf_change change);
/* call->state is a new struct item_change. */
struct item_change *control_item_begin(struct control_call *call, const struct item_kind *kind);

/* Each a whole `check`, behind control_item_begin(). */
bool control_item_add(struct control_call *call, struct item_change *ic, struct span name);
bool control_item_set(struct control_call *call, struct item_change *ic, size_t i);
bool control_items_remove(struct control_call *call, struct item_change *ic);
/* The places of the items that `names` names, each once, the last first. At most ITEM_CHANGES_MAX. */
bool control_item_places(
	struct control_call *call, const struct item_kind *kind, size_t *places, size_t *count);
/* "isp", or "isp and 2 more", for config.object. */
struct span control_item_object(
	struct control_call *call, const struct item_kind *kind, const size_t *places, size_t count);

bool control_item_work(struct control_call *call);
bool control_item_take(struct control_call *call);
void control_item_tell(struct control_call *call);

/* Of method METHOD, whose check METHOD_check() stands above; behind WORDS its own steps, or CONTROL_ITEM_STEPS. */
#define CONTROL_ITEM_METHOD(method, words, ...)                                                    \
	const struct control_handler control_do_##method = {                                       \
		.check = method##_check,                                                           \
		.work = control_item_work,                                                         \
		.work_kind = WORK_GENERAL,                                                         \
		.take = control_item_take,                                                         \
		.change = control_config_set_change,                                               \
		.object = words,                                                                   \
		.unrecorded = true,                                                                \
		__VA_ARGS__                                                                        \
	}
#define CONTROL_ITEM_STEPS .foresee = control_config_foresee, .finish = control_item_tell

#endif
