/*
 * collect_tell.h - letters to the Main Administrator about collections that fail (TRB-01, TRB-02, TRB-04).
 *
 * One for a collection at most, equal ones once a day until one has gone well, COLLECT_LETTERS_DAY a day in
 * all. `errors.connection: no` silences those about servers that cannot be reached; what fails behind the login is
 * always told (CON-15).
 */
#ifndef SERVER_COLLECT_COLLECT_TELL_H
#define SERVER_COLLECT_COLLECT_TELL_H

#include "proto/base/buf.h"
#include "server/collect/collection.h"

#define COLLECT_LETTER_MAX 16384 /* bytes of its text */
#define COLLECT_LETTERS_DAY 10	  /* of one collector, whatever they say */

struct collector;

/* What a letter is made of. */
struct collect_report {
	const struct conf *conf;
	const struct conf_collector *collector;
	unsigned place; /* in the file, from 1: the number of the In Mail */
	const struct collection_end *end;
	const char *const *errors; /* of the collection, END's own among them */
	size_t error_count;
	const char *because; /* why it was started */
};

enum collect_letter {
	COLLECT_NO_LETTER,
	COLLECT_UNREACHED, /* before there was a session (TRB-01) */
	COLLECT_PROBLEM,   /* in it (TRB-02) */
};
enum collect_letter collect_letter_of(const struct collection_end *end);

/* At which of its steps it ended: "token", "name", "connect", "encryption", "greeting", "login", "mailbox"; of files "folder". */
const char *collect_failed_step(const struct conf_collector *c, const struct collection_end *end);

/* Pure; UTF-8, lines end in LF, no secret in them. ERR_LIMIT. */
MUST_CHECK enum err collect_letter_put(const struct collect_report *r, struct buf *subject, struct buf *text);

/* A collection of C is over; before its result is forgotten. Front loop. */
void collect_tell(struct collector *c, const struct collection_end *end);

#endif
