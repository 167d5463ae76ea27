/*
 * runner_wire.h - what goes between the server and the runner: rows over a socketpair (warden_wire.h).
 *
 * With an order comes a file in memory: the input, then the words, each 0-terminated: first all
 * arguments, then all variables. A script has the input alone. With a report that has output comes another one that holds it.
 */
#ifndef SERVER_RUNNER_RUNNER_WIRE_H
#define SERVER_RUNNER_RUNNER_WIRE_H

#include "server/runner/runner.h"

enum runner_kind { RUNNER_START, RUNNER_CANCEL, RUNNER_SCRIPT };

struct runner_row {
	uint64_t id;
	uint32_t kind;
	uint32_t argc, env_count;
	uint64_t input_size, words_size;
	int64_t timeout_ms;
	uint64_t output_max;
};

struct runner_report {
	uint64_t id;
	int32_t end, number; /* as in struct runner_answer */
	uint64_t output_size;
	char error[RUNNER_LINE_SIZE];
};

#endif
