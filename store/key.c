/*
 * key.c - big-endian numbers in keys.
 */
#include "store/key.h"

#include <endian.h>

void
key_put_bytes(struct key *key, struct span bytes)
{
	ENSURE(bytes.len <= KEY_MAX - key->len);
	if (bytes.len)
		memcpy(key->bytes + key->len, bytes.ptr, bytes.len);
	key->len += bytes.len;
}

void
key_put_u8(struct key *key, uint8_t value)
{
	key_put_bytes(key, (struct span){ (const char *)&value, sizeof(value) });
}

void
key_put_u32(struct key *key, uint32_t value)
{
	value = htobe32(value);
	key_put_bytes(key, (struct span){ (const char *)&value, sizeof(value) });
}

void
key_put_u64(struct key *key, uint64_t value)
{
	value = htobe64(value);
	key_put_bytes(key, (struct span){ (const char *)&value, sizeof(value) });
}

void
key_put_name(struct key *key, struct span name)
{
	key_put_bytes(key, name);
	key_put_u8(key, 0);
}

void
key_u64(struct key *key, uint64_t a)
{
	key_begin(key);
	key_put_u64(key, a);
}

void
key_u64_u32(struct key *key, uint64_t a, uint32_t b)
{
	key_u64(key, a);
	key_put_u32(key, b);
}

void
key_u64_u64(struct key *key, uint64_t a, uint64_t b)
{
	key_u64(key, a);
	key_put_u64(key, b);
}

void
key_name(struct key *key, struct span name)
{
	key_begin(key);
	key_put_bytes(key, name);
}

/* FNV-1a. On disk for ever: do not change it without a new STORE_SCHEMA_VERSION. */
uint64_t
key_hash(struct span name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < name.len; i++)
		hash = (hash ^ (unsigned char)name.ptr[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static enum err
take(struct span *key, void *out, size_t size)
{
	if (key->len < size) {
		*key = SPAN_NONE;
		memset(out, 0, size);
		return ERR_CORRUPT;
	}
	memcpy(out, key->ptr, size);
	*key = span_from(*key, size);
	return OK;
}

enum err
key_take_u8(struct span *key, uint8_t *out)
{
	return take(key, out, sizeof(*out));
}

enum err
key_take_u32(struct span *key, uint32_t *out)
{
	enum err err = take(key, out, sizeof(*out));

	*out = be32toh(*out);
	return err;
}

enum err
key_take_u64(struct span *key, uint64_t *out)
{
	enum err err = take(key, out, sizeof(*out));

	*out = be64toh(*out);
	return err;
}
