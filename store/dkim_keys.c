/*
 * dkim_keys.c - rows of keys that sign mail.
 */
#include "store/dkim_keys.h"

#include <string.h>

#include "store/rows.h"

const char *const dkim_key_state_words[] = { "waits", "signs", "retired", NULL };
const char *const dkim_key_algorithm_words[] = { "rsa", "ed25519", NULL };

#define KEY_FIELDS(X)                                                                              \
	X(algorithm, 1, FIELD_WORD, 1, dkim_key_algorithm_words, FIELD_SHOWN)                      \
	X(bits, 2, FIELD_COUNT, 65536, NULL, FIELD_SHOWN)                                          \
	X(public, 3, FIELD_BYTES, DKIM_KEY_PUBLIC_MAX, NULL, 0)                                    \
	X(sealed, 4, FIELD_BYTES, DKIM_KEY_SEALED_MAX, NULL, FIELD_SECRET)                         \
	X(made_ms, 5, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)                                    \
	X(from_ms, 6, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)                                    \
	X(until_ms, 7, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)

static const struct field fields[] = {
#define X(name, tag, kind, max, words, flags)                                                      \
	FIELD_ROW(dkim_key, name, tag, kind, max, words, flags)
	KEY_FIELDS(X)
#undef X
};

static const struct dkim_key defaults;

const struct field_table dkim_key_table = { fields, COUNT(fields), &defaults,
	sizeof(struct dkim_key) };

enum dkim_key_state
dkim_key_state(const struct dkim_key *key, int64_t now_ms)
{
	if (key->until_ms != 0 && key->until_ms <= now_ms)
		return DKIM_KEY_RETIRED;
	return key->from_ms != 0 && key->from_ms <= now_ms ? DKIM_KEY_SIGNS : DKIM_KEY_WAITS;
}

struct span
dkim_key_name(const struct dkim_key *key, char out[DKIM_KEY_NAME_SIZE])
{
	const struct span parts[] = { SPAN("dkim/"), key->domain, SPAN("/"), key->selector };
	size_t len = 0;

	for (size_t i = 0; i < COUNT(parts); i++) {
		ENSURE(parts[i].len < DKIM_KEY_NAME_SIZE - len);
		memcpy(out + len, parts[i].ptr, parts[i].len);
		len += parts[i].len;
	}
	return (struct span){ out, len };
}

/* ---- reading ---- */

static bool
is_key(struct span domain, struct span selector)
{
	return domain.len > 0 && domain.len <= DKIM_KEY_DOMAIN_MAX && selector.len > 0 &&
	       selector.len <= DKIM_KEY_SELECTOR_MAX;
}

static void
key_make(struct key *key, struct span domain, struct span selector)
{
	key_begin(key);
	key_put_name(key, domain);
	key_put_bytes(key, selector);
}

enum err
dkim_key_find(
	struct snapshot *snap, struct span domain, struct span selector, struct dkim_key *out)
{
	struct key key;
	enum err err;

	if (!is_key(domain, selector))
		return ERR_NOT_FOUND;
	key_make(&key, domain, selector);
	err = row_get_fields(snap, TABLE_dkim_keys, &key, &dkim_key_table, out);
	out->domain = domain;
	out->selector = selector;
	return err;
}

enum err
dkim_key_next(struct snapshot *snap, struct dkim_key *out)
{
	struct span selector;
	struct key key;
	struct row row;
	enum err err;

	key_make(&key, out->domain, out->selector);
	if (out->selector.len > 0)
		key_put_u8(&key, 0); /* behind it */
	err = table_seek(snap, TABLE_dkim_keys, &key, &row);
	if (err == OK)
		err = row_fields(snap, TABLE_dkim_keys, &row, &dkim_key_table, out);
	if (err == OK && span_cut(row.key, 0, &out->domain, &selector)) {
		out->selector = selector;
		return OK;
	}
	return err == OK ? ERR_CORRUPT : err;
}

enum err
dkim_key_next_of(struct snapshot *snap, struct span domain, struct dkim_key *out)
{
	enum err err;

	out->domain = domain;
	err = dkim_key_next(snap, out);
	return err == OK && !span_eq(out->domain, domain) ? ERR_NOT_FOUND : err;
}

/* ---- writing ---- */

enum err
dkim_key_put(struct txn *txn, const struct dkim_key *key)
{
	struct span value;
	struct key at;
	uint64_t count;
	enum err err;

	if (!is_key(key->domain, key->selector))
		return ERR_LIMIT;
	err = fields_check(&dkim_key_table, key, NULL);
	key_make(&at, key->domain, key->selector);
	if (err == OK && table_get(txn_view(txn), TABLE_dkim_keys, &at, &value) == ERR_NOT_FOUND) {
		err = table_count(txn_view(txn), TABLE_dkim_keys, &count);
		if (err == OK && count >= DKIM_KEYS_MAX)
			err = ERR_LIMIT;
	}
	return err == OK ? row_put_fields(txn, TABLE_dkim_keys, &at, &dkim_key_table, key) : err;
}

enum err
dkim_key_remove(struct txn *txn, struct span domain, struct span selector)
{
	struct key key;

	if (!is_key(domain, selector))
		return ERR_NOT_FOUND;
	key_make(&key, domain, selector);
	return row_delete(txn, TABLE_dkim_keys, &key);
}
