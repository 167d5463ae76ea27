/*
 * warden_wire.h - one row with at most one descriptor; SOCK_SEQPACKET keeps rows whole.
 */
#ifndef SERVER_WARDEN_WARDEN_WIRE_H
#define SERVER_WARDEN_WARDEN_WIRE_H

#include <stddef.h>

#include "server/warden/warden_requests.h"

bool warden_send(int sock, const void *row, size_t size, int fd);
int warden_receive(int sock, void *row, size_t size, int *fd);

#endif
