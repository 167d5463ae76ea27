/*
 * dkim_keys.h - keys that sign mail of a domain: one row for each domain and selector.
 *
 *     from_ms 0              waits     made, to be published; signs nothing until it is used
 *     from_ms in the future  waits     begins by itself
 *     from_ms has come       signs
 *     until_ms has come      retired   its record stays published while mail that it signed is under way
 *
 * The state follows from the clock alone, so a rotation needs nobody to be awake. What signs is sealed (H65), under
 * the name that dkim_key_name() gives; sealing is the server's business. All is recorded, so it can be undone.
 *
 * Errors: ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO, for writes ERR_FULL. Spans live as users.h says.
 */
#ifndef STORE_DKIM_KEYS_H
#define STORE_DKIM_KEYS_H

#include "store/fields.h"

struct snapshot;
struct txn;

#define DKIM_KEYS_MAX 1000         /* in all */
#define DKIM_KEY_DOMAIN_MAX 253    /* bytes, A-labels, lower case */
#define DKIM_KEY_SELECTOR_MAX 63   /* bytes, lower case */
#define DKIM_KEY_PUBLIC_MAX 600    /* bytes */
#define DKIM_KEY_SEALED_MAX 2500   /* bytes: RSA of 4096 bits, sealed */
#define DKIM_KEY_NAME_SIZE (6 + DKIM_KEY_DOMAIN_MAX + DKIM_KEY_SELECTOR_MAX + 1)

enum dkim_key_state { DKIM_KEY_WAITS, DKIM_KEY_SIGNS, DKIM_KEY_RETIRED };
extern const char *const dkim_key_state_words[];     /* waits signs retired */
extern const char *const dkim_key_algorithm_words[]; /* rsa ed25519, as enum dkim_algorithm */

struct dkim_key {
	struct span domain, selector; /* the key */
	uint8_t algorithm;	      /* enum dkim_algorithm of proto/auth/dkim.h */
	uint64_t bits;
	struct span public; /* as crypto.h gives it */
	struct span sealed;
	int64_t made_ms, from_ms, until_ms; /* 0: not yet */
};
extern const struct field_table dkim_key_table;

/* At NOW_MS. Pure. */
enum dkim_key_state dkim_key_state(const struct dkim_key *key, int64_t now_ms);
/* "dkim/example.org/s1": what its sealed form is bound to. Lives in OUT. */
struct span dkim_key_name(const struct dkim_key *key, char out[DKIM_KEY_NAME_SIZE]);

MUST_CHECK enum err dkim_key_find(struct snapshot *snap, struct span domain, struct span selector,
	struct dkim_key *out);
/* The first behind OUT's own domain and selector, by domain, then selector; empty ones are the front. */
MUST_CHECK enum err dkim_key_next(struct snapshot *snap, struct dkim_key *out);
/* The same while it is of DOMAIN; an empty selector is the front. */
MUST_CHECK enum err dkim_key_next_of(
	struct snapshot *snap, struct span domain, struct dkim_key *out);

/* Add or change. ERR_LIMIT: a bound above, or DKIM_KEYS_MAX. Spans must not point into the map. */
MUST_CHECK enum err dkim_key_put(struct txn *txn, const struct dkim_key *key);
MUST_CHECK enum err dkim_key_remove(struct txn *txn, struct span domain, struct span selector);

#endif
