/* fuzz_imap_search.c - search keys: the tree is whole, and can be judged. The first byte chooses the command. */
#include "proto/imap/imap_search.h"
#include "tests/fuzz/fuzz.h"

static void
check_tree(const struct imap_search *s)
{
	unsigned char verdicts[IMAP_SEARCH_KEYS_MAX + 1];

	ENSURE(s->count >= 2 && s->count <= COUNT(verdicts));
	ENSURE(s->keys[0].kind == IMAP_KEY_AND && s->keys[0].next == s->count);
	for (unsigned i = 0; i < s->count; i++) {
		bool branch = s->keys[i].kind <= IMAP_KEY_NOT;

		ENSURE(s->keys[i].next <= s->count && s->keys[i].next > i + branch);
		verdicts[i] = i % 3;
	}
	ENSURE(imap_search_judge(s, verdicts) <= IMAP_VERDICT_YES);
	memset(verdicts, IMAP_VERDICT_YES, sizeof(verdicts));
	ENSURE(imap_search_judge(s, verdicts) != IMAP_VERDICT_UNKNOWN);
}

FUZZ(in, a, out)
{
	struct imap_search search;
	struct imap_thread thread;
	struct imap_sort sort;
	struct imap_cursor c;

	imap_cursor_init(&c, span_from(in, 1), a);
	if (in.len == 0)
		return;
	if (in.ptr[0] == 'S' && imap_take_sort(&c, &sort))
		check_tree(&sort.search);
	else if (in.ptr[0] == 'T' && imap_take_thread(&c, &thread))
		check_tree(&thread.search);
	else if (in.ptr[0] != 'S' && in.ptr[0] != 'T' && imap_take_search(&c, &search))
		check_tree(&search);
}
