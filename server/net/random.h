/*
 * random.h - random bytes of the system, for ids, nonces, boundaries and keys (H79).
 */
#ifndef SERVER_NET_RANDOM_H
#define SERVER_NET_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Failure ends the process: nothing that needs chance may go on without it. Any thread. */
void random_fill(void *out, size_t size);
uint64_t random_u64(void);

#endif
