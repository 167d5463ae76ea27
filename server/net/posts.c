/*
 * posts.c - a row that grows.
 */
#include "server/net/posts.h"

#include <stdlib.h>

#include "proto/base/err.h"

#define POSTS_FIRST 64

void
posts_add(struct posts *p, struct post post)
{
	if (p->count == p->size) {
		p->size = p->size ? p->size * 2 : POSTS_FIRST;
		p->rows = realloc(p->rows, p->size * sizeof(*p->rows));
		ENSURE(p->rows); /* out of memory ends the process, see arena.h */
	}
	p->rows[p->count++] = post;
}
