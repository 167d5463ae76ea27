/*
 * fuzz.h - what every fuzz target has: an entry, an input, and pieces of it.
 *
 * A target is a call of its parser. Built with clang it is a fuzzer; with run_corpus.c it reads
 * files, so that the corpora run in ./test without clang.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/arena.h"
#include "proto/base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_OUT_MAX (1u << 22) /* bytes that a target may put out */

/* FUZZ(in, a, out) { ... }: IN is the input, A an arena and OUT a buf that are freed afterwards. */
#define FUZZ(in, a, out) \
	static void fuzz_one(struct span in, struct arena *a, struct buf *out); \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) \
	{ \
		struct arena arena; \
		struct buf buf; \
		arena_init(&arena, NULL); \
		buf_init(&buf, FUZZ_OUT_MAX); \
		fuzz_one((struct span){ (const char *)data, size }, &arena, &buf); \
		arena_reset(&arena); \
		buf_fini(&buf); \
		return 0; \
	} \
	static void fuzz_one(struct span in, __attribute__((unused)) struct arena *a, \
		__attribute__((unused)) struct buf *out)

/*
 * Feed IN to STEP in reads whose sizes follow SEED: what is not used stays in front of the next
 * read, in a block of its own size, so that one byte too many is seen. STEP says what it used;
 * SIZE_MAX ends it.
 */
static inline void
fuzz_in_pieces(struct span in, unsigned seed, size_t (*step)(void *, struct span), void *arg)
{
	size_t start = 0, end = 0;

	while (end < in.len) {
		size_t used = 1, grow;
		char *block;

		seed = seed * 1103515245u + 12345u;
		grow = seed >> 16 & 1 ? 1 : 1 + (seed >> 18) % 64;
		end = end + grow < in.len ? end + grow : in.len;
		block = malloc(end - start + 1);
		if (!block)
			return;
		memcpy(block, in.ptr + start, end - start);
		used = step(arg, (struct span){ block, end - start });
		free(block);
		if (used == SIZE_MAX)
			return;
		start += used;
	}
}

#endif
