/*
 * control_mark.c - 128 bits of a text: its hash under two keys that everybody knows.
 */
#include "proto/control/control_mark.h"

#include <stdio.h>

#include "proto/base/hash64.h"

void
control_mark(struct span text, char out[CONTROL_MARK_SIZE])
{
	snprintf(out, CONTROL_MARK_SIZE, "%016llx%016llx",
		(unsigned long long)hash64((struct hash64_key){ 0, 0 }, text),
		(unsigned long long)hash64((struct hash64_key){ 0, 1 }, text));
}
