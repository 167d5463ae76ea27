/*
 * script_child.c - from an order to an answer.
 *
 * forked by a keeper --> descriptors, limits --> the body is read --> Landlock, seccomp --> Lua --> answer, exit
 *
 * From the lock on it has its memory, one descriptor to write to, and nothing else: every other call of
 * the kernel fails. A fork is not followed by an exec: that would cost more than all the rest, and a
 * process that starts with the runner's few pages is as good.
 */
#include "server/script/script_child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conf/conf.h"
#include "server/pipeline/script_answer.h"
#include "server/script/script_lua.h"
#include "server/warden/warden_landlock.h"

#define INPUT_FD 0
#define OUTPUT_FD 1
#define CPU_S (SCRIPT_CPU_MS / 1000)
/* Beside what it has now and what Lua may take: decoding of the body, which is over before Lua begins, and pages. */
#define MEMORY_SLACK ((rlim_t)16 * 1024 * 1024)

/* ---- limits ---- */

static bool
limit(__rlimit_resource_t what, rlim_t value)
{
	struct rlimit r = { value, value };

	return setrlimit(what, &r) == 0;
}

#ifndef __SANITIZE_ADDRESS__
/* Bytes of address space that it has from its parents. */
static rlim_t
space_now(void)
{
	char text[64] = { 0 };
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

	if (fd >= 0)
		close(fd);
	return got > 0 ? (rlim_t)strtoull(text, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE) : 0;
}

static bool
limit_space(void)
{
	rlim_t now = space_now();

	return now > 0 && limit(RLIMIT_AS, now + SCRIPT_MEMORY + MEMORY_SLACK);
}
#else
static bool
limit_space(void)
{
	return true; /* its own memory is larger; the allocator counts here too */
}
#endif

static bool
set_limits(void)
{
	struct rlimit cpu = { CPU_S, CPU_S + 1 };

	return setrlimit(RLIMIT_CPU, &cpu) == 0 && limit(RLIMIT_CORE, 0) &&
		limit(RLIMIT_FSIZE, SCRIPT_ANSWER_MAX) && limit_space();
}

static bool
set_descriptors(int input, int output)
{
	int in = fcntl(input, F_DUPFD_CLOEXEC, OUTPUT_FD + 1);
	int out = fcntl(output, F_DUPFD_CLOEXEC, OUTPUT_FD + 1);

	return in >= 0 && out >= 0 && dup2(in, INPUT_FD) == INPUT_FD &&
		dup2(out, OUTPUT_FD) == OUTPUT_FD &&
		syscall(SYS_close_range, OUTPUT_FD + 1, ~0u, 0) == 0;
}

/* ---- the lock ---- */

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif
#define HEAD 4 /* instructions that look at the architecture, and take the call's number */

static const unsigned allowed[] = {
	SYS_write, SYS_exit, SYS_exit_group, SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap,
	SYS_madvise, SYS_futex, SYS_rt_sigreturn, SYS_clock_gettime,
#ifdef __SANITIZE_ADDRESS__
	SYS_sched_yield, SYS_gettid, SYS_getpid, SYS_prctl, SYS_mprotect, SYS_sigaltstack,
#endif
};

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ANSWER(action) BPF_STMT(BPF_RET | BPF_K, (action))
#define UNLESS(value) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 1, 0)
#define IF(value) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, 1)

/* All but those of `allowed` fail with EPERM. */
static bool
deny_calls(void)
{
#ifdef ARCH
	struct sock_filter filter[HEAD + 2 * COUNT(allowed) + 1] = { LOAD(arch), UNLESS(ARCH),
		ANSWER(SECCOMP_RET_KILL_PROCESS), LOAD(nr) };
	struct sock_filter *at = filter + HEAD;
	struct sock_fprog program = { .filter = filter };

	for (size_t i = 0; i < COUNT(allowed); i++) {
		*at++ = (struct sock_filter)IF(allowed[i]);
		*at++ = (struct sock_filter)ANSWER(SECCOMP_RET_ALLOW);
	}
	*at++ = (struct sock_filter)ANSWER(SECCOMP_RET_ERRNO | EPERM);
	program.len = (unsigned short)(at - filter);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
#else
	errno = ENOSYS;
	return false;
#endif
}

/* No file at all may be opened. */
static void
deny_files(void)
{
	struct landlock_rules rules;

	if (landlock_open(&rules, LANDLOCK_READS | LANDLOCK_WRITES | LANDLOCK_SPECIALS |
			LANDLOCK_ACCESS_FS_EXECUTE, true))
		(void)landlock_enforce(&rules, true);
}

/* Where the system has neither, it goes without, as the runner does (the warden has said so at the start). */
static void
lock_in(void)
{
	deny_files();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		(void)deny_calls();
}

/* ---- the run ---- */

static bool
write_all(int fd, struct span bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes = span_from(bytes, (size_t)n);
	}
	return true;
}

static bool
run(struct span bytes)
{
	struct script_input *in = calloc(1, sizeof(*in)); /* goes with the process, as all of it */
	struct script_message message;
	struct buf answer;

	buf_init(&answer, SCRIPT_ANSWER_MAX);
	if (!in || script_input_read(bytes, in) != OK)
		return false;
	script_message_read(&message, in);
	close(INPUT_FD);
	lock_in();
	script_lua_run(in, &message, &answer);
	return write_all(OUTPUT_FD, buf_span(&answer));
}

noreturn void
script_child_run(int input, size_t size, int output, struct conf *conf)
{
	const char *bytes;

	conf_free(&conf); /* wiped with it */
	if (size == 0 || size > SCRIPT_INPUT_MAX || !set_descriptors(input, output))
		_exit(2);
	bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, INPUT_FD, 0);
	if (bytes == MAP_FAILED || !set_limits())
		_exit(2);
	_exit(run((struct span){ bytes, size }) ? 0 : 2);
}
