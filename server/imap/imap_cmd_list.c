/*
 * imap_cmd_list.c - LIST and LSUB (RFC 9051, 6.3.9; RFC 3501, 6.3.9; RFC 5258, 5819, 6154, 8440).
 *
 *     his folders -> subscriptions -> Shared/ -> what others share -> sort -> show
 *
 * in slices, each name kept once in the command arena. A folder is shown to who has `l` for it; a
 * parent of it that he has no `l` for is a level like one that is not there.
 */
#include "server/imap/folder_uses.h"
#include "server/imap/imap_mailbox.h"
#include "server/imap/imap_rights.h"
#include "server/imap/imap_status.h"
#include "server/imap/mailbox_tree.h"
#include "server/pipeline/names.h"
#include "store/subscriptions.h"

#define WALK_LOOKS 1000 /* names that one step of the walk may look at */

enum list_phase { LIST_OWN, LIST_SUBSCRIBED, LIST_SHARED, LIST_OTHERS, LIST_SORT, LIST_SHOW };

struct list_task {
	struct imap_list what;
	bool is_lsub;
	struct span *patterns; /* UTF-8, with the reference */
	size_t pattern_count;
	struct user user; /* in the command arena */
	enum list_phase phase;
	uint64_t folder_id; /* where OWN and SHARED are */
	struct span subscription;
	struct folder_right right;
	struct mailbox_tree tree;
	struct mailbox_walk walk;
	struct mailbox_item item; /* whose STATUS is counted */
	bool item_waits;
	struct imap_tally tally;
};

static bool
matches(const void *arg, struct span name)
{
	const struct list_task *task = arg;

	for (size_t i = 0; i < task->pattern_count; i++)
		if (imap_list_match(task->patterns[i], name))
			return true;
	return false;
}

/* ---- gathering ---- */

static void
add_node(struct imap_session *imap, struct list_task *task, struct mailbox_node *node)
{
	node->matches = matches(task, node->name);
	if (mailbox_tree_add(&task->tree, node) == ERR_LIMIT && task->phase != LIST_SORT) {
		session_log(&imap->session, LEVEL_WARNING,
			.text = "more folders than LIST shows",
			.fields = { { "user", task->user.name, 0 },
				{ "shown", SPAN_NONE, TREE_NODES_MAX } });
		task->phase = LIST_SORT;
	}
}

static void
add_folder(struct imap_session *imap, struct list_task *task, const struct folder *folder,
	uint32_t rights)
{
	struct arena *a = imap_arena(imap);
	struct mailbox_node node = { .user_id = folder->user_id, .folder_id = folder->folder_id,
		.rights = rights };

	if (folder_name_is_hidden(folder->name) || !(rights & RIGHT_LOOKUP))
		return;
	node.name = folder->user_id == imap->user_id
		? arena_copy(a, folder->name)
		: imap_mailbox_name(imap, imap_snapshot(imap), folder, a);
	if (folder->user_id == imap->user_id) /* another's Sent is not where his goes */
		node.uses = folder->attributes & FOLDER_USE_ALL;
	if (node.name.len > 0)
		add_node(imap, task, &node);
}

/* All folders of OWNER, for somebody who has every right in them. False: the slice is over. */
static bool
gather_folders(struct imap_session *imap, struct list_task *task, uint64_t owner_id)
{
	enum list_phase phase = task->phase;
	struct folder folder = { .folder_id = task->folder_id };
	enum err err;

	do {
		if (imap_must_yield(imap))
			return false;
		err = folder_next(imap_snapshot(imap), owner_id, task->folder_id, &folder);
		task->folder_id = folder.folder_id;
		if (err == OK)
			add_folder(imap, task, &folder, RIGHTS_ALL);
	} while ((err == OK || err == ERR_CORRUPT) && task->phase == phase);
	task->folder_id = 0;
	return true;
}

static bool
gather_subscriptions(struct imap_session *imap, struct list_task *task)
{
	struct span name;

	if (!((task->what.select | task->what.returns) & IMAP_LIST_SUBSCRIBED))
		return true;
	while (task->phase == LIST_SUBSCRIBED &&
		subscription_next(imap_snapshot(imap), imap->user_id, task->subscription, &name) ==
			OK) {
		struct mailbox_node node = { .subscribed = true };

		node.name = task->subscription = arena_copy(imap_arena(imap), name);
		add_node(imap, task, &node);
		if (imap_must_yield(imap))
			return false;
	}
	return true;
}

/* Can LEVEL or anything beneath it be meant? What stands before the first wildcard says so. */
static bool
wants_below(const struct list_task *task, struct span level)
{
	for (size_t i = 0; i < task->pattern_count; i++) {
		struct span pattern = task->patterns[i];
		struct span front = span_range(pattern, 0, span_find_any(pattern, SPAN("*%")));

		if (span_starts(front, level) || span_starts(level, front))
			return true;
	}
	return false;
}

static bool
gather_shared(struct imap_session *imap, struct list_task *task)
{
	if (!task->user.admin || !wants_below(task, PLACE_SHARED))
		return true;
	return gather_folders(imap, task, FOLDER_OWNER_SHARED);
}

/* A folder that has a row for him. */
static void
add_others(struct imap_session *imap, struct list_task *task)
{
	struct snapshot *snap = imap_snapshot(imap);
	struct folder folder;
	uint32_t rights = 0;

	if (task->right.owner_id == imap->user_id ||
		(task->right.owner_id == FOLDER_OWNER_SHARED && task->user.admin))
		return;
	if (folder_get(snap, task->right.owner_id, task->right.folder_id, &folder) == OK &&
		rights_of(snap, &task->user, &folder, &rights) == OK)
		add_folder(imap, task, &folder, rights);
}

static bool
gather_others(struct imap_session *imap, struct list_task *task)
{
	enum err err = OK;

	if (!wants_below(task, PLACE_OTHERS) && !wants_below(task, PLACE_SHARED))
		return true;
	while (task->phase == LIST_OTHERS && (err == OK || err == ERR_CORRUPT)) {
		err = rights_shared_next(imap_snapshot(imap), &task->user, &task->right);
		if (err == OK)
			add_others(imap, task);
		if (imap_must_yield(imap))
			return false;
	}
	return true;
}

/* ---- showing ---- */

struct attributes {
	struct buf *out;
	bool some;
};

static void
put_attribute(struct attributes *at, const char *word)
{
	imap_put(buf_printf(at->out, "%s%s", at->some ? " " : "", word));
	at->some = true;
}

static void
put_use(struct attributes *at, struct span attribute)
{
	imap_put(buf_printf(at->out, "%s\\%.*s", at->some ? " " : "", SPAN_FMT(attribute)));
	at->some = true;
}

static bool
is_folder(const struct mailbox_item *item)
{
	return item->node && item->node->folder_id != 0;
}

static void
put_attributes(
	struct imap_session *imap, const struct list_task *task, const struct mailbox_item *item)
{
	unsigned asked = task->what.select | task->what.returns;
	bool plain = !task->what.extended && !task->is_lsub; /* RFC 3501: what is known is told */
	struct attributes at = { .out = imap_out(imap) };

	if (task->is_lsub) {
		if (!item->selected) /* only names beneath it are subscribed */
			put_attribute(&at, "\\Noselect");
		return;
	}
	if (!is_folder(item))
		put_attribute(&at,
			task->what.extended || (imap->enabled & IMAP_ENABLED_REV2) ? "\\NonExistent"
										  : "\\Noselect");
	if ((plain || (task->what.returns & IMAP_LIST_CHILDREN)) &&
		(is_folder(item) || item->has_children))
		put_attribute(&at, item->has_children ? "\\HasChildren" : "\\HasNoChildren");
	if ((asked & IMAP_LIST_SUBSCRIBED) && item->node && item->node->subscribed)
		put_attribute(&at, "\\Subscribed");
	for (size_t i = 0; i < FOLDER_USES; i++)
		if ((plain || (asked & IMAP_LIST_SPECIAL_USE)) && item->node &&
			(item->node->uses & folder_uses[i].bit))
			put_use(&at, folder_uses[i].attribute);
}

/* RFC 5258, 3.5 */
static void
put_child_info(struct imap_session *imap, const struct list_task *task)
{
	unsigned select = task->what.select;

	imap_put(buf_printf(imap_out(imap), " (\"CHILDINFO\" (%s%s%s))",
		select & IMAP_LIST_SUBSCRIBED ? "\"SUBSCRIBED\"" : "",
		(select & IMAP_LIST_SUBSCRIBED) && (select & IMAP_LIST_SPECIAL_USE) ? " " : "",
		select & IMAP_LIST_SPECIAL_USE ? "\"SPECIAL-USE\"" : ""));
}

static void
put_line(struct imap_session *imap, const struct list_task *task, const struct mailbox_item *item)
{
	struct buf *out = imap_out(imap);

	imap_put(buf_put(out, task->is_lsub ? SPAN("* LSUB (") : SPAN("* LIST (")));
	put_attributes(imap, task, item);
	imap_put(buf_put(out, SPAN(") \"/\" ")));
	imap_put(imap_put_mailbox(out, item->name, imap_is_utf8(imap)));
	if (!task->is_lsub && item->child_info)
		put_child_info(imap, task);
	imap_put(buf_put(out, SPAN("\r\n")));
}

/* RFC 8440, 3 */
static void
put_myrights(struct imap_session *imap, const struct mailbox_item *item)
{
	struct buf *out = imap_out(imap);
	char text[RIGHTS_TEXT_SIZE];

	imap_put(buf_put(out, SPAN("* MYRIGHTS ")));
	imap_put(imap_put_mailbox(out, item->name, imap_is_utf8(imap)));
	imap_put(buf_put_char(out, ' '));
	imap_put(imap_put_astring(out, imap_rights_format(item->node->rights, text)));
	imap_put(buf_put(out, SPAN("\r\n")));
}

/* RFC 5819, 2: none for what he may not read, or that went meanwhile. False: the slice is over. */
static bool
put_status(struct imap_session *imap, struct list_task *task)
{
	struct snapshot *snap = imap_snapshot(imap);
	const struct mailbox_node *node = task->item.node;
	struct folder folder;

	if (!(node->rights & RIGHT_READ) ||
		folder_get(snap, node->user_id, node->folder_id, &folder) != OK)
		return true;
	if (!imap_tally_go_on(imap, snap, &folder, task->what.status, &task->tally))
		return false;
	(void)!imap_status_put(imap, task->item.name, &folder, task->what.status, &task->tally);
	return true;
}

/* The lines about one name. False: the slice is over, and it is gone on with. */
static bool
show(struct imap_session *imap, struct list_task *task)
{
	bool status = (task->what.returns & IMAP_LIST_STATUS) && is_folder(&task->item);

	if (!task->item_waits) {
		put_line(imap, task, &task->item);
		if ((task->what.returns & IMAP_LIST_MYRIGHTS) && is_folder(&task->item))
			put_myrights(imap, &task->item);
		task->tally = (struct imap_tally){ .after_uid = 0 };
	}
	task->item_waits = status && !put_status(imap, task);
	return !task->item_waits;
}

static bool
show_all(struct imap_session *imap, struct list_task *task)
{
	size_t looks = WALK_LOOKS;

	if (task->item_waits && !show(imap, task))
		return false;
	while (true) {
		if (imap_must_yield(imap))
			return false;
		if (looks == 0)
			looks = WALK_LOOKS;
		if (mailbox_walk_next(&task->walk, &looks, &task->item)) {
			if (!show(imap, task))
				return false;
		} else if (looks > 0) {
			return true;
		}
	}
}

/* ---- the commands ---- */

static bool
phase_go_on(struct imap_session *imap, struct list_task *task)
{
	switch (task->phase) {
	case LIST_OWN:
		return gather_folders(imap, task, imap->user_id);
	case LIST_SUBSCRIBED:
		return gather_subscriptions(imap, task);
	case LIST_SHARED:
		return gather_shared(imap, task);
	case LIST_OTHERS:
		return gather_others(imap, task);
	case LIST_SORT:
		while (mailbox_tree_sort_step(&task->tree))
			if (imap_must_yield(imap))
				return false;
		mailbox_walk_init(&task->walk, &task->tree, matches, task);
		return true;
	default:
		return show_all(imap, task);
	}
}

static enum imap_turn
list_go_on(struct imap_session *imap, struct list_task *task)
{
	if (!imap_snapshot(imap))
		return imap_fail(imap, ERR_IO);
	while (task->phase <= LIST_SHOW) {
		enum list_phase phase = task->phase;

		if (!phase_go_on(imap, task))
			return IMAP_MORE;
		if (task->phase == phase) /* else it was cut short */
			task->phase++;
	}
	return imap_end(imap, IMAP_OK("That is all"));
}

/* A pattern in the letters of our namespaces. */
static struct span
canonical(struct arena *a, struct span pattern)
{
	const struct span levels[] = { PLACE_OTHERS, PLACE_SHARED };

	for (size_t i = 0; i < COUNT(levels); i++) {
		struct span rest = span_from(pattern, levels[i].len);

		if (span_starts_nocase(pattern, levels[i]) && (rest.len == 0 || rest.ptr[0] == '/'))
			return arena_printf(a, "%.*s%.*s", SPAN_FMT(levels[i]), SPAN_FMT(rest));
	}
	return pattern;
}

static void
take_patterns(struct imap_session *imap, struct list_task *task)
{
	struct arena *a = imap_arena(imap);

	task->patterns = ARENA_ARRAY(a, struct span, task->what.count);
	for (size_t i = 0; i < task->what.count; i++) {
		struct span *pattern = &task->patterns[task->pattern_count];

		if (imap_list_pattern(a, task->what.reference, task->what.patterns[i],
			    imap_is_utf8(imap), pattern) != OK)
			continue; /* nothing is called so */
		*pattern = canonical(a, *pattern);
		task->pattern_count++;
	}
}

/* LIST "" "": the separator, and the root of the reference's namespace (RFC 9051, 6.3.9). */
static enum imap_turn
list_root(struct imap_session *imap, const struct list_task *task)
{
	struct span root = SPAN("");

	if (span_starts_nocase(task->what.reference, SPAN("Other users/")))
		root = SPAN("Other users/");
	else if (span_starts_nocase(task->what.reference, SPAN("Shared/")))
		root = SPAN("Shared/");
	imap_put(buf_printf(imap_out(imap), "* %s (\\Noselect) \"/\" \"%.*s\"\r\n",
		task->is_lsub ? "LSUB" : "LIST", SPAN_FMT(root)));
	return imap_end(imap, IMAP_OK("That is the separator"));
}

static enum imap_turn
list_begin(struct imap_session *imap, struct list_task *task)
{
	unsigned select = 0;
	enum err err;

	imap->run->task = task;
	if (!task->what.extended && task->what.patterns[0].len == 0)
		return list_root(imap, task);
	err = imap_snapshot(imap) ? names_user_by_id(imap_snapshot(imap), imap->user_id, &task->user)
				  : ERR_IO;
	if (err != OK)
		return imap_fail(imap, err);
	user_copy(&task->user, imap_arena(imap));
	take_patterns(imap, task);
	if (task->what.select & IMAP_LIST_SUBSCRIBED)
		select |= TREE_SUBSCRIBED;
	if (task->what.select & IMAP_LIST_SPECIAL_USE)
		select |= TREE_SPECIAL_USE;
	mailbox_tree_init(&task->tree, imap_arena(imap), select,
		task->is_lsub || (task->what.select & IMAP_LIST_RECURSIVEMATCH));
	return list_go_on(imap, task);
}

enum imap_turn
imap_cmd_list(struct imap_session *imap, struct imap_cursor *args)
{
	struct list_task *task = imap->run->task;

	if (task)
		return list_go_on(imap, task);
	task = ARENA_NEW(imap_arena(imap), struct list_task);
	if (!imap_take_list(args, &task->what))
		return imap_bad_arguments(imap, args);
	if (task->what.status & IMAP_STATUS_HIGHESTMODSEQ) /* RFC 7162, 3.1 */
		imap_use_condstore(imap);
	return list_begin(imap, task);
}

enum imap_turn
imap_cmd_lsub(struct imap_session *imap, struct imap_cursor *args)
{
	struct list_task *task = imap->run->task;

	if (task)
		return list_go_on(imap, task);
	task = ARENA_NEW(imap_arena(imap), struct list_task);
	if (!imap_take_lsub(args, &task->what))
		return imap_bad_arguments(imap, args);
	task->is_lsub = true;
	task->what.select = IMAP_LIST_SUBSCRIBED;
	return list_begin(imap, task);
}
