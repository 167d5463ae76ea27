/*
 * imap_thread.c - REFERENCES and ORDEREDSUBJECT. Nodes know their parent, so that no walk needs the C stack.
 *
 * The steps of REFERENCES have the numbers of RFC 5256, 3. A node without a message is a dummy: an
 * id that is referred to, or what holds messages of one subject together.
 */
#include "proto/imap/imap_thread.h"

#include <stdlib.h>

struct node {
	struct node *parent, *child, *last_child, *next, *prev;
	const struct imap_threaded *m; /* NULL: a dummy */
	struct node *same_hash;
	struct span id;
	uint32_t number;
	int64_t sent_s; /* of a dummy its first child's */
};

struct threads {
	struct arena *arena;
	struct hash64_key key;
	struct node **slots; /* by id, then by subject */
	size_t slot_count;
	struct node root; /* its children are the root set */
};

/* ---- the tree ---- */

static void
unlink_node(struct node *n)
{
	struct node *p = n->parent;

	if (!p)
		return;
	if (n->prev)
		n->prev->next = n->next;
	else
		p->child = n->next;
	if (n->next)
		n->next->prev = n->prev;
	else
		p->last_child = n->prev;
	n->parent = n->next = n->prev = NULL;
}

static void
append_child(struct node *p, struct node *n)
{
	unlink_node(n);
	n->parent = p;
	n->prev = p->last_child;
	if (p->last_child)
		p->last_child->next = n;
	else
		p->child = n;
	p->last_child = n;
}

/* The children of N into its place, N away. */
static void
dissolve(struct node *n)
{
	struct node *p = n->parent, *first = n->child, *last = n->last_child;

	for (struct node *c = first; c; c = c->next)
		c->parent = p;
	if (first) {
		first->prev = n->prev;
		last->next = n->next;
	}
	*(n->prev ? &n->prev->next : &p->child) = first ? first : n->next;
	*(n->next ? &n->next->prev : &p->last_child) = last ? last : n->prev;
	n->parent = n->child = n->last_child = n->next = n->prev = NULL;
}

/* May CHILD hang below PARENT: no loop, not too deep? */
static bool
may_link(const struct threads *t, const struct node *parent, const struct node *child)
{
	unsigned depth = 0;

	for (; parent && parent != &t->root; parent = parent->parent)
		if (parent == child || ++depth > IMAP_THREAD_DEPTH)
			return false;
	return true;
}

/* The next in a walk of the tree, parents first; NULL behind the last. */
static struct node *
walk(const struct node *n)
{
	if (n->child)
		return n->child;
	while (n && !n->next)
		n = n->parent;
	return n ? n->next : NULL;
}

/* ---- a table by text ---- */

static void
table_init(struct threads *t, size_t count)
{
	t->slot_count = 16;
	while (t->slot_count < 2 * count)
		t->slot_count *= 2;
	t->slots = ARENA_ARRAY(t->arena, struct node *, t->slot_count);
}

static struct node **
table_slot(struct threads *t, struct span text)
{
	return &t->slots[hash64(t->key, text) % t->slot_count];
}

static struct node *
node_new(struct threads *t, struct span id)
{
	struct node *n = ARENA_NEW(t->arena, struct node);

	n->id = id;
	return n;
}

static struct node *
node_of_id(struct threads *t, struct span id)
{
	struct node **slot = table_slot(t, id), *n = *slot;

	while (n && !span_eq(n->id, id))
		n = n->same_hash;
	if (n)
		return n;
	n = node_new(t, id);
	n->same_hash = *slot;
	*slot = n;
	return n;
}

/* ---- step 1: links by ids ---- */

/* Take "<id>" from the front of *rest, whatever stands before it. */
static bool
take_id(struct span *rest, struct span *id)
{
	size_t from = span_find(*rest, '<'), to;
	struct span text = span_from(*rest, from + 1);

	to = span_find(text, '>');
	if (to == text.len)
		return false;
	*id = span_range(text, 0, to);
	*rest = span_from(text, to + 1);
	return true;
}

static size_t
take_references(const struct imap_threaded *m, struct span ids[IMAP_THREAD_REFERENCES])
{
	struct span rest = m->references, id;
	size_t n = 0;

	while (take_id(&rest, &id)) /* a ring: the last ones stay */
		ids[n++ % IMAP_THREAD_REFERENCES] = id;
	rest = m->in_reply_to;
	if (n == 0 && take_id(&rest, &id))
		ids[n++] = id;
	return n;
}

static struct node *
link_references(struct threads *t, const struct imap_threaded *m)
{
	struct span ids[IMAP_THREAD_REFERENCES];
	size_t n = take_references(m, ids), i = 0;
	struct node *parent = NULL;

	if (n > IMAP_THREAD_REFERENCES)
		i = n - IMAP_THREAD_REFERENCES;
	for (; i < n; i++) {
		struct node *ref = node_of_id(t, ids[i % IMAP_THREAD_REFERENCES]);

		if (parent && !ref->parent && may_link(t, parent, ref))
			append_child(parent, ref);
		parent = ref;
	}
	return parent;
}

static void
link_message(struct threads *t, const struct imap_threaded *m, struct node **of_message)
{
	struct span rest = m->id, id = SPAN_NONE;
	struct node *n = NULL, *parent = link_references(t, m);

	if (take_id(&rest, &id))
		n = node_of_id(t, id);
	if (!n || n->m) /* none, or another message has the same one */
		n = node_new(t, SPAN_NONE);
	n->m = m;
	*of_message = n;
	if (!parent)
		return;
	if (n->parent)
		unlink_node(n); /* its own word counts, also where that would make a loop (RFC 5256, 3) */
	if (may_link(t, parent, n))
		append_child(parent, n);
}

/* Steps 1 and 2. Every node that is in the tree or above one that is gets into the root set. */
static void
link_all(struct threads *t, const struct imap_threaded *messages, size_t count)
{
	struct node **nodes = ARENA_ARRAY(t->arena, struct node *, count);

	for (size_t i = 0; i < count; i++)
		link_message(t, &messages[i], &nodes[i]);
	for (size_t i = 0; i < count; i++) {
		struct node *top = nodes[i];

		while (top->parent && top->parent != &t->root)
			top = top->parent;
		if (!top->parent)
			append_child(&t->root, top);
	}
}

/* ---- step 3: dummies away ---- */

static void
prune(struct threads *t)
{
	struct node *n = t->root.child, *next;

	for (; n; n = next) {
		bool dissolves;

		/* children first, so that what is left below is real */
		if (n->child && !n->same_hash) {
			n->same_hash = n; /* been below */
			next = n->child;
			continue;
		}
		next = n->next ? n->next : n->parent == &t->root ? NULL : n->parent;
		dissolves = !n->m && (!n->child || n->parent != &t->root || !n->child->next);
		if (dissolves)
			dissolve(n);
	}
}

/* ---- steps 4 and 6: by date ---- */

static int
by_date(const void *a, const void *b)
{
	const struct node *one = *(struct node *const *)a, *two = *(struct node *const *)b;

	if (one->sent_s != two->sent_s)
		return one->sent_s < two->sent_s ? -1 : 1;
	return (one->number > two->number) - (one->number < two->number);
}

static void
sort_children(struct threads *t, struct node *p, struct node **room)
{
	size_t count = 0;

	for (struct node *n = p->child; n; n = n->next)
		room[count++] = n;
	if (count > 1)
		qsort(room, count, sizeof(*room), by_date);
	p->child = p->last_child = NULL;
	for (size_t i = 0; i < count; i++) {
		room[i]->parent = NULL;
		room[i]->next = room[i]->prev = NULL;
		append_child(p, room[i]);
	}
	if (!p->m && p->child && p != &t->root) {
		p->sent_s = p->child->sent_s;
		p->number = p->child->number;
	}
}

/* All siblings, those deepest down first: a dummy's date and number are its first child's. */
static void
sort_all(struct threads *t)
{
	struct node **order, **room;
	size_t count = 1, at = 0;

	for (struct node *n = t->root.child; n; n = walk(n))
		count++;
	order = ARENA_ARRAY(t->arena, struct node *, count);
	room = ARENA_ARRAY(t->arena, struct node *, count);
	order[at++] = &t->root;
	for (struct node *n = t->root.child; n; n = walk(n)) {
		n->sent_s = n->m ? n->m->sent_s : 0;
		n->number = n->m ? n->m->number : 0;
		order[at++] = n;
	}
	while (at-- > 0)
		sort_children(t, order[at], room);
}

/* ---- step 5: one subject, one thread ---- */

/* The message that a thread's subject is taken from. */
static const struct imap_threaded *
subject_of(const struct node *n)
{
	return n->m ? n->m : n->child ? n->child->m : NULL;
}

/* The first that is no reply stands for its subject, and a dummy before all. */
static bool
is_better(const struct node *n, const struct node *than)
{
	if (!n->m || !than->m)
		return !n->m && than->m;
	return than->m->is_reply && !n->m->is_reply;
}

static struct node *
find_subject(struct threads *t, struct node *n, bool may_take_place)
{
	const struct imap_threaded *m = subject_of(n);
	struct node **slot = m && m->subject.len > 0 ? table_slot(t, m->subject) : NULL;

	if (!slot)
		return n;
	for (; *slot; slot = &(*slot)->same_hash) {
		const struct imap_threaded *other = subject_of(*slot);

		if (other && span_eq(other->subject, m->subject))
			break;
	}
	if (may_take_place && (!*slot || is_better(n, *slot))) {
		n->same_hash = *slot ? (*slot)->same_hash : NULL;
		*slot = n;
	}
	return *slot;
}

static void
merge_subject(struct threads *t, struct node *n, struct node *into)
{
	struct node *both;

	if (!n->m && !into->m) {
		while (n->child)
			append_child(into, n->child);
		unlink_node(n);
	} else if (!into->m || (n->m && n->m->is_reply && !into->m->is_reply)) {
		append_child(into, n);
	} else {
		both = node_new(t, SPAN_NONE);
		append_child(&t->root, both); /* it takes the place of INTO in the table by its first child */
		append_child(both, into);
		append_child(both, n);
	}
}

static void
gather_subjects(struct threads *t, size_t count)
{
	struct node **roots;
	size_t n = 0;

	table_init(t, count);
	for (struct node *at = t->root.child; at; at = at->next)
		n++;
	roots = ARENA_ARRAY(t->arena, struct node *, n);
	n = 0;
	for (struct node *at = t->root.child; at; at = at->next)
		roots[n++] = at;
	for (size_t i = 0; i < n; i++)
		(void)find_subject(t, roots[i], true);
	for (size_t i = 0; i < n; i++) {
		struct node *into = find_subject(t, roots[i], false);

		if (into->parent != &t->root)
			into = into->parent; /* the dummy that holds it now */
		if (into != roots[i] && roots[i]->parent == &t->root)
			merge_subject(t, roots[i], into);
	}
}

/* ---- words ---- */

static void
put(enum err err)
{
	(void)err; /* out->overflow tells at the end */
}

static void
put_tree(const struct node *root, struct buf *out)
{
	const struct node *n = root->child;

	if (n)
		put(buf_put_char(out, '('));
	while (n) {
		if (n->m)
			put(buf_put_u64(out, n->m->number));
		if (n->child) {
			if (n->m)
				put(buf_put_char(out, ' '));
			if (n->child->next)
				put(buf_put_char(out, '('));
			n = n->child;
			continue;
		}
		while (n && n != root && !n->next) {
			if (n->prev || n->parent == root)
				put(buf_put_char(out, ')'));
			n = n->parent;
		}
		if (!n || n == root)
			return;
		put(buf_put(out, SPAN(")(")));
		n = n->next;
	}
}

static void
thread_references(struct threads *t, const struct imap_threaded *messages, size_t count)
{
	table_init(t, 2 * count);
	link_all(t, messages, count);
	for (struct node *n = t->root.child; n; n = walk(n))
		n->same_hash = NULL; /* the table by id has done its work */
	prune(t);
	sort_all(t);
	gather_subjects(t, count);
	sort_all(t);
}

/* ---- ORDEREDSUBJECT ---- */

static int
by_subject(const void *a, const void *b)
{
	const struct imap_threaded *one = a, *two = b;
	int order = span_cmp(one->subject, two->subject);

	if (order != 0)
		return order;
	if (one->sent_s != two->sent_s)
		return one->sent_s < two->sent_s ? -1 : 1;
	return (one->number > two->number) - (one->number < two->number);
}

/* The first of a subject is the parent of all others with it. */
static void
thread_subjects(struct threads *t, struct imap_threaded *messages, size_t count)
{
	struct node *first = NULL;

	qsort(messages, count, sizeof(*messages), by_subject);
	for (size_t i = 0; i < count; i++) {
		struct node *n = node_new(t, SPAN_NONE);

		n->m = &messages[i];
		if (first && span_eq(first->m->subject, n->m->subject)) {
			append_child(first, n);
			continue;
		}
		append_child(&t->root, n);
		first = n;
	}
	sort_all(t);
}

enum err
imap_thread_put(struct arena *a, struct imap_threaded *messages, size_t count,
	enum imap_threading how, struct hash64_key key, struct buf *out)
{
	struct threads t = { .arena = a, .key = key };

	if (how == IMAP_THREAD_ORDEREDSUBJECT)
		thread_subjects(&t, messages, count);
	else
		thread_references(&t, messages, count);
	put_tree(&t.root, out);
	return out->overflow ? ERR_LIMIT : OK;
}
