/*
 * intake_body.h - the body of a message as it comes; for intake.c alone.
 *
 * Kept in blocks whose sizes are whole pieces of the store, so that full blocks can go to the writer
 * before the end is here.
 */
#ifndef SERVER_QUEUE_INTAKE_BODY_H
#define SERVER_QUEUE_INTAKE_BODY_H

#include "server/queue/intake.h"

/* Count SIZE bytes more or less against limits.memory_in_flight. */
void intake_charge(struct intake *in, size_t size);
void intake_uncharge(struct intake *in, size_t size);
bool intake_is_crowded(const struct intake *in); /* all intakes together are over the limit */

/* May TEXT be taken now? Where not, full blocks have been given to the writer. */
bool intake_body_has_room(struct intake *in, size_t size);
void intake_body_put(struct intake *in, struct span text);

/* What is held, as spans in the arena: in->spans, in->span_count; mail.body is filled. No job is under way. */
void intake_body_spans(struct intake *in);
void intake_body_free(struct intake *in);

/* A piece job has ended; intake.c goes on from there. */
void intake_piece_done(struct intake *in, enum err result);

/* The holder let go and pieces were written: give them up. IN is freed in the end. */
void intake_body_abandon(struct intake *in);

#endif
