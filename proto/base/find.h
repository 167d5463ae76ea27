/*
 * find.h - a few bytes in many, fast: sixteen places at a time where the processor can.
 */
#ifndef PROTO_BASE_FIND_H
#define PROTO_BASE_FIND_H

#include "proto/base/span.h"

/* Index of the first NEEDLE in HAY, or hay.len. The empty needle is at 0. Linear but for the first 32 bytes of NEEDLE. */
size_t find_bytes(struct span hay, struct span needle);
/* The same where NEEDLE has no ASCII capitals and those of HAY count as small letters. */
size_t find_lower(struct span hay, struct span needle);
/* Index of the first byte that is not ASCII, or text.len. */
size_t find_8bit(struct span text);

#endif
