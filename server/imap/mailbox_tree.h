/*
 * mailbox_tree.h - the names that LIST and LSUB choose from, and which of them they show. Pure.
 *
 * Names come in any order and may come twice, as a folder and as a subscription. Sorted with `/` in
 * front of all other bytes, a name's children follow it at once, so one walk sees every level:
 *
 *     add ... add --sort_step ... sort_step--> walk
 *
 * A level that is no folder but has folders beneath it is an item too (RFC 5258, \NonExistent). No
 * level is a node in memory, so that 10,000 folders 20 levels deep are 10,000 nodes.
 */
#ifndef SERVER_IMAP_MAILBOX_TREE_H
#define SERVER_IMAP_MAILBOX_TREE_H

#include "proto/base/arena.h"

#define TREE_NODES_MAX 20000 /* his own folders, as many of others; more are not shown */
#define TREE_RUN 2048	     /* names that one step sorts; well under a loop's 10 ms */

/* What must be so of a name, a bit each; 0: it is a folder. */
#define TREE_SUBSCRIBED (1u << 0)
#define TREE_SPECIAL_USE (1u << 1)

struct mailbox_node {
	struct span name; /* UTF-8, as a client sees it, INBOX in capitals; outlives the tree */
	uint64_t user_id;
	uint64_t folder_id; /* 0: no folder, or none that he may know of */
	uint32_t uses;	    /* FOLDER_USE_... of it */
	uint32_t rights;    /* his */
	bool subscribed;
	bool matches; /* one of the patterns */
};

struct mailbox_tree {
	struct arena *arena;
	struct mailbox_node *nodes;
	size_t count, room;
	size_t sorted; /* runs of TREE_RUN are, up to here */
	size_t width;  /* runs of so many are; 0: not begun to merge */
	struct mailbox_node *other; /* what is merged into */
	unsigned select; /* TREE_SUBSCRIBED ... */
	bool recursive;	 /* a name also for what is beneath it and does not match itself */
};

void mailbox_tree_init(struct mailbox_tree *t, struct arena *a, unsigned select, bool recursive);

/* ERR_LIMIT: TREE_NODES_MAX. */
MUST_CHECK enum err mailbox_tree_add(struct mailbox_tree *t, const struct mailbox_node *node);

/* One step of some ms; false: sorted, and each name once. */
bool mailbox_tree_sort_step(struct mailbox_tree *t);

/* One line of the answer. */
struct mailbox_item {
	struct span name;
	const struct mailbox_node *node; /* NULL: a level that no row names */
	bool selected;	   /* it is what the selection asks for; else only names beneath it are */
	bool has_children; /* folders beneath it */
	bool child_info;   /* names beneath it are what the selection asks for */
};

struct mailbox_walk {
	const struct mailbox_tree *tree;
	size_t at;    /* index of the node that comes */
	size_t level; /* its name is shown up to here, a '/' or its end */
	bool (*matches)(const void *arg, struct span name); /* for levels without a node */
	const void *arg;
};

void mailbox_walk_init(struct mailbox_walk *walk, const struct mailbox_tree *t,
	bool (*matches)(const void *arg, struct span name), const void *arg);

/* The next name to be shown. False: the end, or LOOKS nodes have been looked at: *looks is 0 then. */
bool mailbox_walk_next(struct mailbox_walk *walk, size_t *looks, struct mailbox_item *item);

/* -1, 0, 1 in the order of the tree. */
int mailbox_name_cmp(struct span a, struct span b);

/* Is NAME beneath PARENT? */
bool mailbox_name_is_under(struct span name, struct span parent);

#endif
