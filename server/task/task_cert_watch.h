/*
 * task_cert_watch.h - the certificate: taken over when its file is replaced, and a warning 30, 14 and
 * 7 days before its end and at its end (SVC-07).
 *
 * A warning is a line in the log and a mail to the Main Administrator, once for each step of a
 * certificate; what was told is kept in DATA/certificate-told, so that a restart does not repeat it.
 */
#ifndef SERVER_TASK_TASK_CERT_WATCH_H
#define SERVER_TASK_TASK_CERT_WATCH_H

#include "server/host.h"

void task_cert_watch(struct host *host);

#endif
