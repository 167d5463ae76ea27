/* faultinj.c - LD_PRELOAD fault injector.
 *
 *   FAULT_SPEC   rules separated by ';', each  FUNC[,FUNC..]:key=val[:key=val..]
 *   FAULT_SEED   seed for p= rules (default 1)
 *   FAULT_CTL    control/counter file (4 KiB, mapped shared; faultctl.py reads and
 *                writes it while the victim runs).  With FAULT_CTL set and
 *                FAULT_ARMED=0 nothing fires and nothing counts until armed.
 *   FAULT_LOG    append one line per injected fault
 *
 * Keys: nth=N | from=N | every=N | p=0.01 (which matching calls fire; counting
 *       starts at 1 when armed), count=M (at most M firings), err=ENOSPC|number,
 *       act=err|short|kill|after|abort|delay|skip, us=N (delay), path=SUBSTR,
 *       kind=file|sock|pipe|any, caller=SUBSTR (module that made the call).
 *   short : do the call with half the length (1 byte at least)
 *   kill  : SIGKILL self before the call;  after: do the call, then SIGKILL
 *   skip  : do nothing and return 0: a sync that lies
 *
 * While it runs, the control file can aim the first rule anew: see struct ctl, aim_*.
 *
 * Not seen: calls glibc makes to itself (stdio's write, getaddrinfo's sockets)
 * and raw syscalls.  For those use strace -e inject (see README).
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FUNCS(X)                                                                                   \
	X(open)                                                                                    \
	X(openat) X(read) X(pread) X(readv) X(write) X(pwrite) X(writev) X(pwritev) X(fsync) X(    \
		fdatasync) X(msync) X(ftruncate) X(fallocate) X(rename) X(unlink) X(mkdir) X(link) \
		X(close) X(mmap) X(socket) X(bind) X(listen) X(accept) X(accept4) X(connect)       \
			X(send) X(sendto) X(sendmsg) X(recv) X(recvfrom) X(recvmsg)                \
				X(epoll_create1) X(epoll_ctl) X(epoll_wait) X(pipe) X(pipe2)       \
					X(socketpair) X(eventfd) X(dup) X(fork) X(execve)          \
						X(malloc) X(calloc) X(realloc) X(posix_memalign)   \
							X(pthread_create) X(getrandom)
enum {
#define X(n) F_##n,
	FUNCS(X)
#undef X
		NFUNC
};
static const char *const fname[] = {
#define X(n) #n,
	FUNCS(X)
#undef X
};
enum { ACT_ERR, ACT_SHORT, ACT_KILL, ACT_AFTER, ACT_ABORT, ACT_DELAY, ACT_SKIP };

#define MAXR 16
struct rule {
	unsigned char on[NFUNC];
	uint64_t nth, from, every, limit;
	double p;
	int err, act, us, kind; /* kind: 0 any 1 file 2 sock 3 pipe */
	char path[128], caller[64];
};
/* Layout is known to sweep.py: 8 x u64 header, then per-function, per-rule. */
struct ctl {
	uint64_t magic, armed, nfunc, nrule, fired, pid;
	uint64_t aim_at;   /* not 0: the first rule fires at this call instead */
	uint64_t aim_what; /* errno, 0 for short | 1 << 16: and at all that follow */
	uint64_t calls[64]; /* per function, while armed */
	uint64_t hits[MAXR], fires[MAXR];
};
static struct rule R[MAXR];
static int nR, ready, logfd = -1;
static struct ctl dummy, *C = &dummy;
static uint64_t rng = 1;
static __thread int busy;

static const struct {
	const char *n;
	int v;
} errs[] = {
#define E(x)                                                                                       \
	{                                                                                          \
#x, x                                                                              \
	}
	E(EIO), E(ENOSPC), E(EDQUOT), E(ENOMEM), E(EMFILE), E(ENFILE), E(EINTR), E(EAGAIN),
	E(ECONNRESET), E(EPIPE), E(ECONNABORTED), E(ENOBUFS), E(EACCES), E(EROFS), E(EFBIG),
	E(ETIMEDOUT), E(ENETUNREACH), E(EPERM), E(EEXIST), E(EBADF), E(EPROTO), E(ECONNREFUSED)};
static int
errnum(const char *s)
{
	for (size_t i = 0; i < sizeof errs / sizeof *errs; i++)
		if (!strcmp(errs[i].n, s))
			return errs[i].v;
	return (int)strtol(s, NULL, 10);
}
static void
die(const char *m, const char *a)
{
	dprintf(2, "faultinj: %s: %s\n", m, a);
	_exit(126);
}
static void
parse(char *s)
{
	char *save1, *save2, *save3;
	for (char *r = strtok_r(s, ";", &save1); r; r = strtok_r(NULL, ";", &save1)) {
		if (nR == MAXR)
			die("too many rules", r);
		struct rule *u = &R[nR++];
		char *f = strtok_r(r, ":", &save2), *k;
		if (!f)
			die("empty rule", r);
		for (char *n = strtok_r(f, ",", &save3); n; n = strtok_r(NULL, ",", &save3)) {
			int i;
			for (i = 0; i < NFUNC && strcmp(fname[i], n); i++)
				;
			if (i == NFUNC)
				die("unknown function", n);
			u->on[i] = 1;
		}
		u->err = EIO;
		while ((k = strtok_r(NULL, ":", &save2))) {
			char *v = strchr(k, '=');
			if (!v)
				die("want key=value", k);
			*v++ = 0;
			if (!strcmp(k, "nth"))
				u->nth = strtoull(v, 0, 10);
			else if (!strcmp(k, "from"))
				u->from = strtoull(v, 0, 10);
			else if (!strcmp(k, "every"))
				u->every = strtoull(v, 0, 10);
			else if (!strcmp(k, "count"))
				u->limit = strtoull(v, 0, 10);
			else if (!strcmp(k, "p"))
				u->p = atof(v);
			else if (!strcmp(k, "us"))
				u->us = (int)strtol(v, NULL, 10), u->act = ACT_DELAY;
			else if (!strcmp(k, "err"))
				u->err = errnum(v);
			else if (!strcmp(k, "path"))
				snprintf(u->path, sizeof u->path, "%s", v);
			else if (!strcmp(k, "caller"))
				snprintf(u->caller, sizeof u->caller, "%s", v);
			else if (!strcmp(k, "kind"))
				u->kind = *v == 'f' ? 1 : *v == 's' ? 2 : *v == 'p' ? 3 : 0;
			else if (!strcmp(k, "act"))
				u->act = !strcmp(v, "short")   ? ACT_SHORT
					 : !strcmp(v, "kill")  ? ACT_KILL
					 : !strcmp(v, "after") ? ACT_AFTER
					 : !strcmp(v, "abort") ? ACT_ABORT
					 : !strcmp(v, "delay") ? ACT_DELAY
					 : !strcmp(v, "skip")  ? ACT_SKIP
							       : ACT_ERR;
			else
				die("unknown key", k);
		}
	}
}
__attribute__((constructor)) static void
init(void)
{
	busy++;
	char *s = getenv("FAULT_SPEC"), *c = getenv("FAULT_CTL"), *a = getenv("FAULT_ARMED");
	char *l = getenv("FAULT_LOG"), *d = getenv("FAULT_SEED");
	static char copy[4096];
	if (d)
		rng = strtoull(d, 0, 10) * 2654435761u + 88172645463325252ull;
	if (l)
		logfd = syscall(
			SYS_openat, AT_FDCWD, l, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (s) {
		snprintf(copy, sizeof copy, "%s", s);
		parse(copy);
	}
	if (c) {
		int fd = syscall(SYS_openat, AT_FDCWD, c, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || syscall(SYS_ftruncate, fd, 4096L))
			die("control file", c);
		void *p = (void *)syscall(
			SYS_mmap, NULL, 4096L, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0L);
		if (p == MAP_FAILED)
			die("map control file", c);
		syscall(SYS_close, fd);
		C = p;
	}
	C->magic = 0x31544c55414621ull;
	C->nfunc = NFUNC;
	C->nrule = nR;
	C->pid = getpid();
	C->armed = !(a && *a == '0');
	ready = 1;
	busy--;
}
static int
kindof(int fd)
{
	struct stat st;
	if (fd < 0 || syscall(SYS_fstat, fd, &st))
		return 0;
	return S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ? 1
	       : S_ISSOCK(st.st_mode)			  ? 2
	       : S_ISFIFO(st.st_mode)			  ? 3
							  : 0;
}
static int
pathok(const struct rule *u, int fd, const char *path)
{
	char ln[64], buf[PATH_MAX];
	if (path)
		return strstr(path, u->path) != NULL;
	if (fd < 0)
		return 0;
	snprintf(ln, sizeof ln, "/proc/self/fd/%d", fd);
	long n = syscall(SYS_readlinkat, AT_FDCWD, ln, buf, sizeof buf - 1);
	if (n <= 0)
		return 0;
	buf[n] = 0;
	return strstr(buf, u->path) != NULL;
}
static double
rnd(void)
{
	uint64_t x = __atomic_load_n(&rng, __ATOMIC_RELAXED);
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	__atomic_store_n(&rng, x, __ATOMIC_RELAXED);
	return (x >> 11) * (1.0 / 9007199254740992.0);
}
/* Returns -1: run normally; otherwise the action, with errno set for ACT_ERR. */
static int
fault(int f, int fd, const char *path, void *ra)
{
	int got = -1;
	if (!ready || busy || !C->armed)
		return -1;
	busy++;
	int e0 = errno;
	uint64_t seq = __atomic_add_fetch(&C->calls[f], 1, __ATOMIC_RELAXED);
	for (int i = 0; i < nR && got < 0; i++) {
		struct rule *u = &R[i];
		Dl_info di;
		if (!u->on[f])
			continue;
		if (u->kind && kindof(fd) != u->kind)
			continue;
		if (*u->path && !pathok(u, fd, path))
			continue;
		if (*u->caller &&
			(!dladdr(ra, &di) || !di.dli_fname || !strstr(di.dli_fname, u->caller)))
			continue;
		uint64_t n = __atomic_add_fetch(&C->hits[i], 1, __ATOMIC_RELAXED);
		if (u->limit && C->fires[i] >= u->limit)
			continue;
		struct rule aimed;
		if (i == 0 && C->aim_at) {
			bool on = C->aim_what >> 16;
			aimed = (struct rule){.nth = on ? 0 : C->aim_at,
				.from = on ? C->aim_at : 0,
				.err = C->aim_what & 0xffff,
				.act = C->aim_what & 0xffff ? ACT_ERR : ACT_SHORT};
			u = &aimed;
		}
		if (!((u->nth && n == u->nth) || (u->from && n >= u->from) ||
			    (u->every && n % u->every == 0) || (u->p > 0 && rnd() < u->p)))
			continue;
		__atomic_add_fetch(&C->fires[i], 1, __ATOMIC_RELAXED);
		__atomic_add_fetch(&C->fired, 1, __ATOMIC_RELAXED);
		if (logfd >= 0) {
			char b[256];
			int k = snprintf(b, sizeof b,
				"%d rule %d %s call %llu hit %llu act %d err %d\n", getpid(), i,
				fname[f], (unsigned long long)seq, (unsigned long long)n, u->act,
				u->err);
			syscall(SYS_write, logfd, b, (long)k);
		}
		if (u->act == ACT_KILL)
			syscall(SYS_kill, getpid(), SIGKILL);
		if (u->act == ACT_ABORT)
			abort();
		if (u->act == ACT_DELAY) {
			usleep(u->us);
			continue;
		}
		got = u->act;
		e0 = u->act == ACT_ERR ? u->err : e0;
	}
	busy--;
	errno = e0;
	return got;
}
#define RA __builtin_return_address(0)
#define REAL(n)                                                                                    \
	({                                                                                         \
		static __typeof__(&n) p_;                                                          \
		if (!p_) {                                                                         \
			busy++;                                                                    \
			p_ = (__typeof__(&n))dlsym(RTLD_NEXT, #n);                                 \
			busy--;                                                                    \
		}                                                                                  \
		p_;                                                                                \
	})
#define KILLIF(a)                                                                                  \
	do {                                                                                       \
		if ((a) == ACT_AFTER) {                                                            \
			syscall(SYS_kill, getpid(), SIGKILL);                                      \
		}                                                                                  \
	} while (0)

/* Plain wrappers: name, return type, failure value, fd, path, params, args. */
#define W(ret, bad, n, fd, path, par, arg)                                                         \
	ret n par                                                                                  \
	{                                                                                          \
		int a_ = fault(F_##n, fd, path, RA);                                               \
		if (a_ == ACT_ERR)                                                                 \
			return bad;                                                                \
		if (a_ == ACT_SKIP)                                                                \
			return (ret)0;                                                             \
		ret r_ = REAL(n) arg;                                                              \
		KILLIF(a_);                                                                        \
		return r_;                                                                         \
	}
/* Wrappers whose length can be cut short; FULL and CUT are the two calls. */
#define WL(n, fd, par, full, cut)                                                                  \
	ssize_t n par                                                                              \
	{                                                                                          \
		int a_ = fault(F_##n, fd, NULL, RA);                                               \
		if (a_ == ACT_ERR)                                                                 \
			return -1;                                                                 \
		ssize_t r_ = a_ == ACT_SHORT ? (REAL(n) cut) : (REAL(n) full);                     \
		KILLIF(a_);                                                                        \
		return r_;                                                                         \
	}
#define HALF(l) ((l) > 1 ? (l) / 2 : (l))

WL(read, fd, (int fd, void *b, size_t l), (fd, b, l), (fd, b, HALF(l)))
WL(pread, fd, (int fd, void *b, size_t l, off_t o), (fd, b, l, o), (fd, b, HALF(l), o))
WL(readv, fd, (int fd, const struct iovec *v, int c), (fd, v, c), (fd, v, 1))
WL(write, fd, (int fd, const void *b, size_t l), (fd, b, l), (fd, b, HALF(l)))
WL(pwrite, fd, (int fd, const void *b, size_t l, off_t o), (fd, b, l, o), (fd, b, HALF(l), o))
WL(writev, fd, (int fd, const struct iovec *v, int c), (fd, v, c), (fd, v, 1))
WL(pwritev, fd, (int fd, const struct iovec *v, int c, off_t o), (fd, v, c, o), (fd, v, 1, o))
WL(send, fd, (int fd, const void *b, size_t l, int g), (fd, b, l, g), (fd, b, HALF(l), g))
WL(recv, fd, (int fd, void *b, size_t l, int g), (fd, b, l, g), (fd, b, HALF(l), g))
WL(sendmsg, fd, (int fd, const struct msghdr *m, int g), (fd, m, g), (fd, m, g))
WL(recvmsg, fd, (int fd, struct msghdr *m, int g), (fd, m, g), (fd, m, g))
WL(sendto, fd, (int fd, const void *b, size_t l, int g, const struct sockaddr *s, socklen_t sl),
	(fd, b, l, g, s, sl), (fd, b, HALF(l), g, s, sl))
WL(recvfrom, fd, (int fd, void *b, size_t l, int g, struct sockaddr *s, socklen_t *sl),
	(fd, b, l, g, s, sl), (fd, b, HALF(l), g, s, sl))
W(int, -1, fsync, fd, NULL, (int fd), (fd))
W(int, -1, fdatasync, fd, NULL, (int fd), (fd))
W(int, -1, msync, -1, NULL, (void *p, size_t l, int g), (p, l, g))
W(int, -1, ftruncate, fd, NULL, (int fd, off_t l), (fd, l))
W(int, -1, fallocate, fd, NULL, (int fd, int m, off_t o, off_t l), (fd, m, o, l))
W(int, -1, rename, -1, b, (const char *a, const char *b), (a, b))
W(int, -1, unlink, -1, p, (const char *p), (p))
W(int, -1, mkdir, -1, p, (const char *p, mode_t m), (p, m))
W(int, -1, link, -1, b, (const char *a, const char *b), (a, b))
W(int, -1, close, fd, NULL, (int fd), (fd))
W(void *, MAP_FAILED, mmap, fd, NULL, (void *p, size_t l, int pr, int fl, int fd, off_t o),
	(p, l, pr, fl, fd, o))
W(int, -1, socket, -1, NULL, (int d, int t, int p), (d, t, p))
W(int, -1, bind, fd, NULL, (int fd, const struct sockaddr *s, socklen_t l), (fd, s, l))
W(int, -1, listen, fd, NULL, (int fd, int n), (fd, n))
W(int, -1, accept, fd, NULL, (int fd, struct sockaddr *s, socklen_t *l), (fd, s, l))
W(int, -1, accept4, fd, NULL, (int fd, struct sockaddr *s, socklen_t *l, int g), (fd, s, l, g))
W(int, -1, connect, fd, NULL, (int fd, const struct sockaddr *s, socklen_t l), (fd, s, l))
W(int, -1, epoll_create1, -1, NULL, (int g), (g))
W(int, -1, epoll_ctl, fd, NULL, (int e, int op, int fd, struct epoll_event *ev), (e, op, fd, ev))
W(int, -1, epoll_wait, e, NULL, (int e, struct epoll_event *ev, int n, int t), (e, ev, n, t))
W(int, -1, pipe, -1, NULL, (int p[2]), (p))
W(int, -1, pipe2, -1, NULL, (int p[2], int g), (p, g))
W(int, -1, socketpair, -1, NULL, (int d, int t, int p, int s[2]), (d, t, p, s))
int eventfd(unsigned, int);
W(int, -1, eventfd, -1, NULL, (unsigned i, int g), (i, g))
W(int, -1, dup, fd, NULL, (int fd), (fd))
W(pid_t, -1, fork, -1, NULL, (void), ())
W(int, -1, execve, -1, p, (const char *p, char *const a[], char *const e[]), (p, a, e))
ssize_t getrandom(void *, size_t, unsigned);
W(ssize_t, -1, getrandom, -1, NULL, (void *b, size_t l, unsigned g), (b, l, g))
W(int, errno, pthread_create, -1, NULL,
	(pthread_t * t, const pthread_attr_t *a, void *(*f)(void *), void *x), (t, a, f, x))

#define OPENS(n, F)                                                                                \
	int n(const char *p, int fl, ...)                                                          \
	{                                                                                          \
		mode_t m = 0;                                                                      \
		if (fl & (O_CREAT | O_TMPFILE)) {                                                  \
			va_list v;                                                                 \
			va_start(v, fl);                                                           \
			m = va_arg(v, mode_t);                                                     \
			va_end(v);                                                                 \
		}                                                                                  \
		int a_ = fault(F, -1, p, RA);                                                      \
		if (a_ == ACT_ERR)                                                                 \
			return -1;                                                                 \
		int r_ = REAL(n)(p, fl, m);                                                        \
		KILLIF(a_);                                                                        \
		return r_;                                                                         \
	}
OPENS(open, F_open)
OPENS(open64, F_open)
#define OPENATS(n)                                                                                 \
	int n(int d, const char *p, int fl, ...)                                                   \
	{                                                                                          \
		mode_t m = 0;                                                                      \
		if (fl & (O_CREAT | O_TMPFILE)) {                                                  \
			va_list v;                                                                 \
			va_start(v, fl);                                                           \
			m = va_arg(v, mode_t);                                                     \
			va_end(v);                                                                 \
		}                                                                                  \
		int a_ = fault(F_openat, -1, p, RA);                                               \
		if (a_ == ACT_ERR)                                                                 \
			return -1;                                                                 \
		int r_ = REAL(n)(d, p, fl, m);                                                     \
		KILLIF(a_);                                                                        \
		return r_;                                                                         \
	}
OPENATS(openat)
OPENATS(openat64)
/* LFS aliases used by programs built with _FILE_OFFSET_BITS=64. */
ssize_t
pread64(int fd, void *b, size_t l, off64_t o)
{
	return pread(fd, b, l, o);
}
ssize_t
pwrite64(int fd, const void *b, size_t l, off64_t o)
{
	return pwrite(fd, b, l, o);
}
ssize_t
pwritev64(int fd, const struct iovec *v, int c, off64_t o)
{
	return pwritev(fd, v, c, o);
}
int
ftruncate64(int fd, off64_t l)
{
	return ftruncate(fd, l);
}
void *
mmap64(void *p, size_t l, int pr, int fl, int fd, off64_t o)
{
	return mmap(p, l, pr, fl, fd, o);
}

#ifndef NO_MALLOC /* build with -DNO_MALLOC for ASan victims */
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
void *
malloc(size_t n)
{
	return fault(F_malloc, -1, NULL, RA) == ACT_ERR ? (errno = ENOMEM, NULL) : __libc_malloc(n);
}
void *
calloc(size_t a, size_t b)
{
	return fault(F_calloc, -1, NULL, RA) == ACT_ERR ? (errno = ENOMEM, NULL)
							: __libc_calloc(a, b);
}
void *
realloc(void *p, size_t n)
{
	return fault(F_realloc, -1, NULL, RA) == ACT_ERR ? (errno = ENOMEM, NULL)
							 : __libc_realloc(p, n);
}
int
posix_memalign(void **p, size_t al, size_t n)
{
	if (fault(F_posix_memalign, -1, NULL, RA) == ACT_ERR)
		return ENOMEM;
	void *q = __libc_memalign(al, n);
	return q ? (*p = q, 0) : ENOMEM;
}
#endif
