/*
 * control_mark.h - the mark of a text that one side has read and the other compares: is it still the same?
 *
 * It tells one edit of a file from another; it is no seal against somebody who makes texts for it.
 */
#ifndef PROTO_CONTROL_CONTROL_MARK_H
#define PROTO_CONTROL_CONTROL_MARK_H

#include "proto/base/span.h"

#define CONTROL_MARK_SIZE 33 /* 32 hexadecimal digits and the end */

void control_mark(struct span text, char out[CONTROL_MARK_SIZE]);

#endif
