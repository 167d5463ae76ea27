/*
 * outgoing_header.h - the header as it goes to the Internet: once, in the Internet copy only (OUT-10).
 *
 *     reply addresses of users (USR-31)  ->  domain map (LOC-06)  ->  modifiers (HDR-01)        Q-73
 *
 * Folders and LAN copies keep what came (HDR-02).
 */
#ifndef SERVER_PIPELINE_OUTGOING_HEADER_H
#define SERVER_PIPELINE_OUTGOING_HEADER_H

#include "server/pipeline/pipeline.h"

/*
 * Fill plan->header_outgoing from HEADER, which goes elsewhere, where anything of it changes, with a note
 * for each change. The modifiers are for mail of users alone. ERR_IO: the store could not be read.
 */
MUST_CHECK enum err outgoing_header_make(
	struct pipeline_ask *ask, struct span header, struct plan *plan);

#endif
