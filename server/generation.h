/*
 * generation.h - a configuration that many look at: counted, freed after the last.
 */
#ifndef SERVER_GENERATION_H
#define SERVER_GENERATION_H

#include "conf/conf.h"

struct generation;

struct generation *generation_new(struct conf *conf); /* takes CONF over; the caller holds one */
const struct conf *generation_conf(const struct generation *g);
struct generation *generation_hold(struct generation *g); /* any thread */
bool generation_is_last(const struct generation *g); /* the caller's is the only hold */
void generation_release(struct generation **g);		  /* any thread; clears it */

#endif
