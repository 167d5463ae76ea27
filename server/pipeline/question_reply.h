/*
 * question_reply.h - what a reply to a question of Ask says (DLR-07): which question, and whether to delete.
 *
 * The question is known by the mark in braces at the end of the subject line, which a reply keeps: "Re: Download? Big
 * pictures {4KX09E}". Pure.
 */
#ifndef SERVER_PIPELINE_QUESTION_REPLY_H
#define SERVER_PIPELINE_QUESTION_REPLY_H

#include "proto/base/span.h"

/* The number in SUBJECT, decoded already: of the last mark. False: there is none. */
bool question_reply_number(struct span subject, uint64_t *question_no);

/* Does TEXT, of a reply, begin with the word DELETE? Blanks in front are passed over. */
bool question_reply_deletes(struct span text);

#endif
