/*
 * fuzz_nonce.h - for targets that log in: every mechanism, and the nonce that the corpus knows.
 */
#ifndef TESTS_FUZZ_FUZZ_NONCE_H
#define TESTS_FUZZ_FUZZ_NONCE_H

#include "proto/sasl/sasl.h"

#define ALL_MECHANISMS ((1u << SASL_MECHANISMS) - 1)

static inline void
fuzz_nonce(struct sasl_nonce *nonce)
{
	*nonce = (struct sasl_nonce){ .len = 4, .text = "ours" };
}

#endif
