/*
 * task_cert_watch.c - see task_cert_watch.h.
 */
#include "server/task/task_cert_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "conf/conf.h"
#include "server/log.h"
#include "server/net/tls.h"
#include "server/queue/own_mail.h"
#include "server/server.h"

#define DAY_S 86400
#define TOLD_PATH_MAX 1024
#define TOLD_TEXT_MAX 48

/* Days before the end; each is told once. 0: it has ended. */
static const int steps[] = { 30, 14, 7, 0 };

struct told {
	uint64_t expires_s; /* which certificate */
	uint64_t step;	    /* the last of `steps` that was told, from 1; 0: none */
};

static bool
told_path(const struct conf *conf, char out[TOLD_PATH_MAX])
{
	int n = snprintf(out, TOLD_PATH_MAX, "%.*s/certificate-told", SPAN_FMT(conf->data));

	return n > 0 && n < TOLD_PATH_MAX;
}

static struct told
told_read(const struct conf *conf)
{
	char path[TOLD_PATH_MAX], text[TOLD_TEXT_MAX];
	struct told told = { 0, 0 };
	struct span expires, step;
	ssize_t n;
	int fd = told_path(conf, path) ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;

	if (fd < 0)
		return told;
	n = read(fd, text, sizeof(text));
	close(fd);
	if (n > 0 && span_cut((struct span){ text, (size_t)n }, ' ', &expires, &step) &&
		span_u64(expires, INT64_MAX, &told.expires_s) == OK &&
		span_u64(step, COUNT(steps), &told.step) == OK)
		return told;
	return (struct told){ 0, 0 };
}

/* Where it cannot be kept it is told again after a restart. */
static void
told_keep(const struct conf *conf, const struct told *told)
{
	char path[TOLD_PATH_MAX], text[TOLD_TEXT_MAX];
	int fd = told_path(conf, path) ?
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
	int len = snprintf(text, sizeof(text), "%llu %llu", (unsigned long long)told->expires_s,
		(unsigned long long)told->step);

	if (fd < 0)
		return;
	if (write(fd, text, (size_t)len) != len)
		errno = 0;
	close(fd);
}

/* The narrowest step that the certificate is within, from 1; 0: there is time. */
static unsigned
step_of(int64_t left_s)
{
	unsigned step = 0;

	while (step < COUNT(steps) && left_s <= (int64_t)steps[step] * DAY_S)
		step++;
	return step;
}

static void
write_mail(struct host *host, int64_t expires_s, int64_t left_s)
{
	char day[32], subject[160], text[640];
	struct own_mail mail = { .to = SPAN_NONE };
	struct tm tm;
	time_t at = (time_t)expires_s;

	gmtime_r(&at, &tm);
	strftime(day, sizeof(day), "%Y-%m-%d %H:%M UTC", &tm);
	if (left_s <= 0)
		snprintf(subject, sizeof(subject), "The TLS certificate has ended");
	else
		snprintf(subject, sizeof(subject), "The TLS certificate ends in %lld days",
			(long long)((left_s + DAY_S - 1) / DAY_S));
	snprintf(text, sizeof(text),
		"The certificate that this server shows to mail programs and other servers is good until\n"
		"%s. After that mail programs warn their users or refuse to connect.\n\n"
		"Put a new certificate and its key where the settings tls.certificate and tls.key say.\n"
		"The server takes them over within a minute; open sessions go on. `postroom status`\n"
		"shows until when the one in use is good.\n", day);
	mail.subject = span_of(subject);
	mail.text = span_of(text);
	if (own_mail_send(host, &mail) != OK)
		log_put(host->log, &(struct log_line){ .level = LEVEL_WARNING, .area = "tls",
					   .text = "the warning could not be mailed" });
}

static void
warn(struct host *host, int64_t expires_s, int64_t left_s)
{
	log_put(host->log,
		&(struct log_line){ .level = left_s > 0 ? LEVEL_WARNING : LEVEL_ERROR, .area = "tls",
			.text = left_s > 0 ? "the certificate ends soon" : "the certificate has ended",
			.fields = { { "days", .number = left_s > 0 ? left_s / DAY_S : 0 } } });
	write_mail(host, expires_s, left_s);
}

void
task_cert_watch(struct host *host)
{
	int64_t expires_s, left_s;
	struct told told;
	unsigned step;

	server_tls_follow(host->server);
	if (!host->tls)
		return;
	expires_s = tls_server_expires(host->tls);
	left_s = expires_s - host_now_ms(host) / 1000;
	step = step_of(left_s);
	if (step == 0)
		return;
	told = told_read(host->conf);
	if (told.expires_s == (uint64_t)expires_s && told.step >= step)
		return;
	warn(host, expires_s, left_s);
	told_keep(host->conf, &(struct told){ (uint64_t)expires_s, step });
}
