/* fuzz_access.c - any access lines are read or refused; the same lines decide the same (ACC-01). */
#include <netinet/in.h>

#include "conf/access.h"
#include "tests/fuzz/fuzz.h"

#define LINES_MAX 64

static struct access_list
read_lines(struct span in, struct arena *a)
{
	struct access_line *items = ARENA_ARRAY(a, struct access_line, LINES_MAX);
	struct access_list list = { .items = items };
	struct span line;

	while (list.count < LINES_MAX && span_next_line(&in, &line)) {
		const char *why = NULL;
		bool is_line;
		enum err err = access_parse(line, a, &items[list.count], &is_line, &why);

		ENSURE(err == OK || (err == ERR_SYNTAX && why) || (err == ERR_LIMIT && why));
		if (err != OK || !is_line)
			continue;
		ENSURE(items[list.count].bits <= 128 && items[list.count].text.len > 0);
		ENSURE(!items[list.count].deny || !items[list.count].noauth);
		list.count++;
	}
	return list;
}

static bool
same(const struct access_line *a, const struct access_line *b)
{
	return a->bits == b->bits && a->deny == b->deny && a->noauth == b->noauth &&
		a->user_count == b->user_count &&
		memcmp(&a->network, &b->network, sizeof(a->network)) == 0;
}

/* A line as it was kept means the same when it is read again, and fits its own network. */
static void
check_line(const struct access_line *line, struct arena *a)
{
	struct access_list list = { line, 1 };
	struct access_line again;
	struct access_decision decision;
	const char *why;
	bool is_line;

	ENSURE(access_parse(line->text, a, &again, &is_line, &why) == OK && is_line);
	ENSURE(same(line, &again));
	decision = access_decide(list, &line->network,
		line->user_count > 0 ? line->users[0] : SPAN_NONE);
	ENSURE(decision.line == line);
	ENSURE(decision.answer == (line->deny ? ACCESS_DENY :
					  line->noauth ? ACCESS_ALLOW_NOAUTH : ACCESS_ALLOW));
}

FUZZ(in, a, out)
{
	struct in6_addr address = { .s6_addr = { [10] = 0xff, 0xff, 192, 0, 2, 1 } };
	struct access_list list = read_lines(in, a);
	struct access_decision decision;

	for (size_t i = 0; i < list.count; i++)
		check_line(&list.items[i], a);
	decision = access_decide(list, &address, SPAN("anna"));
	ENSURE(decision.line || (decision.answer == ACCESS_DENY) == (list.count > 0));
}
