/*
 * intake_derive.h - what readers of a mailbox want ready, made while the message comes; for intake.c.
 *
 * One pass over header and body (mime_parser.h). What it holds is counted like the text itself.
 */
#ifndef SERVER_QUEUE_INTAKE_DERIVE_H
#define SERVER_QUEUE_INTAKE_DERIVE_H

#include "server/queue/intake.h"

/* The next bytes of the body; in->header is whole. */
void intake_derive_body(struct intake *in, struct span body);
void intake_derive_put(struct intake *in, struct span body); /* uncounted: any thread */
/* The record beside HEADER, into in->derived; any number of times, for each header that somebody gets. */
void intake_derive_end(struct intake *in, struct span header);

#endif
