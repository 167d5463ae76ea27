/*
 * tokens.c - who asks for a token, what is kept, and when a program is run for another one.
 *
 *     token_ask --post--> on_ask: it is there; or the program runs, and all who ask wait
 *     done <----post----- deliver
 */
#include "server/runner/tokens.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "server/net/loop.h"

#define WHY_SIZE (RUNNER_SAYS_SIZE + 60)

struct token_request {
	struct list all;  /* in tokens.requests */
	struct list wait; /* in token.waiting */
	struct tokens *tokens;
	struct loop *asker;
	struct token_question *question; /* the asker's; NULL: cancelled */
	struct buf command; /* each argument with a 0 behind it */
	size_t count;
	struct buf token; /* the answer: */
	enum err err;
	uint64_t number;
	char why[WHY_SIZE];
};

/* Of one command. */
struct token {
	struct list link; /* the one that was asked for last is the last */
	struct list waiting;
	struct tokens *tokens;
	struct buf command;
	struct buf text;
	uint64_t number; /* 0: there is none */
	int64_t until_ms; /* steady; 0: until it is refused */
	struct runner_job job;
};

struct tokens {
	struct host *host;
	struct list all;
	size_t count;
	uint64_t last_number;
	pthread_mutex_t lock; /* of what follows */
	struct list requests;
	size_t request_count;
};

/* ---- requests, on the loops that ask ---- */

static void
request_free(struct token_request *request)
{
	struct tokens *t = request->tokens;

	pthread_mutex_lock(&t->lock);
	list_remove(&request->all);
	t->request_count--;
	pthread_mutex_unlock(&t->lock);
	list_remove(&request->wait);
	buf_fini(&request->command);
	buf_wipe(&request->token);
	free(request);
}

static void
deliver(void *arg)
{
	struct token_request *request = arg;
	struct token_question *q = request->question;
	struct token_answer answer = { request->err, buf_span(&request->token), request->number,
		request->why };

	if (q) {
		q->request = NULL;
		q->done(q, &answer);
	}
	request_free(request);
}

static void
answer_err(struct token_request *request, enum err err, const char *why)
{
	request->err = err;
	snprintf(request->why, sizeof(request->why), "%s", why);
	loop_post(request->asker, deliver, request);
}

static void on_ask(void *arg);

void
token_ask(struct host *host, struct token_question *q, const struct span *command, size_t count)
{
	struct token_request *request = calloc(1, sizeof(*request));
	struct tokens *t = host->tokens;
	bool crowded;
	enum err err = OK;

	ENSURE(request && !q->request);
	request->tokens = t;
	request->asker = host->loop;
	request->question = q;
	request->count = count;
	list_init(&request->wait);
	buf_init(&request->command, RUNNER_WORDS_MAX);
	buf_init(&request->token, TOKEN_SIZE_MAX);
	request->token.wipes = true;
	for (size_t i = 0; i < count && err == OK; i++) {
		err = buf_put(&request->command, command[i]);
		if (err == OK)
			err = buf_put_char(&request->command, '\0');
	}
	q->request = request;
	pthread_mutex_lock(&t->lock);
	list_append(&t->requests, &request->all);
	crowded = ++t->request_count > TOKENS_WAITING_MAX;
	pthread_mutex_unlock(&t->lock);
	if (err != OK)
		answer_err(request, ERR_IO, "the command is too long");
	else if (crowded)
		answer_err(request, ERR_BUSY, "too many wait for a token");
	else
		loop_post(t->host->loop, on_ask, request);
}

void
token_cancel(struct token_question *q)
{
	if (!q->request)
		return;
	q->request->question = NULL;
	q->request = NULL;
}

/* ---- tokens, on the front loop ---- */

static void
forget(struct token *token)
{
	buf_wipe(&token->text);
	token->number = 0;
}

static void
token_free(struct token *token)
{
	list_remove(&token->link);
	token->tokens->count--;
	forget(token);
	buf_fini(&token->command);
	free(token);
}

static void
answer_with(struct token_request *request, const struct token *token)
{
	request->err = buf_put(&request->token, buf_span(&token->text));
	request->number = token->number;
	loop_post(request->asker, deliver, request);
}

static void
fail(struct token *token, const char *why)
{
	struct list *link;

	while ((link = list_take_first(&token->waiting)))
		answer_err(LIST_ITEM(link, struct token_request, wait), ERR_IO, why);
}

static void
keep(struct token *token, struct span text, int64_t life_ms)
{
	int64_t margin_ms = life_ms / 10 < TOKEN_MARGIN_MS ? life_ms / 10 : TOKEN_MARGIN_MS;
	struct list *link;

	forget(token);
	if (buf_put(&token->text, text) != OK) {
		fail(token, "the token is too long");
		return;
	}
	token->number = ++token->tokens->last_number;
	token->until_ms = life_ms > 0 ? host_steady_ms(token->tokens->host) + life_ms - margin_ms : 0;
	while ((link = list_take_first(&token->waiting)))
		answer_with(LIST_ITEM(link, struct token_request, wait), token);
}

static void
on_program(struct runner_job *job, const struct runner_answer *answer)
{
	struct token *token = LIST_ITEM(job, struct token, job);
	char says[RUNNER_SAYS_SIZE], why[WHY_SIZE];
	struct span text;
	struct arena a;
	int64_t life_ms;

	if (answer->end != RUNNER_EXITED || answer->number != 0) {
		snprintf(why, sizeof(why), "the token_command %s", runner_says(answer, says));
		fail(token, why);
		return;
	}
	arena_init(&a, NULL);
	a.wipes = true;
	if (token_read(&a, answer->output, &text, &life_ms) == OK)
		keep(token, text, life_ms);
	else
		fail(token, "the token_command printed no token");
	arena_reset(&a);
}

static void
fetch(struct token *token, size_t count)
{
	struct span argv[RUNNER_ARGUMENTS_MAX], rest = buf_span(&token->command);
	enum err err = count > COUNT(argv) ? ERR_LIMIT : OK;

	for (size_t i = 0; i < count && err == OK; i++)
		span_cut(rest, '\0', &argv[i], &rest);
	token->job = (struct runner_job){ .argv = argv, .argc = count, .output_max = TOKEN_SIZE_MAX * 2,
		.done = on_program };
	if (err == OK)
		err = runner_run(token->tokens->host, &token->job);
	if (err == ERR_BUSY)
		fail(token, "the token_command: too many programs wait");
	else if (err != OK)
		fail(token, "the token_command cannot be run: it wants the path of a program, and not too much");
}

static struct token *
find(struct tokens *t, struct span command)
{
	struct list *at, *following;

	list_for_each(at, following, &t->all) {
		struct token *token = LIST_ITEM(at, struct token, link);

		if (span_eq(buf_span(&token->command), command))
			return token;
	}
	return NULL;
}

/* Room for one more: the first that nobody waits for. */
static void
make_room(struct tokens *t)
{
	struct list *at, *following;

	list_for_each(at, following, &t->all) {
		struct token *token = LIST_ITEM(at, struct token, link);

		if (t->count < TOKENS_MAX)
			return;
		if (!token->job.order && list_is_empty(&token->waiting))
			token_free(token);
	}
}

static struct token *
token_new(struct tokens *t, struct token_request *request)
{
	struct token *token = calloc(1, sizeof(*token));

	ENSURE(token);
	make_room(t);
	token->tokens = t;
	list_init(&token->waiting);
	token->command = request->command;
	buf_init(&request->command, RUNNER_WORDS_MAX);
	buf_init(&token->text, TOKEN_SIZE_MAX);
	token->text.wipes = true;
	t->count++;
	list_append(&t->all, &token->link);
	return token;
}

static bool
is_good(const struct token *token)
{
	return token->number > 0 &&
		(token->until_ms == 0 || host_steady_ms(token->tokens->host) < token->until_ms);
}

static void
on_ask(void *arg)
{
	struct token_request *request = arg;
	struct tokens *t = request->tokens;
	struct token *token = find(t, buf_span(&request->command));

	if (!token)
		token = token_new(t, request);
	list_remove(&token->link);
	list_append(&t->all, &token->link);
	if (is_good(token)) {
		answer_with(request, token);
		return;
	}
	list_append(&token->waiting, &request->wait);
	if (!token->job.order)
		fetch(token, request->count);
}

struct refusal {
	struct tokens *tokens;
	uint64_t number;
};

static void
on_refused(void *arg)
{
	struct refusal *refusal = arg;
	struct list *at, *following;

	list_for_each(at, following, &refusal->tokens->all) {
		struct token *token = LIST_ITEM(at, struct token, link);

		if (token->number == refusal->number)
			forget(token);
	}
	free(refusal);
}

void
token_refused(struct host *host, uint64_t number)
{
	struct refusal *refusal = calloc(1, sizeof(*refusal));

	ENSURE(refusal);
	*refusal = (struct refusal){ host->tokens, number };
	loop_post(host->tokens->host->loop, on_refused, refusal);
}

/* ---- opening and closing ---- */

struct tokens *
tokens_open(struct host *front)
{
	struct tokens *t = calloc(1, sizeof(*t));

	ENSURE(t);
	t->host = front;
	list_init(&t->all);
	list_init(&t->requests);
	pthread_mutex_init(&t->lock, NULL);
	return t;
}

void
tokens_close(struct tokens **at)
{
	struct tokens *t = *at;

	*at = NULL;
	if (!t)
		return;
	while (!list_is_empty(&t->requests)) {
		struct token_request *request =
			LIST_ITEM(t->requests.next, struct token_request, all);

		if (request->question)
			request->question->request = NULL;
		request_free(request);
	}
	while (!list_is_empty(&t->all))
		token_free(LIST_ITEM(t->all.next, struct token, link));
	pthread_mutex_destroy(&t->lock);
	free(t);
}
