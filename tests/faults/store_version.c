/*
 * store_version.c - make a store look as if a server of another version had written it.
 *
 *	store_version DIR VERSION
 */
#include <stdio.h>
#include <stdlib.h>

#include "store/commit.h"
#include "store/lmdb_txn.h"
#include "store/record.h"
#include "store/store.h"

#define SCHEMA_RECORD 1
#define SCHEMA_MAGIC "postroom store"

struct version_job {
	struct store_job job;
	uint32_t version;
};

static enum step
version_apply(struct store_job *job, struct txn *txn)
{
	char room[64];
	struct record_out out;
	struct key key;

	record_begin(&out, room, sizeof(room), SCHEMA_RECORD);
	record_put_span(&out, SPAN(SCHEMA_MAGIC));
	record_put_u32(&out, ((struct version_job *)job)->version);
	key_name(&key, SPAN(META_SCHEMA));
	return step_of(job, table_put_record(txn, TABLE_meta, &key, &out));
}

int
main(int argc, char **argv)
{
	struct store_options options = { .mode = STORE_EXCLUSIVE };
	struct version_job v = { .job = { .apply = version_apply } };
	struct store_fault why;
	struct store *store;
	enum err err;

	if (argc != 3)
		return 2;
	options.path = argv[1];
	v.version = (uint32_t)strtoul(argv[2], NULL, 10);
	if (store_open(&options, &store, &why) != OK) {
		fprintf(stderr, "%s\n", why.text);
		return 1;
	}
	err = store_run_job_now(store, &v.job);
	store_close(&store);
	return err == OK ? 0 : 1;
}
