/*
 * text_fill.h - the texts of texts.* with their values in them (ADM-12).
 *
 * TEXT is an administrator's: %1 and %2 stand for ONE and TWO, %% for a per cent sign, and any other '%' for
 * itself. The values are put as they are. Lives in A.
 */
#ifndef PROTO_BASE_TEXT_FILL_H
#define PROTO_BASE_TEXT_FILL_H

#include "proto/base/arena.h"

struct span text_fill(struct arena *a, struct span text, struct span one, struct span two);

#endif
