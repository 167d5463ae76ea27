/*
 * tokens.h - access tokens that a program prints (RFC 7628, XOAUTH2), for whoever logs in elsewhere.
 *
 * The front loop keeps one token for each command, in memory only, until it is refused or its life is over; who
 * asks meanwhile waits for the one that is being fetched. A program says either the token alone, on one line,
 * or a JSON object with "access_token" and, where it is known, "expires_in" in seconds (RFC 6749, 5.1).
 */
#ifndef SERVER_RUNNER_TOKENS_H
#define SERVER_RUNNER_TOKENS_H

#include "proto/base/span.h"
#include "server/host.h"
#include "server/runner/runner.h"

#define TOKENS_MAX 100		 /* commands; the one that was not asked for longest goes first */
#define TOKENS_WAITING_MAX 10000 /* questions under way; beyond it ERR_BUSY */
#define TOKEN_SIZE_MAX 12000	 /* bytes; base64 of it and the name fit into a response */
#define TOKEN_MARGIN_MS 60000	 /* it is not used in the last minute, or tenth, of its life */

struct tokens;
struct token_request;

struct token_answer {
	enum err err; /* OK; ERR_BUSY: too many ask; ERR_IO: the program failed, or printed no token */
	struct span token; /* lives for the call of `done`, then wiped (H66) */
	uint64_t number;   /* for token_refused() */
	const char *why;   /* one line, where ERR is not OK; of the program its first line of standard error alone */
};

/* Embedded in whoever asks, zeroed at first; not to be moved or freed before `done`. */
struct token_question {
	void (*done)(struct token_question *q, const struct token_answer *answer);
	struct token_request *request; /* NULL: nothing is under way */
};

/*
 * The token that COMMAND prints; exactly one `done` follows, on this loop, never in this call,
 * unless it is cancelled.
 */
void token_ask(struct host *host, struct token_question *q, const struct span *command, size_t count);
void token_cancel(struct token_question *q); /* on the loop that asked */
/* That token is no good any more: whoever asks behind this gets another one. Any loop. */
void token_refused(struct host *host, uint64_t number);

struct tokens *tokens_open(struct host *front);
void tokens_close(struct tokens **t); /* no loop runs, and the runner has been closed */

/* What a program printed. ERR_SYNTAX: no token. LIFE_MS 0: unknown. TOKEN lives in A, or in TEXT. */
MUST_CHECK enum err token_read(
	struct arena *a, struct span text, struct span *token, int64_t *life_ms);

#endif
