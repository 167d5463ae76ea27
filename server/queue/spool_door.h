/*
 * spool_door.h - the other side of a connection to a folder (FXF-02): messages become files that another server takes.
 *
 * A route of kind spool is delivered to as any server is, by SMTP, over a pair of sockets; workers here answer, each
 * as long as there is something to take, so that backups and exports get theirs. So queue, retries, traces and reports know nothing of files. A message is one file for each recipient:
 *
 *     PATH/in/NAME.eml             X-Envelope-From: and X-Envelope-To: in front     (spool_layout: in)
 *     PATH/out/LOCAL-PART/NAME.eml the text alone                                    (spool_layout: users)
 *
 * LOCAL-PART in any letter case: a folder that is there is used, a new one has small letters.
 *
 * Written under another name, synced, renamed, the folder synced; then 250. NAME is a hash of envelope and text, so a
 * message that is sent again, for we died before its outcome was noted, is the same file; and where its mark says that it
 * was taken already (NAME.eml.taken, source_spool.h), none.
 */
#ifndef SERVER_QUEUE_SPOOL_DOOR_H
#define SERVER_QUEUE_SPOOL_DOOR_H

#include "conf/conf_types.h"
#include "server/host.h"

#define SPOOL_DOOR_RECIPIENTS 100 /* files of one message under way */
#define SPOOL_DOOR_WAIT_S 600	 /* for the next word of our own side */

/*
 * A connection to the folder of ROUTE, whose words are copied: our end of it, non-blocking; -1, and errno says why. It
 * ends when our end is closed.
 */
int spool_door_open(struct host *host, const struct conf_route *route);

struct spool_doors;
/* With the host: no loop runs any more, no worker. May be NULL. */
void spool_doors_close(struct spool_doors **doors);

#endif
