/*
 * inside.c - what somebody could do who took the server over: preloaded, it tries on the first accepted
 * connection what the server must not be able to do, and says on stderr what came of it (H55).
 *
 *     inside: execve Operation not permitted
 *     inside: open /etc/shadow Permission denied
 *
 * INSIDE_OPEN names more files to try, separated by ':'; one with '+' in front is opened for writing.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_SIZE 512

static void
say(const char *what, const char *on, int failed)
{
	char line[LINE_SIZE];
	int n = snprintf(line, sizeof(line), "inside: %s%s%s %s\n", what, on[0] ? " " : "", on,
		failed ? strerror(errno) : "done");

	if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
		abort();
}

static void
try_open(const char *path)
{
	int writes = path[0] == '+';
	int fd = writes ? open(path + 1, O_WRONLY | O_CREAT, 0600) : open(path, O_RDONLY);

	say(writes ? "write" : "open", path + writes, fd < 0);
	if (fd >= 0)
		close(fd);
}

static void
try_all(void)
{
	char *argv[] = { "true", NULL }, *files = getenv("INSIDE_OPEN"), *at = NULL;

	say("execve", "", execve("/bin/true", argv, argv + 1) != 0);
	say("ptrace", "", ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) != 0);
	say("mount", "", mount("none", "/tmp", "tmpfs", 0, NULL) != 0);
	say("setuid", "", setuid(0) != 0);
	for (char *path = files ? strtok_r(files, ":", &at) : NULL; path;
		path = strtok_r(NULL, ":", &at))
		try_open(path);
	say("end", "", 0);
}

int
accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
	static int tried;
	int (*real)(int, struct sockaddr *, socklen_t *, int);
	void *symbol = dlsym(RTLD_NEXT, "accept4");

	memcpy(&real, &symbol, sizeof(real));
	if (!tried++)
		try_all();
	return real(fd, address, len, flags);
}
