/*
 * store_make.c - a new store appears whole or not at all; a foreign, newer or torn one is refused.
 */
#include "store/store_make.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store_dir.h"

#define MAKING_DIR "making" /* where the first data file is written */
#define DATA_FILE "data.mdb"
#define LOCK_FILE "lock.mdb"
#define SCHEMA_RECORD 1 /* version of the record itself */
#define SCHEMA_MAGIC "postroom store"
#define LMDB_MAGIC 0xbeefc0deu
#define LMDB_MAGIC_AT 16 /* bytes: behind the page's head */
#define TABLES_SPARE 8   /* named databases beyond schema.h, of a newer server's tables */
#define LOCK_READERS 126 /* of LMDB's lock file, at least: its own default */
#define LOCK_READER 64   /* bytes */
#define LOCK_PAGE 4096

/* ---- opening the environment ---- */

/* LMDB leaves its data file open over an exec (H62). */
static int
env_close_on_exec(MDB_env *env)
{
	mdb_filehandle_t fd;
	int rc = mdb_env_get_fd(env, &fd);

	if (rc != 0)
		return rc;
	return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? 0 : errno;
}

/*
 * LMDB maps its lock file; a page of it that finds no room on a full disk would be a SIGBUS (H43).
 * The same room whoever opens it, so that a check needs none that the server had not.
 */
static int
lock_file_allocate(const char *dir, unsigned readers)
{
	size_t slots = (readers > LOCK_READERS ? readers : LOCK_READERS) + 2; /* two of head */
	size_t size = (slots * LOCK_READER + LOCK_PAGE - 1) / LOCK_PAGE * LOCK_PAGE;
	char path[STORE_PATH_MAX];
	int fd, rc = 0;

	if (store_dir_path(dir, LOCK_FILE, path, sizeof(path)) != OK)
		return ENAMETOOLONG;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return 0; /* LMDB will say it */
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)size) != 0 && errno != EOPNOTSUPP && errno != ENOSYS)
		rc = errno;
	close(fd);
	return rc;
}

static int
env_try(struct store *store, const char *dir, unsigned flags)
{
	unsigned readers = store->options.max_readers;
	int rc = mdb_env_create(&store->env);

	if (rc != 0)
		return rc;
	if ((rc = mdb_env_set_maxdbs(store->env, TABLE_COUNT + TABLES_SPARE)) == 0 &&
		(rc = mdb_env_set_mapsize(store->env, store->map_size)) == 0 &&
		(readers == 0 || (rc = mdb_env_set_maxreaders(store->env, readers)) == 0))
		rc = mdb_env_open(store->env, dir, MDB_NOTLS | flags, 0600);
	if (rc == 0)
		rc = env_close_on_exec(store->env);
	if (rc != 0) {
		mdb_env_close(store->env);
		store->env = NULL;
	}
	return rc;
}

int
store_env_open(struct store *store, const char *dir, unsigned flags)
{
	uint64_t want = store->options.map_size;
	int rc;

	store->map_size = want ? want : STORE_MAP_SIZE_MAX;
	rc = lock_file_allocate(dir, store->options.max_readers);
	if (rc != 0)
		return rc;
	while ((rc = env_try(store, dir, flags)) == ENOMEM && !want &&
		store->map_size > STORE_MAP_SIZE_MIN)
		store->map_size /= 2;
	return rc;
}

/* ---- what it is ---- */

static void
schema_key(struct key *key)
{
	key_name(key, SPAN(META_SCHEMA));
}

enum err
store_schema_check(struct snapshot *snap, struct store_fault *why)
{
	const char *path = store_path(snap->store);
	struct record_in in;
	struct key key;
	uint32_t version;

	schema_key(&key);
	if (table_get_record(snap, TABLE_meta, &key, SCHEMA_RECORD, &in) != OK)
		return store_fault_set(why, ERR_CORRUPT,
			"%s: not a store of Postroom, or its first row is damaged", path);
	if (!span_eq(record_take_span(&in), SPAN(SCHEMA_MAGIC)))
		return store_fault_set(why, ERR_CORRUPT, "%s: not a store of Postroom", path);
	version = record_take_u32(&in);
	if (version != STORE_SCHEMA_VERSION)
		return store_fault_set(why, ERR_CORRUPT,
			"%s: the store has version %u, this program knows version %u (use the "
			"program that wrote it, or restore a backup)",
			path, version, STORE_SCHEMA_VERSION);
	return OK;
}

static enum err
schema_put(struct txn *txn)
{
	char room[64];
	struct record_out out;
	struct key key;

	record_begin(&out, room, sizeof(room), SCHEMA_RECORD);
	record_put_span(&out, SPAN(SCHEMA_MAGIC));
	record_put_u32(&out, STORE_SCHEMA_VERSION);
	schema_key(&key);
	return table_put_record(txn, TABLE_meta, &key, &out);
}

/* The id under which the last commit noted what it freed; 0 where nothing is free. */
static uint64_t
freed_last(struct snapshot *snap)
{
	const MDB_dbi free_list = 0;
	MDB_cursor *cursor;
	MDB_val key, value;
	uint64_t id = 0;

	if (mdb_cursor_open(snap->txn, free_list, &cursor) != 0)
		return 0;
	if (mdb_cursor_get(cursor, &key, &value, MDB_LAST) == 0 && key.mv_size == sizeof(id))
		memcpy(&id, key.mv_data, sizeof(id));
	mdb_cursor_close(cursor);
	return id;
}

/*
 * The meta page names two trees. The seal is of one; the other is the list of free pages, to which
 * each commit adds a row under its id: an old list would give away pages that are in use.
 */
enum err
store_seal_check(struct snapshot *snap, struct store_fault *why)
{
	uint64_t id = 0, freed = freed_last(snap), commit_id = mdb_txn_id(snap->txn);
	struct span value;
	struct key key;

	key_name(&key, SPAN(META_SEAL));
	if (table_get(snap, TABLE_meta, &key, &value) == OK && value.len == sizeof(id))
		memcpy(&id, value.ptr, sizeof(id));
	id = le64toh(id);
	if (id == commit_id && (freed == 0 || freed == commit_id))
		return OK;
	why->torn = true;
	return store_fault_set(why, ERR_CORRUPT,
		"%s: the last commit is torn: its seal says %llu, its free pages %llu, the file "
		"%llu (stop the server and run postroomd --check-store --repair)",
		store_path(snap->store), (unsigned long long)id, (unsigned long long)freed,
		(unsigned long long)commit_id);
}

/* ---- the first start ---- */

/* An empty or cut file would be filled by LMDB as if it were new; that is for us to decide. */
enum err
store_look(const char *dir, struct store_fault *why)
{
	char path[STORE_PATH_MAX];
	uint32_t magic = 0;
	int fd;
	bool read_whole;

	if (store_dir_path(dir, DATA_FILE, path, sizeof(path)) != OK)
		return store_fault_set(why, ERR_IO, "%s: the path is too long", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return store_fault_set(why, ERR_NOT_FOUND, "%s: there is no store", dir);
	if (fd < 0)
		return store_fault_set(why, ERR_IO, "%s: %s", path, strerror(errno));
	read_whole = pread(fd, &magic, sizeof(magic), LMDB_MAGIC_AT) == sizeof(magic);
	close(fd);
	if (!read_whole || magic != LMDB_MAGIC)
		return store_fault_set(why, ERR_CORRUPT,
			"%s: empty, cut or not a store (restore a backup, or move it away to begin "
			"with an empty store)",
			path);
	return OK;
}

static int
make_tables(struct store *store)
{
	struct txn *txn = &store->txn;
	int rc = txn_begin(store, txn);

	if (rc != 0)
		return rc;
	for (int i = 0; i < TABLE_COUNT && rc == 0; i++)
		rc = mdb_dbi_open(
			txn->view.txn, store_table_name(i), MDB_CREATE, &store->tables[i]);
	if (rc == 0 && schema_put(txn) != OK)
		rc = MDB_BAD_TXN;
	if (rc == 0)
		return txn_commit(txn); /* with counters and seal */
	txn_abort(txn);
	return rc;
}

static enum err
sync_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return ERR_IO;
	rc = fsync(fd);
	close(fd);
	return rc == 0 ? OK : ERR_IO;
}

struct making {
	char dir[STORE_PATH_MAX], data[STORE_PATH_MAX], lock[STORE_PATH_MAX], final[STORE_PATH_MAX];
};

static enum err
making_paths(const char *dir, struct making *m)
{
	if (store_dir_path(dir, MAKING_DIR, m->dir, sizeof(m->dir)) != OK ||
		store_dir_path(m->dir, DATA_FILE, m->data, sizeof(m->data)) != OK ||
		store_dir_path(m->dir, LOCK_FILE, m->lock, sizeof(m->lock)) != OK)
		return ERR_LIMIT;
	return store_dir_path(dir, DATA_FILE, m->final, sizeof(m->final));
}

/* What an earlier first start left; nothing of it was ever in use. */
static void
making_clear(const struct making *m)
{
	unlink(m->data);
	unlink(m->lock);
	rmdir(m->dir);
}

/* Schema, tables and seal into the temporary file. LMDB's code. */
static int
making_write(struct store *store, const struct making *m)
{
	int rc = store_env_open(store, m->dir, 0);

	if (rc == 0)
		rc = make_tables(store);
	if (store->env)
		mdb_env_close(store->env);
	store->env = NULL;
	return rc;
}

static enum err
making_run(struct store *store, struct making *m, struct store_fault *why)
{
	static const char cannot[] = "%s: cannot make a store: %s";
	const char *dir = store_path(store);
	int rc;

	if (making_paths(dir, m) != OK)
		return store_fault_set(why, ERR_IO, "%s: the path is too long", dir);
	if (access(m->final, F_OK) == 0)
		return OK;
	making_clear(m);
	if (mkdir(m->dir, 0700) != 0)
		return store_fault_set(why, ERR_IO, cannot, dir, strerror(errno));
	rc = making_write(store, m);
	if (rc != 0)
		store_fault_set(why, ERR_IO, cannot, dir, mdb_strerror(rc));
	else if (sync_file(m->data) != OK || rename(m->data, m->final) != 0 ||
		store_dir_sync(dir) != OK)
		store_fault_set(why, ERR_IO, cannot, dir, strerror(errno));
	making_clear(m);
	return why->err;
}

enum err
store_make(struct store *store, struct store_fault *why)
{
	struct making m;

	return making_run(store, &m, why);
}
