/*
 * warden.h - the first process: keeps the rights it was started with, reads nothing from the network.
 */
#ifndef SERVER_WARDEN_WARDEN_H
#define SERVER_WARDEN_WARDEN_H

#include "server/server.h"

#define WARDEN_USER "postroom" /* the server runs as it when the warden is root and it exists */
#define WARDEN_NOBODY "nobody"  /* programs and scripts do, where the server stays root */

/*
 * Start the server as a child that has given up its rights, answer its requests, forward SIGTERM,
 * SIGINT and SIGHUP, and return the server's exit status. OPTIONS->warden_fd is filled here.
 */
int warden_run(struct server_options *options);

#endif
