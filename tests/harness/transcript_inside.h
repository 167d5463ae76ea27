/*
 * transcript_inside.h - one run of one transcript, for the files of the runner alone.
 */
#ifndef TESTS_HARNESS_TRANSCRIPT_INSIDE_H
#define TESTS_HARNESS_TRANSCRIPT_INSIDE_H

#include "tests/harness/site.h"

#define LINES_MAX   2000
#define TEXT_MAX    (4 * 1024 * 1024) /* bytes sent by one line */
#define ANSWER_MS   60000             /* real time that an expected line may take */
#define CLIENTS_MAX 3
#define NAMES_MAX   16
#define LINE_MAX_BYTES 65536 /* of one line, before its escapes are undone */

enum mode { MODE_WHOLE, MODE_BYTES, MODE_PIPELINED, MODES };

struct client {
	struct session *session;
	struct buf seen; /* what came and was not expected yet */
	bool closed;
};

/* ${called} in the lines that follow. */
struct name {
	char called[32], value[512];
};

struct run {
	const char *path;
	char *lines[LINES_MAX];
	size_t count, at;
	enum mode mode;
	struct site site;
	struct client clients[CLIENTS_MAX];
	struct name names[NAMES_MAX];
	size_t name_count;
	bool fed[LINES_MAX];
	bool failed;
};

/* What the lines `given` say before there is a site. */
struct given {
	char conf[65536];
	const char *service, *service2, *peer; /* service2: of the others */
	const char *zone;
	bool has_services, whole_only;
};

extern struct run *now; /* for the wrapped functions */

/* ---- transcript_talk.c: what the clients say and hear ---- */

void fail(struct run *run, const char *what, struct span got);
const char *after(const char *line, const char *prefix); /* NULL: LINE begins otherwise */
void turn(struct run *run, int ms);			  /* and read what has come */
void unescape(const char *text, struct buf *out);
void feed(struct run *run, struct client *client, struct span bytes);
char client_line(const char *line, size_t *number, char *how, const char **text);
void send_line(struct run *run, size_t number);
void expect_line(struct run *run, struct client *client, const char *pattern, char how);

/* ---- transcript_match.c ---- */

bool line_matches(struct run *run, const char *pattern, struct span line);
/* TEXT with its ${NAME}s replaced; false where one has no value. */
bool names_expand(struct run *run, const char *text, char out[LINE_MAX_BYTES]);

/* ---- transcript_imap.c ---- */

/* "{#}" at the end of line AT, whose TEXT this is, becomes the size of the lines `C|` behind it. */
bool literal_count(const struct run *run, size_t at, char text[LINE_MAX_BYTES]);
bool imap_may_pipeline(const char *text);

/* ---- transcript_dns.c ---- */

void dns_gives_up(void); /* about all names that are silent */

/* ---- transcript_given.c ---- */

void read_given(struct run *run, struct given *given);
void make_given(struct run *run);
struct session *connect_client(struct run *run, const char *service, const char *address);

/* ---- transcript_expect.c ---- */

void expect(struct run *run, const char *rest);

#endif
