/*
 * who_ask.h - headers in, recipients and copies out, by the finder and the whole pipeline.
 *
 * A row's answer is what was found, one line: recipients in their order, ">" before one that a collector chose, then
 * " = " and the copies as in test_routing.h.
 */
#ifndef TESTS_UNIT_WHO_ASK_H
#define TESTS_UNIT_WHO_ASK_H

#include "server/pipeline/collected_who.h"
#include "server/pipeline/pipeline.h"
#include "tests/harness/page_edge.h"
#include "tests/unit/test_routing.h"

/* A collector of that name, all else as its keys say. */
#define BOX(name, keys) "{ name: " name ", server: pop.isp.test, username: u, " keys " }"
#define SITE(boxes) CONF "collecting: { collectors: [ " boxes " ] }\n"
#define OURS "accepted: [example.org, \"fred@isp.test\"]"

struct who {
	const char *collector, *header, *want;
};

struct looked {
	struct arena arena;
	struct mail mail;
	struct plan plan;
	struct collected_ask ask;
	struct address *to;
	size_t count;
};

void look_begin(struct looked *l, const char *collector, struct span header);
void look_run(struct looked *l, struct buf *out);
void look_end(struct looked *l);

void check_who(const struct who *rows, size_t count);
#define CHECK_WHO(rows) check_who(rows, COUNT(rows))
/* Does looking leave a note with that sentence? */
bool who_says(const struct who *who, const char *text);

#endif
