/*
 * warden_seccomp.c - what the server may never ask of the kernel (H55): programs, other processes,
 * file systems, modules. Everything else is as it was; a denied call fails with EPERM. The runner and
 * what it runs may start programs.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "proto/base/err.h"
#include "server/warden/warden_start.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif
#define OTHER_ABI 0x40000000u /* x32: the same calls under other numbers */
#define PROGRAM_CALLS 2 /* the first of `denied` */
#define HEAD 6 /* instructions that look at the architecture */

static const unsigned denied[] = {
	SYS_execve, SYS_execveat, /* PROGRAM_CALLS */
	SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev,
	SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_setns, SYS_unshare,
	SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_bpf,
	SYS_perf_event_open, SYS_userfaultfd, SYS_open_by_handle_at, SYS_reboot, SYS_swapon,
	SYS_swapoff, SYS_acct, SYS_add_key, SYS_request_key, SYS_keyctl,
};

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define DENY BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define UNLESS(test, value) BPF_JUMP(BPF_JMP | (test) | BPF_K, (value), 1, 0)
#define IF(test, value) BPF_JUMP(BPF_JMP | (test) | BPF_K, (value), 0, 1)

bool
warden_deny_calls(bool programs)
{
#ifdef ARCH
	struct sock_filter filter[HEAD + 2 * COUNT(denied) + 1] = { LOAD(arch),
		UNLESS(BPF_JEQ, ARCH), DENY, LOAD(nr), IF(BPF_JGE, OTHER_ABI), DENY };
	struct sock_filter *at = filter + HEAD;
	struct sock_fprog program = { .filter = filter };

	for (size_t i = programs ? PROGRAM_CALLS : 0; i < COUNT(denied); i++) {
		*at++ = (struct sock_filter)IF(BPF_JEQ, denied[i]);
		*at++ = (struct sock_filter)DENY;
	}
	*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = (unsigned short)(at - filter);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
#else
	(void)programs;
	errno = ENOSYS;
	return false;
#endif
}
