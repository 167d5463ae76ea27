/* wrec.c - LD_PRELOAD write recorder for a directory (the "power cut" tape).
 *
 *   WREC_DIR  absolute directory to watch      WREC_LOG  tape file to append to
 *   WREC_OUT=1  also tape what is written to sockets, pipes and terminals, so the
 *               tape holds the acknowledgements ("250 ...", "+OK") in true order
 *
 * One totally ordered tape for all threads and forked children (a lock in shared
 * memory on the tape's own descriptor).  A write is done and taped under the lock;
 * a sync is taped as BEGIN before and END after the real call, outside the lock.
 * Record: "W" "R" op seq(8) pid(4) id(8=inode) off(8) len(4) path-or-data.
 * Not seen: stores through mmap (MDB_WRITEMAP), stdio's internal writes, raw
 * syscalls; use blkrec (block level) where those matter.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	OP_OPEN = 1,
	OP_WRITE,
	OP_TRUNC,
	OP_SYNCB,
	OP_SYNCE,
	OP_RENAME,
	OP_UNLINK,
	OP_MKDIR,
	OP_DURABLE,
	OP_OUT,
	OP_LINK,
	OP_RMDIR,
	OP_FAIL
};
struct __attribute__((packed)) rec {
	char m[2];
	uint8_t op, flag;
	uint32_t pid;
	uint64_t seq, id, off;
	uint32_t len;
};
static char dir[PATH_MAX];
static size_t dirlen;
static int tape = -1, outs;
static struct shared {
	uint64_t seq;
	int lock;
} * S;
static __thread int busy;
#define REAL(n)                                                                                    \
	({                                                                                         \
		static __typeof__(&n) p_;                                                          \
		if (!p_)                                                                           \
			p_ = (__typeof__(&n))dlsym(RTLD_NEXT, #n);                                 \
		p_;                                                                                \
	})

__attribute__((constructor)) static void
init(void)
{
	char *d = getenv("WREC_DIR"), *l = getenv("WREC_LOG"), *o = getenv("WREC_OUT");
	if (!d || !l || !realpath(d, dir))
		return;
	dirlen = strlen(dir);
	outs = o && *o == '1';
	S = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int t = syscall(SYS_openat, AT_FDCWD, l, O_WRONLY | O_CREAT | O_APPEND, 0644);
	tape = syscall(SYS_fcntl, t, F_DUPFD_CLOEXEC, 900); /* out of the server's way */
	if (tape < 0)
		tape = syscall(SYS_fcntl, t, F_DUPFD_CLOEXEC, 200);
	syscall(SYS_close, t);
}
static void
lock(void)
{
	while (__atomic_exchange_n(&S->lock, 1, __ATOMIC_ACQUIRE))
		syscall(SYS_sched_yield);
}
static void
unlock(void)
{
	__atomic_store_n(&S->lock, 0, __ATOMIC_RELEASE);
}
static void
put(int op, int flag, uint64_t id, uint64_t off, const void *b, size_t len)
{
	int e = errno;
	struct rec r = {{'W', 'R'}, op, flag, getpid(), S->seq++, id, off, len};
	struct iovec v[2] = {{&r, sizeof r}, {(void *)b, len}};
	if (syscall(SYS_writev, tape, v, 2) < 0) {
		dprintf(2, "wrec: tape write failed\n");
		_exit(126);
	}
	errno = e;
}
/* Is fd a regular file under the watched directory?  Gives its inode. */
static int
watched(int fd, uint64_t *id, int *sync)
{
	char ln[64], p[PATH_MAX];
	struct stat st;
	if (tape < 0 || busy)
		return 0;
	int e = errno;
	if (syscall(SYS_fstat, fd, &st)) {
		errno = e;
		return 0;
	}
	*id = st.st_ino;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return 0;
	snprintf(ln, sizeof ln, "/proc/self/fd/%d", fd);
	long n = syscall(SYS_readlinkat, AT_FDCWD, ln, p, sizeof p - 1);
	errno = e;
	if (n <= 0)
		return 0;
	p[n] = 0;
	if (strncmp(p, dir, dirlen) || (p[dirlen] && p[dirlen] != '/'))
		return 0;
	if (sync) {
		long fl = syscall(SYS_fcntl, fd, F_GETFL);
		*sync = fl > 0 && (fl & (O_DSYNC | O_SYNC));
	}
	return S_ISDIR(st.st_mode) ? 2 : 1;
}
static int
isout(int fd)
{
	struct stat st;
	if (!outs || tape < 0 || busy || fd < 0)
		return 0;
	int e = errno, r = syscall(SYS_fstat, fd, &st);
	errno = e;
	return !r && (S_ISSOCK(st.st_mode) || S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode));
}
static const char *
under(int at, const char *p, char *buf)
{
	char tmp[PATH_MAX], d[PATH_MAX], ln[64];
	if (tape < 0 || busy)
		return NULL;
	if (*p != '/') {
		snprintf(ln, sizeof ln, at == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", at);
		long n = syscall(SYS_readlinkat, AT_FDCWD, ln, d, sizeof d - 1);
		if (n <= 0)
			return NULL;
		d[n] = 0;
		if (snprintf(tmp, sizeof tmp, "%s/%s", d, p) >= (int)sizeof tmp)
			return NULL;
	} else
		snprintf(tmp, sizeof tmp, "%s", p);
	char *s = strrchr(tmp, '/');
	const char *base = s + 1;
	*s = 0;
	if (!realpath(*tmp ? tmp : "/", d))
		return NULL;
	if (snprintf(buf, PATH_MAX, "%s/%s", d, base) >= PATH_MAX)
		return NULL;
	return !strncmp(buf, dir, dirlen) && buf[dirlen] == '/' ? buf + dirlen + 1 : NULL;
}
/* The real call, with its arguments carried in a struct. */
struct call {
	int k, fd, n;
	const void *p;
	size_t len;
	off_t off;
};
static ssize_t
go(const struct call *a)
{
	switch (a->k) {
	case 'w':
		return REAL(write)(a->fd, a->p, a->len);
	case 'p':
		return REAL(pwrite)(a->fd, a->p, a->len, a->off);
	case 'v':
		return REAL(writev)(a->fd, a->p, a->n);
	case 'q':
		return REAL(pwritev)(a->fd, a->p, a->n, a->off);
	case 's':
		return REAL(send)(a->fd, a->p, a->len, a->n);
	default:
		return REAL(sendmsg)(a->fd, a->p, a->n);
	}
}
static ssize_t
dowrite(int fd, const struct iovec *v, int c, off_t off, int haveoff, const struct call *a)
{
	uint64_t id;
	int sync = 0, w = watched(fd, &id, &sync);
	if (w != 1) {
		if (!isout(fd))
			return go(a);
		lock(); /* taped before it can be seen by the peer */
		for (int i = 0; i < c; i++)
			put(OP_OUT, 0, fd, 0, v[i].iov_base, v[i].iov_len);
		unlock();
		return go(a);
	}
	lock();
	long fl = syscall(SYS_fcntl, fd, F_GETFL);
	struct stat st;
	if (!haveoff) {
		if (fl & O_APPEND) {
			syscall(SYS_fstat, fd, &st);
			off = st.st_size;
		} else
			off = syscall(SYS_lseek, fd, 0L, SEEK_CUR);
	}
	if (sync) { /* the write may land while the call runs: tape it first */
		off_t o = off;
		for (int i = 0; i < c; i++) {
			put(OP_WRITE, 1, id, o, v[i].iov_base, v[i].iov_len);
			o += v[i].iov_len;
		}
		uint64_t at = S->seq;
		unlock();
		ssize_t r = go(a);
		lock();
		if (r >= 0)
			put(OP_DURABLE, c, id, at, NULL, 0);
		else
			put(OP_FAIL, c, id, at, NULL, 0);
		unlock();
		return r;
	}
	ssize_t r = go(a), left = r;
	for (int i = 0; i < c && left > 0; i++) {
		size_t n = (size_t)left < v[i].iov_len ? (size_t)left : v[i].iov_len;
		put(OP_WRITE, 0, id, off, v[i].iov_base, n);
		off += n;
		left -= n;
	}
	unlock();
	return r;
}
ssize_t
write(int fd, const void *b, size_t l)
{
	struct iovec v = {(void *)b, l};
	return dowrite(fd, &v, 1, 0, 0, &(struct call){'w', fd, 0, b, l, 0});
}
ssize_t
pwrite(int fd, const void *b, size_t l, off_t o)
{
	struct iovec v = {(void *)b, l};
	return dowrite(fd, &v, 1, o, 1, &(struct call){'p', fd, 0, b, l, o});
}
ssize_t
pwrite64(int fd, const void *b, size_t l, off64_t o)
{
	return pwrite(fd, b, l, o);
}
ssize_t
writev(int fd, const struct iovec *v, int c)
{
	return dowrite(fd, v, c, 0, 0, &(struct call){'v', fd, c, v, 0, 0});
}
ssize_t
pwritev(int fd, const struct iovec *v, int c, off_t o)
{
	return dowrite(fd, v, c, o, 1, &(struct call){'q', fd, c, v, 0, o});
}
ssize_t
send(int fd, const void *b, size_t l, int g)
{
	struct iovec v = {(void *)b, l};
	return dowrite(fd, &v, 1, 0, 0, &(struct call){'s', fd, g, b, l, 0});
}
ssize_t
sendmsg(int fd, const struct msghdr *m, int g)
{
	return dowrite(fd, m->msg_iov, m->msg_iovlen, 0, 0, &(struct call){'m', fd, g, m, 0, 0});
}

static int
dosync(int fd, int (*fn)(int))
{
	uint64_t id;
	int k = watched(fd, &id, NULL);
	if (!k)
		return fn(fd);
	lock();
	uint64_t at = S->seq;
	put(OP_SYNCB, k, id, 0, NULL, 0);
	unlock();
	int r = fn(fd);
	lock();
	put(r ? OP_FAIL : OP_SYNCE, k, id, at, NULL, 0);
	unlock();
	return r;
}
int
fsync(int fd)
{
	return dosync(fd, REAL(fsync));
}
int
fdatasync(int fd)
{
	return dosync(fd, REAL(fdatasync));
}
int
ftruncate(int fd, off_t l)
{
	uint64_t id;
	if (watched(fd, &id, NULL) != 1)
		return REAL(ftruncate)(fd, l);
	lock();
	int r = REAL(ftruncate)(fd, l);
	if (!r)
		put(OP_TRUNC, 0, id, l, NULL, 0);
	unlock();
	return r;
}
int
ftruncate64(int fd, off64_t l)
{
	return ftruncate(fd, l);
}

static int
doopen(int d, const char *p, int fl, mode_t m)
{
	char buf[PATH_MAX];
	const char *rel = fl & (O_CREAT | O_TRUNC) ? under(d, p, buf) : NULL;
	if (!rel)
		return REAL(openat)(d, p, fl, m);
	struct stat st;
	lock();
	int was = !fstatat(d, p, &st, 0), r = REAL(openat)(d, p, fl, m), e = errno;
	if (r >= 0 && !syscall(SYS_fstat, r, &st)) {
		if (!was)
			put(OP_OPEN, 1, st.st_ino, 0, rel, strlen(rel));
		else if (fl & O_TRUNC)
			put(OP_TRUNC, 0, st.st_ino, 0, NULL, 0);
	}
	unlock();
	errno = e;
	return r;
}
#define MODE                                                                                       \
	mode_t m = 0;                                                                              \
	if (fl & (O_CREAT | O_TMPFILE)) {                                                          \
		va_list v;                                                                         \
		va_start(v, fl);                                                                   \
		m = va_arg(v, mode_t);                                                             \
		va_end(v);                                                                         \
	}
int
open(const char *p, int fl, ...)
{
	MODE return doopen(AT_FDCWD, p, fl, m);
}
int
open64(const char *p, int fl, ...)
{
	MODE return doopen(AT_FDCWD, p, fl | O_LARGEFILE, m);
}
int
openat(int d, const char *p, int fl, ...)
{
	MODE return doopen(d, p, fl, m);
}
int
openat64(int d, const char *p, int fl, ...)
{
	MODE return doopen(d, p, fl | O_LARGEFILE, m);
}

static int
two(int op, const char *a, const char *b, int (*fn)(const char *, const char *))
{
	char x[PATH_MAX], y[PATH_MAX], both[2 * PATH_MAX];
	const char *ra = under(AT_FDCWD, a, x), *rb = under(AT_FDCWD, b, y);
	if (!ra && !rb)
		return fn(a, b);
	int n = snprintf(both, sizeof both, "%s%c%s", ra ? ra : "", 0, rb ? rb : "");
	lock();
	int r = fn(a, b);
	if (!r)
		put(op, 0, 0, 0, both, n);
	unlock();
	return r;
}
int
rename(const char *a, const char *b)
{
	return two(OP_RENAME, a, b, REAL(rename));
}
int
link(const char *a, const char *b)
{
	return two(OP_LINK, a, b, REAL(link));
}
static int
one(int op, const char *p, int (*fn)(const char *))
{
	char x[PATH_MAX];
	const char *rp = under(AT_FDCWD, p, x);
	if (!rp)
		return fn(p);
	lock();
	int r = fn(p);
	if (!r)
		put(op, 0, 0, 0, rp, strlen(rp));
	unlock();
	return r;
}
int
unlink(const char *p)
{
	return one(OP_UNLINK, p, REAL(unlink));
}
int
rmdir(const char *p)
{
	return one(OP_RMDIR, p, REAL(rmdir));
}
int
mkdir(const char *p, mode_t m)
{
	char x[PATH_MAX];
	const char *rp = under(AT_FDCWD, p, x);
	if (!rp)
		return REAL(mkdir)(p, m);
	lock();
	int r = REAL(mkdir)(p, m);
	struct stat st;
	if (!r && !stat(p, &st))
		put(OP_MKDIR, 0, st.st_ino, 0, rp, strlen(rp));
	unlock();
	return r;
}
