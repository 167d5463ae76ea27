/*
 * control_methods_copies.h - rows of control_methods.h, which says what they mean: who gets a copy, and
 * why. One macro for each area (rules, archive, journal, ...), all of them named in the last one.
 */
#ifndef PROTO_CONTROL_CONTROL_METHODS_COPIES_H
#define PROTO_CONTROL_CONTROL_METHODS_COPIES_H

#define CONTROL_METHODS_RULES(X)

#define CONTROL_METHODS_COPIES(X) \
	CONTROL_METHODS_RULES(X)

#endif
