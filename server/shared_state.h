/*
 * shared_state.h - what is behind struct shared, for shared.c and shared_logins.c alone.
 */
#ifndef SERVER_SHARED_STATE_H
#define SERVER_SHARED_STATE_H

#include <pthread.h>

#include "server/shared.h"

#define BUCKETS 4096 /* a power of two */
#define LOGIN_ID_SIZE 16
#define REMEMBERED_HASH_SIZE 32

/* Rows in buckets by a hash, and in one list by age. */
struct table {
	struct list buckets[BUCKETS];
	struct list by_age; /* the oldest first */
	size_t count;
};

struct shared {
	pthread_mutex_t lock;
	unsigned by_service[SHARED_SERVICES_MAX];
	unsigned total;
	struct list addresses[BUCKETS];
	struct list pop3_locks[BUCKETS];
	struct list sessions; /* by rising id */
	unsigned session_count;
	uint64_t last_id;
	struct table attempts, remembered;
	unsigned char *key; /* of this process, in locked memory */
};

void table_init(struct table *t);
uint64_t hash_bytes(const void *bytes, size_t size);

MUST_CHECK enum err shared_logins_init(struct shared *sh);
void shared_logins_fini(struct shared *sh);

#endif
