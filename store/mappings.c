/*
 * mappings.c - mappings: found by the hash of their pattern, or by a scan of those with wildcards.
 *
 * mapping_find has a row for each: (hash of the lower-case pattern, id), empty; or for one with a
 * wildcard (0, id) and the pattern itself as the value, so that the scan reads that table alone and
 * looks at the mapping only where the pattern fits.
 */
#include "store/mappings.h"

#include "proto/base/ascii.h"
#include "store/ids.h"
#include "store/mapping_patterns.h"
#include "store/rows.h"

#define HASH_WILDCARD 0
#define PATTERN_VERSION 1

const char *const mapping_when_words[] = { "always", "pop3", "smtp", "sender", NULL };

static const struct field fields[] = {
#define X(name, tag, kind, max, words, flags)                                                      \
	FIELD_ROW(mapping, name, tag, kind, max, words, flags)
	MAPPING_FIELDS(X)
#undef X
};

static const struct mapping defaults = { .when = MAPPING_ALWAYS };

const struct field_table mapping_table = { fields, COUNT(fields), &defaults,
	sizeof(struct mapping) };

/* ---- the rows ---- */

static uint64_t
pattern_hash(struct span pattern)
{
	char lower[MAPPING_PATTERN_MAX];
	uint64_t hash;

	if (pattern_is_wildcard(pattern))
		return HASH_WILDCARD;
	ENSURE(pattern.len <= sizeof(lower));
	for (size_t i = 0; i < pattern.len; i++)
		lower[i] = ascii_lower(pattern.ptr[i]);
	hash = key_hash((struct span){ lower, pattern.len });
	return hash == HASH_WILDCARD ? 1 : hash;
}

static enum err
find_put(struct txn *txn, const struct mapping *m)
{
	char room[RECORD_HEAD + MAPPING_PATTERN_MAX + 10];
	uint64_t hash = pattern_hash(m->pattern);
	struct record_out out;
	struct key key;

	key_u64_u64(&key, hash, m->mapping_id);
	if (hash != HASH_WILDCARD)
		return row_put(txn, TABLE_mapping_find, &key, SPAN_NONE);
	record_begin(&out, room, sizeof(room), PATTERN_VERSION);
	record_put_span(&out, m->pattern);
	return row_put_record(txn, TABLE_mapping_find, &key, &out);
}

static enum err
mapping_put(struct txn *txn, const struct mapping *m)
{
	struct key key;

	key_u64(&key, m->mapping_id);
	return row_put_fields(txn, TABLE_mappings, &key, &mapping_table, m);
}

enum err
mapping_find(struct snapshot *snap, uint64_t mapping_id, struct mapping *out)
{
	struct key key;
	enum err err;

	key_u64(&key, mapping_id);
	err = row_get_fields(snap, TABLE_mappings, &key, &mapping_table, out);
	out->mapping_id = mapping_id;
	return err;
}

static enum err
mapping_of_row(struct snapshot *snap, const struct row *row, struct mapping *out)
{
	struct span key = row->key;
	enum err err = row_fields(snap, TABLE_mappings, row, &mapping_table, out);

	return err == OK ? key_take_u64(&key, &out->mapping_id) : err;
}

enum err
mapping_next(struct snapshot *snap, uint64_t mapping_id, struct mapping *out)
{
	struct row row;
	enum err err = table_seek_after(snap, TABLE_mappings, mapping_id, &row);

	return err == OK ? mapping_of_row(snap, &row, out) : err;
}

enum err
mapping_prev(struct snapshot *snap, uint64_t mapping_id, struct mapping *out)
{
	struct key key;
	struct row row;
	enum err err;

	key_u64(&key, mapping_id == 0 ? UINT64_MAX : mapping_id);
	err = table_seek_before(snap, TABLE_mappings, &key, &row);
	return err == OK ? mapping_of_row(snap, &row, out) : err;
}

enum err
mapping_count(struct snapshot *snap, struct mapping_counts *out)
{
	struct counts counts;
	enum err err = counts_get(snap, &counts);

	out->total = counts.at[COUNT_mappings];
	out->wildcards = counts.at[COUNT_mapping_wildcards];
	return err;
}

/* ---- looking up ---- */

static enum err
find_take(const struct row *row, uint64_t hash, uint64_t *id)
{
	struct span key = row->key;
	uint64_t got;

	if (key_take_u64(&key, &got) != OK || key_take_u64(&key, id) != OK)
		return ERR_CORRUPT;
	return got == hash ? OK : ERR_NOT_FOUND;
}

/* Of the rows of mapping_find under HASH the next one after *ID, by a search of its own. */
static enum err
find_next(struct snapshot *snap, uint64_t hash, uint64_t *id, struct row *row)
{
	struct key key;
	enum err err;

	key_u64_u64(&key, hash, *id + 1);
	err = table_seek(snap, TABLE_mapping_find, &key, row);
	return err == OK ? find_take(row, hash, id) : err;
}

/* The row behind ROW: faster, but nobody else may walk that table meanwhile. */
static enum err
find_step(struct snapshot *snap, uint64_t hash, uint64_t *id, struct row *row)
{
	enum err err = table_next(snap, TABLE_mapping_find, row);

	return err == OK ? find_take(row, hash, id) : err;
}

/* The pattern of a wildcard's row. */
static enum err
wildcard_pattern(struct snapshot *snap, const struct row *row, struct span *pattern)
{
	struct record_in in;
	enum err err = row_record(snap, TABLE_mapping_find, row, PATTERN_VERSION, &in);

	if (err != OK)
		return err;
	*pattern = record_take_span(&in);
	return record_end(&in);
}

static bool
condition_holds(const struct mapping_query *query, const struct mapping *m)
{
	if (m->when == MAPPING_SENDER || query->from == MAPPING_SENDER)
		return m->when == query->from;
	if (m->when == MAPPING_ALWAYS)
		return true;
	if (m->when != query->from)
		return false;
	return m->when != MAPPING_POP3 || m->collect.len == 0 ||
	       span_eq_nocase(m->collect, query->collect);
}

/* A row of the index that leads nowhere is damage. */
static enum err
mapping_of_find(struct snapshot *snap, uint64_t id, struct mapping *m)
{
	enum err err = mapping_find(snap, id, m);

	return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
}

/* All whose pattern, without a wildcard, is PATTERN. QUERY NULL: whatever their condition. */
static enum err
each_exact(struct snapshot *snap, struct span pattern, const struct mapping_query *query,
	mapping_fn *fn, void *arg)
{
	uint64_t hash = pattern_hash(pattern), id = 0;
	struct mapping m;
	struct row row;
	enum err err;

	while ((err = find_next(snap, hash, &id, &row)) == OK) {
		err = mapping_of_find(snap, id, &m);
		if (err != OK)
			return err;
		if (!span_eq_nocase(m.pattern, pattern))
			continue; /* another of the same hash */
		if (query != NULL && !condition_holds(query, &m))
			continue;
		err = fn(arg, &m);
		if (err != OK)
			return err;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
each_wildcard(struct snapshot *snap, const struct address_text *text,
	const struct mapping_query *query, mapping_fn *fn, void *arg)
{
	struct span pattern;
	struct mapping m;
	struct row row;
	uint64_t id = 0;
	enum err err = find_next(snap, HASH_WILDCARD, &id, &row);

	for (; err == OK; err = find_step(snap, HASH_WILDCARD, &id, &row)) {
		err = wildcard_pattern(snap, &row, &pattern);
		if (err != OK)
			return err;
		if (!pattern_fits(pattern, text, query->domain_is_valid))
			continue;
		err = mapping_of_find(snap, id, &m);
		if (err == OK && condition_holds(query, &m))
			err = fn(arg, &m);
		if (err != OK)
			return err;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/*
 * A local-part may hold '*' or '?': as a pattern that would be a wildcard, so it has no exact
 * row.
 */
static bool
may_be_exact(struct span text)
{
	return text.len <= MAPPING_PATTERN_MAX && !pattern_is_wildcard(text);
}

enum err
mapping_each_match(
	struct snapshot *snap, const struct mapping_query *query, mapping_fn *fn, void *arg)
{
	struct address_text text;
	enum err err = OK;

	if (!address_text(&text, query->local_part, query->domain))
		return OK; /* longer than any pattern */
	if (may_be_exact(text.whole))
		err = each_exact(snap, text.whole, query, fn, arg);
	if (err == OK && query->domain_is_valid && may_be_exact(text.local_part) &&
		span_find(text.local_part, '@') == text.local_part.len)
		err = each_exact(snap, text.local_part, query, fn, arg);
	if (err == OK)
		err = each_wildcard(snap, &text, query, fn, arg);
	return err;
}

enum err
mapping_each_catch_all(
	struct snapshot *snap, const struct mapping_query *query, mapping_fn *fn, void *arg)
{
	struct address_text text;

	if (!address_text(&text, SPAN("~"), query->domain) || !may_be_exact(text.whole))
		return OK;
	return each_exact(snap, text.whole, query, fn, arg);
}

enum err
mapping_each_pattern(struct snapshot *snap, struct span pattern, mapping_fn *fn, void *arg)
{
	struct span row_pattern;
	struct mapping m;
	struct row row;
	uint64_t id = 0;
	enum err err;

	if (mapping_pattern_check(pattern) != OK)
		return OK; /* there can be none */
	if (!pattern_is_wildcard(pattern))
		return each_exact(snap, pattern, NULL, fn, arg);
	while ((err = find_next(snap, HASH_WILDCARD, &id, &row)) == OK) {
		err = wildcard_pattern(snap, &row, &row_pattern);
		if (err == OK && !span_eq_nocase(row_pattern, pattern))
			continue;
		if (err == OK)
			err = mapping_of_find(snap, id, &m);
		if (err == OK)
			err = fn(arg, &m);
		if (err != OK)
			return err;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/* ---- writing ---- */

static enum err
refuse_twin(void *arg, const struct mapping *other)
{
	const struct mapping *m = arg;
	bool same = span_eq_nocase(m->target, other->target) && m->when == other->when &&
		    span_eq_nocase(m->collect, other->collect);

	return same && m->mapping_id != other->mapping_id ? ERR_EXISTS : OK;
}

/* May M be written? OLD_PATTERN: what it had so far, or none. */
static enum err
mapping_check(struct txn *txn, const struct mapping *m, struct span old_pattern)
{
	struct mapping_counts counts;
	struct mapping copy = *m;
	enum err err = fields_check(&mapping_table, m, NULL);

	if (err == OK)
		err = mapping_pattern_check(m->pattern);
	if (err != OK)
		return err;
	if (m->target.len == 0)
		return ERR_SYNTAX;
	if (field_characters(m->comment) > MAPPING_COMMENT_MAX)
		return ERR_LIMIT;
	err = mapping_count(txn_view(txn), &counts);
	if (err != OK)
		return err;
	if (old_pattern.len == 0 && counts.total >= MAPPINGS_MAX)
		return ERR_LIMIT;
	if (pattern_is_wildcard(m->pattern) && !pattern_is_wildcard(old_pattern) &&
		counts.wildcards >= MAPPING_WILDCARDS_MAX)
		return ERR_LIMIT;
	return mapping_each_pattern(txn_view(txn), m->pattern, refuse_twin, &copy);
}

enum err
mapping_add(struct txn *txn, const struct mapping *mapping, int64_t now_ms, uint64_t *mapping_id)
{
	struct mapping made = *mapping;
	enum err err;

	made.mapping_id = 0;
	made.created_ms = made.changed_ms = now_ms;
	err = mapping_check(txn, &made, SPAN_NONE);
	if (err != OK)
		return err;
	made.mapping_id = *mapping_id = id_next(txn, COUNTER_mapping);
	err = find_put(txn, &made);
	return err == OK ? mapping_put(txn, &made) : err;
}

enum err
mapping_set(struct txn *txn, const struct mapping *mapping, int64_t now_ms)
{
	struct mapping made = *mapping, old;
	struct arena arena;
	struct key key;
	enum err err = mapping_find(txn_view(txn), mapping->mapping_id, &old);

	if (err != OK)
		return err;
	made.created_ms = old.created_ms;
	made.changed_ms = now_ms;
	err = mapping_check(txn, &made, old.pattern);
	if (err != OK)
		return err;
	arena_init(&arena, NULL); /* MADE may lie in the map, which the writes below move */
	fields_copy(&mapping_table, &made, &arena);
	key_u64_u64(&key, pattern_hash(old.pattern), made.mapping_id);
	err = row_delete(txn, TABLE_mapping_find, &key);
	if (err == OK)
		err = find_put(txn, &made);
	if (err == OK)
		err = mapping_put(txn, &made);
	arena_reset(&arena);
	return err;
}

enum err
mapping_remove(struct txn *txn, uint64_t mapping_id)
{
	struct mapping m;
	struct key key;
	enum err err = mapping_find(txn_view(txn), mapping_id, &m);

	if (err != OK)
		return err;
	key_u64_u64(&key, pattern_hash(m.pattern), mapping_id);
	err = row_delete(txn, TABLE_mapping_find, &key);
	key_u64(&key, mapping_id);
	return err == OK ? row_delete(txn, TABLE_mappings, &key) : err;
}

/* ---- for check.c ---- */

bool
mapping_is_indexed(struct snapshot *snap, const struct mapping *m)
{
	struct span value;
	struct key key;

	key_u64_u64(&key, pattern_hash(m->pattern), m->mapping_id);
	return table_get(snap, TABLE_mapping_find, &key, &value) == OK;
}

bool
mapping_index_holds(struct snapshot *snap, const struct row *row)
{
	struct span key = row->key, pattern;
	struct mapping m;
	uint64_t hash, id;

	if (key_take_u64(&key, &hash) != OK || key_take_u64(&key, &id) != OK)
		return false;
	if (mapping_find(snap, id, &m) != OK || pattern_hash(m.pattern) != hash)
		return false;
	return hash != HASH_WILDCARD || (wildcard_pattern(snap, row, &pattern) == OK &&
						span_eq_nocase(pattern, m.pattern));
}

enum err
mapping_reindex(struct txn *txn, uint64_t mapping_id)
{
	struct mapping m;
	enum err err = mapping_find(txn_view(txn), mapping_id, &m);

	return err == OK ? find_put(txn, &m) : err;
}
