/*
 * transcript_imap.c - what is particular to clients of IMAP: literals, and when they may go on.
 */
#include "tests/harness/transcript_inside.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The literal of the line AT: the lines `C|` behind it, those of the server left out. */
static bool
literal_size(const struct run *run, size_t at, size_t *size)
{
	char how, who;
	const char *text;
	size_t mine, whose;
	struct buf bytes;

	client_line(run->lines[at], &mine, &how, &text);
	buf_init(&bytes, TEXT_MAX);
	for (size_t i = at + 1; i < run->count; i++) {
		who = client_line(run->lines[i], &whose, &how, &text);
		if (who == 'S' || (who == 'C' && whose != mine))
			continue;
		if (who != 'C' || how != '|')
			break;
		unescape(text, &bytes);
		if (buf_put(&bytes, SPAN("\r\n")) != OK)
			break;
	}
	*size = buf_span(&bytes).len;
	buf_fini(&bytes);
	return *size > 0;
}

bool
literal_count(const struct run *run, size_t at, char text[LINE_MAX_BYTES])
{
	char *mark = strrchr(text, '{'), tail[8];
	size_t size, left = mark ? LINE_MAX_BYTES - (size_t)(mark - text) : 0;

	if (!mark || (strcmp(mark, "{#}") != 0 && strcmp(mark, "{#+}") != 0))
		return true;
	snprintf(tail, sizeof(tail), "%s", mark + 2);
	return literal_size(run, at, &size) &&
		(size_t)snprintf(mark, left, "{%zu%s", size, tail) < left;
}

/* All but what the server asks back for, and what it would not say any more (RFC 9051, 5.5). */
bool
imap_may_pipeline(const char *text)
{
	static const char *const waits[] = { "STARTTLS", "AUTHENTICATE", "IDLE", "LOGOUT" };
	const char *verb = strchr(text, ' ');
	size_t len = strlen(text);

	if (strcasecmp(text, "DONE") == 0)
		return true;
	if (!verb || (len > 1 && text[len - 1] == '}' && text[len - 2] != '+'))
		return false;
	for (size_t i = 0; i < COUNT(waits); i++)
		if (strncasecmp(verb + 1, waits[i], strlen(waits[i])) == 0)
			return false;
	return true;
}
