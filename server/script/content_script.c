/*
 * content_script.c - a text behind a lock.
 */
#include "server/script/content_script.h"

#include <pthread.h>
#include <stdlib.h>

#include "server/script/script_wire.h"

struct content_script {
	pthread_mutex_t lock;
	struct buf text;
	_Atomic bool is_there;
};

struct content_script *
content_script_open(void)
{
	struct content_script *c = calloc(1, sizeof(*c));

	ENSURE(c);
	pthread_mutex_init(&c->lock, NULL);
	buf_init(&c->text, SCRIPT_TEXT_MAX);
	return c;
}

void
content_script_close(struct content_script **at)
{
	struct content_script *c = *at;

	*at = NULL;
	if (!c)
		return;
	pthread_mutex_destroy(&c->lock);
	buf_fini(&c->text);
	free(c);
}

void
content_script_set(struct content_script *c, struct span text)
{
	pthread_mutex_lock(&c->lock);
	buf_clear(&c->text);
	c->is_there = text.len > 0 && buf_put(&c->text, text) == OK;
	pthread_mutex_unlock(&c->lock);
}

bool
content_script_is_there(const struct host *host)
{
	return host->content_script && host->content_script->is_there;
}

enum err
content_script_put(const struct host *host, struct buf *out)
{
	struct content_script *c = host->content_script;
	enum err err = ERR_NOT_FOUND;

	if (!c)
		return err;
	pthread_mutex_lock(&c->lock);
	if (c->is_there)
		err = script_item_put(out, SCRIPT_ITEM_TEXT, buf_span(&c->text));
	pthread_mutex_unlock(&c->lock);
	return err;
}

struct span
content_script_text(const struct host *host, struct arena *a)
{
	struct content_script *c = host->content_script;
	struct span text = SPAN("");

	if (!c)
		return text;
	pthread_mutex_lock(&c->lock);
	if (c->is_there)
		text = arena_copy(a, buf_span(&c->text));
	pthread_mutex_unlock(&c->lock);
	return text;
}
