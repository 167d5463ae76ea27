/*
 * rule_hits.c - a row a rule.
 */
#include "store/rule_hits.h"

#define HITS_VERSION 1
#define HITS_ROOM (RECORD_HEAD + 3 * 8 + RULE_HIT_HOURS * 4)

static enum err
read_row(struct record_in *in, struct rule_hits *out)
{
	out->total = record_take_u64(in);
	out->last_ms = (int64_t)record_take_u64(in);
	out->hour = record_take_u64(in);
	for (size_t i = 0; i < RULE_HIT_HOURS; i++)
		out->hours[i] = record_take_u32(in);
	return record_end(in);
}

enum err
rule_hits_decode(struct snapshot *snap, const struct row *row, struct rule_hits *out)
{
	struct span bytes = row->key;
	struct record_in in;
	enum err err;

	*out = (struct rule_hits){ 0 };
	if (key_take_u64(&bytes, &out->key) != OK)
		return table_damaged(snap, TABLE_rule_hits, row->key, "key");
	err = row_record(snap, TABLE_rule_hits, row, HITS_VERSION, &in);
	return err == OK ? read_row(&in, out) : err;
}

enum err
rule_hits_next(struct snapshot *snap, uint64_t after, struct rule_hits *out)
{
	struct row row;
	enum err err = table_seek_after(snap, TABLE_rule_hits, after, &row);

	return err == OK ? rule_hits_decode(snap, &row, out) : err;
}

enum err
rule_hits_put(struct txn *txn, const struct rule_hits *hits)
{
	char room[HITS_ROOM];
	struct record_out out;
	struct key key;

	key_u64(&key, hits->key);
	record_begin(&out, room, sizeof(room), HITS_VERSION);
	record_put_u64(&out, hits->total);
	record_put_u64(&out, (uint64_t)hits->last_ms);
	record_put_u64(&out, hits->hour);
	for (size_t i = 0; i < RULE_HIT_HOURS; i++)
		record_put_u32(&out, hits->hours[i]);
	return table_put_record(txn, TABLE_rule_hits, &key, &out);
}
