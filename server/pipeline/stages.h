/*
 * stages.h - the functions that the table of stages names.
 */
#ifndef SERVER_PIPELINE_STAGES_H
#define SERVER_PIPELINE_STAGES_H

#include "server/pipeline/pipeline.h"

enum verdict stage_limits(struct pipeline_ask *ask, enum phase phase, struct plan *plan);
enum verdict stage_sender(struct pipeline_ask *ask, enum phase phase, struct plan *plan);
enum verdict stage_mapping(struct pipeline_ask *ask, enum phase phase, struct plan *plan);
enum verdict stage_place(struct pipeline_ask *ask, enum phase phase, struct plan *plan);

/* The store could not be read (logged there): 451, and nothing is lost. */
enum verdict stage_trouble(struct plan *plan);

#endif
