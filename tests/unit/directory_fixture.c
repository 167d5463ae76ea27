/*
 * directory_fixture.c - a store in a temporary folder, and jobs run at once.
 */
#include "tests/unit/directory_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/bodies.h"
#include "store/check.h"
#include "store/messages.h"
#include "store/users.h"

static uint64_t
fixture_now(void *arg)
{
	const struct fixture *f = arg;

	return (uint64_t)FIXTURE_NOW + f->later_ms;
}

struct store_options
fixture_options(const struct fixture *f)
{
	return (struct store_options){
		.path = f->dir,
		.mode = STORE_SERVE,
		.map_size = UINT64_C(1) << 30,
		.now_ms = fixture_now,
		.allow_network_fs = true,
		.arg = (void *)(uintptr_t)f,
	};
}

void
fixture_open(struct fixture *f)
{
	struct store_options options = fixture_options(f);
	struct store_fault why;

	if (store_open(&options, &f->store, &why) != OK)
		fail_msg("store_open: %s", why.text);
}

void
fixture_close(struct fixture *f)
{
	snapshot_close(&f->snap);
	store_close(&f->store);
}

void
fixture_reopen(struct fixture *f)
{
	fixture_close(f);
	fixture_open(f);
}

#define MEMORY_DISK "/dev/shm"
#define MEMORY_DISK_FREE (UINT64_C(512) << 20) /* bytes: the stores of a test and their reserves */

void
fixture_folder(char path[64], const char *name)
{
	struct statvfs fs;
	bool in_memory = statvfs(MEMORY_DISK, &fs) == 0 && access(MEMORY_DISK, W_OK) == 0 &&
			 (uint64_t)fs.f_bavail * fs.f_frsize >= MEMORY_DISK_FREE;

	snprintf(path, 64, "%s/postroom-%s-XXXXXX", in_memory ? MEMORY_DISK : "/tmp", name);
	assert_non_null(mkdtemp(path));
}

int
fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	fixture_folder(f->dir, "directory");
	fixture_open(f);
	*state = f;
	return 0;
}

void
fixture_remove(const char *dir)
{
	char path[512];
	struct dirent *entry;
	DIR *d = opendir(dir);

	if (d == NULL)
		return;
	while ((entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		if (unlink(path) != 0)
			fixture_remove(path); /* two levels at most */
	}
	closedir(d);
	rmdir(dir);
}

int
fixture_teardown(void **state)
{
	struct fixture *f = *state;

	fixture_close(f);
	fixture_remove(f->dir);
	free(f);
	return 0;
}

struct snapshot *
look(struct fixture *f)
{
	snapshot_close(&f->snap);
	assert_int_equal(snapshot_open(f->store, &f->snap), OK);
	return f->snap;
}

struct run_job {
	struct store_job job;
	fixture_fn *fn;
	void *arg;
};

static enum step
run_apply(struct store_job *job, struct txn *txn)
{
	struct run_job *r = (struct run_job *)job;

	return step_of(job, r->fn(txn, r->arg));
}

enum err
run(struct fixture *f, fixture_fn *fn, void *arg)
{
	struct run_job r = { .job = { .apply = run_apply }, .fn = fn, .arg = arg };

	return store_run_job_now(f->store, &r.job);
}

enum err
fixture_place(struct txn *txn, void *message)
{
	struct fixture_message *m = message;
	char *body = malloc(m->body_size + 1);
	struct span span = { body, m->body_size };
	struct content content = { .header = SPAN("Subject: test\r\n\r\n") };
	struct placement place = { .user_id = m->user_id, .folder_id = m->folder_id };
	enum err err;

	for (size_t i = 0; i < m->body_size; i++)
		body[i] = (char)('a' + (i * 7 + m->seed) % 26);
	content.body_size = m->body_size;
	content.owners = 1;
	err = body_add(txn, (struct body_source){ &span, 1 }, &content.body_id);
	free(body);
	if (err == OK)
		err = content_add(txn, &content, false);
	m->content_id = content.content_id;
	if (err != OK || m->folder_id == 0)
		return err;
	place.content = &content;
	place.flags = m->seed % 3 == 0 ? FLAG_SEEN : 0;
	err = message_place(txn, &place);
	m->uid = place.uid;
	return err;
}

uint64_t
fixture_inbox(struct fixture *f, uint64_t user_id)
{
	struct folder folder;

	assert_int_equal(folder_find(look(f), user_id, SPAN("INBOX"), &folder), OK);
	return folder.folder_id;
}

struct user_arg {
	const char *name;
	uint64_t user_id;
};

static enum err
add_user(struct txn *txn, void *arg)
{
	struct user_arg *a = arg;
	struct user user;

	user_init(&user);
	user.name = span_of(a->name);
	return user_add(txn, &user, FIXTURE_NOW, &a->user_id);
}

uint64_t
fixture_user(struct fixture *f, const char *name)
{
	struct user_arg arg = { .name = name };

	assert_int_equal(run(f, add_user, &arg), OK);
	return arg.user_id;
}

static void
print_line(void *arg, struct span line)
{
	unsigned *lines = arg;

	++*lines;
	if (getenv("DIRECTORY_VERBOSE") != NULL)
		print_message("check: %.*s\n", SPAN_FMT(line));
}

int
fixture_check(struct fixture *f, bool repair, unsigned *lines)
{
	struct store_options options = fixture_options(f);

	*lines = 0;
	return store_check(&options, repair, print_line, lines);
}
