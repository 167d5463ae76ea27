/*
 * script_words.h - all that a script finds beside string, table, math and utf8 of Lua: one row each.
 *
 *   X(name, form, whose, help)
 *
 *   whose    BOTH; SITE: the script rules.content alone
 *
 * The child makes its functions from these rows, `script functions` and docs/operators.md show them: RTE-12's
 * built-in help.
 */
#ifndef SERVER_SCRIPT_SCRIPT_WORDS_H
#define SERVER_SCRIPT_SCRIPT_WORDS_H

/* Fields of the table `msg`. */
#define SCRIPT_VALUES(X)                                                                           \
	X(from, "msg.from", BOTH, "Return address of the envelope; empty for a report.")           \
	X(rcpt, "msg.rcpt", BOTH, "Address that led to the user; in rules.content the first recipient.") \
	X(rcpts, "msg.rcpts", BOTH, "List of these addresses: the user's own; in rules.content all recipients.") \
	X(user, "msg.user", BOTH, "Name of the user whose script this is; empty in rules.content.")  \
	X(size, "msg.size", BOTH, "Bytes of the message.")                                         \
	X(source, "msg.source", BOTH, "How it came: smtp, submission, lmtp, pop3 or local.")       \
	X(auth, "msg.auth", BOTH, "Name of the user who logged in and sent it; empty: nobody did.") \
	X(peer, "msg.peer", BOTH, "Address of the client that brought it.")                        \
	X(header, "msg.header(NAME)", BOTH,                                                        \
		"Value of the first field NAME, unfolded and decoded to UTF-8; nil: there is none.") \
	X(headers, "msg.headers(NAME)", BOTH, "List of the values of all fields NAME, in their order.") \
	X(body, "msg.body", SITE,                                                                  \
		"The text as people read it, in UTF-8: text parts, HTML without its tags; of the first megabyte.") \
	X(attachments, "msg.attachments", SITE,                                                    \
		"List of attachments, each {name=, type=, size=}: file name, media type in small letters, bytes.")

#define SCRIPT_FUNCTIONS(X)                                                                        \
	X(redirect, "redirect(ADDRESS, ...)", BOTH,                                                \
		"Send it there instead; the user's mailbox, or all recipients, do not get it.")    \
	X(copy, "copy(ADDRESS, ...)", BOTH, "Send it there too.")                                  \
	X(keep, "keep()", BOTH, "Leave it where it would have gone in spite of redirect and discard.") \
	X(discard, "discard()", BOTH, "Drop it: no mailbox, no forwarding; the trace tells it.")    \
	X(set_header, "set_header(NAME, VALUE)", BOTH,                                             \
		"Put one field NAME in place of all of that name; nil as VALUE removes them.")     \
	X(setheader, "setheader(NAME, VALUE)", BOTH, "The same as set_header.")                    \
	X(log, "log(TEXT)", BOTH, "Write a line into the log and the trace of the message.")       \
	X(reject, "reject(TEXT)", SITE, "Refuse the message for good; the sender is told TEXT.")    \
	X(defer, "defer(TEXT)", SITE, "Refuse it for now: the sender's server tries again.")

#define SCRIPT_TEXT_MAX 65536		 /* bytes of a script */
#define SCRIPT_CPU_MS 1000		 /* of processor time, and of the clock (H74); then SIGKILL */
#define SCRIPT_MEMORY (16 * 1024 * 1024) /* bytes (H74) */
#define SCRIPT_HEADER_MAX (1024 * 1024)	 /* bytes of a header that a script sees */
#define SCRIPT_BODY_MAX (1024 * 1024)	 /* bytes of a body, as they came, whose text it sees */
#define SCRIPT_BODY_TEXT_MAX (512 * 1024) /* bytes of that text */
#define SCRIPT_RCPTS_MAX 1000		 /* recipients it is told */
#define SCRIPT_ATTACHMENTS_MAX 200	 /* attachments it is told */
#define SCRIPT_STRING_MAX (1024 * 1024)	 /* bytes that string.rep makes (H73) */

#endif
