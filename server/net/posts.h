/*
 * posts.h - calls that were posted to a loop, in a row that keeps its memory. Not locked.
 */
#ifndef SERVER_NET_POSTS_H
#define SERVER_NET_POSTS_H

#include <stddef.h>

struct post {
	void (*fn)(void *);
	void *arg;
};

struct posts {
	struct post *rows;
	size_t count, size;
};

void posts_add(struct posts *p, struct post post);

#endif
