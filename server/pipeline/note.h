/*
 * note.h - why the pipeline chose what it chose, in few bytes.
 *
 * A note is a code and at most two short values (H88). The codes are kept in traces, so a number is
 * never given to another meaning; a new note gets a new number. The sentence stands only here:
 * explain and trace print it from the same row, so they cannot disagree with a delivery.
 *
 * Encoded: one byte code, one byte length and bytes of FOUND, one byte length and bytes of BECAUSE.
 */
#ifndef SERVER_PIPELINE_NOTE_H
#define SERVER_PIPELINE_NOTE_H

#include "proto/base/buf.h"

/* Why the outgoing stage holds; also what the queue shows. */
#define OUT_HELD_WHY "the user addressed more than %lld in an hour (limits.user_recipients_hour)"
#define NOTE_VALUE_MAX 96   /* bytes of one value; longer ones are cut and end in "..." */
#define NOTES_MAX      2048 /* bytes of all notes of one message; what comes after is counted */

/*
 * number, code, stage, sentence. "{1}" stands for what was found, "{2}" for the reason.
 */
#define NOTES(X)                                                                                   \
	X(1, ACCESS_OPEN, "limits", "{1} may connect: the service has no access lines")            \
	X(2, ACCESS_ALLOWED, "limits", "{1} may connect by access line {2}")                       \
	X(3, ACCESS_REFUSED, "limits", "{1} may not connect: {2}")                                 \
	X(4, SIZE_OVER, "limits", "a message of {1} bytes is over the limit of {2}")               \
	X(5, RECIPIENTS_OVER, "limits", "{1} is one recipient more than the limit of {2}")         \
	X(6, LOOP_OVER, "limits", "{1} Received fields are more than {2}: the message runs in a circle") \
	X(7, LINE_OVER, "limits", "a line is longer than {2} bytes")                               \
	X(8, HEADER_OVER, "limits", "the header is over its limits: {2}")                          \
	X(9, HELO_GIVEN, "limits", "the peer calls itself {1}; TLS: {2}")                          \
	X(10, ACCESS_LOOPBACK, "limits", "{1} may connect: {2} without access lines is for this machine only") \
	X(11, BLOCKLIST_LISTED, "limits", "the blocklist {1} has the client: {2}")                 \
	X(12, BLOCKLIST_CLEAR, "limits", "none of the {2} blocklists has {1}")                     \
	X(13, BLOCKLIST_SILENT, "limits", "the blocklist {1} did not answer, which refuses nobody") \
	X(14, BLOCKLIST_ALLOWED, "limits", "no blocklist is asked about {1}: line {2}")            \
	X(15, BLOCKLIST_ROLE, "limits", "{1} can be written to from every address, listed by {2} or not") \
	X(16, BLOCKLIST_UNASKED, "limits", "{2} blocklists would be asked about {1}; here nobody is asked") \
	X(20, SENDER_USER, "sender", "{1} logged in; the sender is this user")                     \
	X(21, SENDER_NOAUTH, "sender", "{1} needs no login by access line {2}")                    \
	X(22, SENDER_STRANGER, "sender", "nobody logged in: {1} counts as a stranger")             \
	X(23, SENDER_NULL, "sender", "the return address is empty: this is a report")              \
	X(24, AUTH_REQUIRED, "sender", "{1} is refused without a login: {2}")                      \
	X(25, ADDRESS_REFUSED, "sender", "the address {1} is refused: {2}")                        \
	X(26, DOMAIN_ADDED, "sender", "{1} has no domain and becomes {2}")                         \
	X(27, FROM_FOREIGN, "sender", "{1} may not write as {2}")                                  \
	X(28, FROM_COUNT, "sender", "a submitted message has one From field; this one has {1}")    \
	X(29, RELAY_ALLOWED, "sender", "{1} may go out: {2}")                                      \
	X(30, RELAY_REFUSED, "sender", "{1} is not ours and may not go out: {2}")                  \
	X(31, SENDER_INTERNAL, "sender", "{1} may write to colleagues only, not to {2}")           \
	X(32, SENDER_LOCAL, "sender", "{1} is the address of the user {2}")                        \
	X(33, SENDER_IN_FRONT, "sender", "{1} hands over by LMTP: whoever wrote it counts as a stranger") \
	X(39, SENDER_POPPED, "sender", "{1} collected mail by POP3 a moment ago: {2}")             \
	X(40, DOMAIN_LOCAL, "mapping", "{1} is ours by domains.local")                            \
	X(41, DOMAIN_FOREIGN, "mapping", "{1} is not ours: nothing in domains.local fits")         \
	X(42, MAPPING_FITS, "mapping", "the mapping {1} sends it to {2}")                          \
	X(44, MAPPING_NOONE, "mapping", "{1} is mapped to No-one: accepted and not kept")          \
	X(45, MAPPING_REMOTE, "mapping", "{1} is known but lives elsewhere (*REMOTE)")             \
	X(46, MAPPING_REST, "mapping", "nobody is {1}; {2} takes the rest of the domain")          \
	X(47, MAPPING_LOST, "mapping", "the target {2} of {1} is known to nobody: left out")       \
	X(48, NAME_USER, "mapping", "{1} is the user {2}")                                         \
	X(49, NAME_GROUP, "mapping", "{1} is the group {2}: a copy for each member")               \
	X(50, NAME_UNKNOWN, "mapping", "{1} is nobody here")                                       \
	X(51, NAME_INTERNAL, "mapping", "{1} takes no mail from outside")                          \
	X(52, NAME_DEFAULT_OFF, "mapping", "{1} is a user, but domains.default_user_mapping is off") \
	X(53, NAME_ADMIN, "mapping", "{1} is always accepted; the Main Administrator is {2}")      \
	X(54, NAME_NO_ADMIN, "mapping", "{1} is always accepted, but there is no administrator to get it") \
	X(100, LITERAL_OURS, "sender", "{1} is an address of this host and becomes {2}")           \
	X(101, DOMAIN_COLLECTED, "mapping", "{1} is ours by the accepted domains of {2}")          \
	X(102, DOMAIN_NOT_COLLECTED, "mapping", "{1} is none of the accepted domains of {2}: passed over") \
	X(103, MAPPING_SENDER, "mapping", "the mapping {1} fits the sender: all of it goes to {2}") \
	X(104, MAPPING_CHAIN, "mapping", "the target {2} of {1} is only a mapping itself, and mappings do not chain: left out") \
	X(105, MAPPING_ELSEWHERE, "mapping", "{1} goes out: domains.route_locally is off")         \
	X(106, GROUP_INSIDE, "maillist", "{1} is a group, which nobody outside may write to")      \
	X(107, LIST_FOUND, "maillist", "{1} is the list {2}: a copy for each member")              \
	X(108, LIST_MAILING, "maillist", "{1} is a mailing list: it distributes to its members")   \
	X(109, LIST_NESTED, "maillist", "the list {1} holds {2}")                                  \
	X(110, LIST_DEEP, "maillist", "{2} in the list {1} lies deeper than ten lists: left out")   \
	X(111, LIST_AGAIN, "maillist", "{2} in the list {1} was expanded already")                 \
	X(112, LIST_LOST, "maillist", "the member {2} of the list {1} is known to nobody: left out") \
	X(113, LIST_EMPTY, "maillist", "{1} has no member who gets it")                            \
	X(114, MEMBERS_INTERNAL, "maillist", "{1} members of {2} take no mail from outside: left out") \
	X(115, UNKNOWN_OUT, "unknown", "{1} is nobody here and goes out: domains.unknown_to_isp")  \
	X(116, UNKNOWN_REMOTE, "unknown", "{1} is nobody here: collecting.unknown.do is remote")   \
	X(117, OUT_LEFT_OUT, "outgoing", "{1} is left out: {2}")                                   \
	X(118, OUT_SIZE, "outgoing", "{1} bytes are more than the {2} that the sender may send out") \
	X(130, OUT_HELD, "outgoing", "{1} recipients elsewhere wait held: {2}")                    \
	X(160, LAN_FITS, "lan", "{1} goes to another server by LAN rule {2}")                      \
	X(161, LAN_REST, "lan", "nobody is {1}; LAN rule {2} takes the rest of the domain")        \
	X(162, OUT_ADDRESS, "place", "in the copy for the Internet {1} becomes {2}")               \
	X(163, OUT_FIELD, "place", "in the copy for the Internet {1} is {2}")                      \
	X(164, WRITE_LAN, "intake", "the {1} for other servers by LAN rules wait in the queue as {2}") \
	X(119, PLACE_MANY, "place", "{1} goes to {2} more in the same way")                        \
	X(60, PLACE_INBOX, "place", "{1} goes to the INBOX of {2}")                                \
	X(62, PLACE_AGAIN, "place", "{1} reaches {2} once more: one copy is enough")               \
	X(65, PLACE_QUEUED, "place", "{1} waits in the queue: {2}")                                \
	X(67, PLACE_NOBODY, "place", "{1} is accepted and kept nowhere: {2}")                            \
	X(66, COLLECT_FROM, "collect", "collected from {1} by the collector {2}")                   \
	X(68, COLLECT_NUMBER, "collect", "there it was message {1}, with the unique id {2}")       \
	X(69, COLLECT_TLS, "collect", "the connection to {1}: {2}")                                \
	X(72, COLLECT_KEPT, "collect", "{1} gets it, for here it would be refused: {2}")           \
	X(70, HEADER_ADDED, "place", "{1} is added: {2}")                                          \
	X(71, HEADER_REMOVED, "place", "{1} is removed: {2}")                                      \
	X(150, DKIM_SIGNED, "delivery", "signed for {1} by the keys {2}")                          \
	X(151, DKIM_UNSIGNED, "delivery", "not signed for {1}: {2}")                               \
	X(80, WRITE_GONE, "intake", "{1} was gone when the message was written; it went to {2}")   \
	X(131, WRITE_HELD, "intake", "the {1} that are held wait in the queue as {2}")             \
	X(174, PLACE_BACK, "place", "{1} is nobody here, the sender gets a report: {2}")           \
	X(175, QUEUE_RETURNED, "bounce", "{1} recipients are returned to the sender: {2}")         \
	X(196, SPF_SAID, "sender", "SPF says {1} for the sender: {2}")                             \
	X(197, SPF_UNASKED, "sender", "the SPF record of {1} would be asked for; here nobody is asked") \
	X(198, RECEIPT_ASKED, "place", "{1} asks for a receipt: it goes out when the message is collected") \
	X(199, RECEIPT_REFUSED, "place", "{1} asks for a receipt, and none will go out: {2}")      \
	X(193, OUT_URGENT, "outgoing", "its header says \"{1}\": its connection is made at once")     \
	X(180, FORWARD_QUEUED, "store-forward", "{1} keeps it, and it waits for the user's other server {2}")   \
	X(181, FORWARD_NOT, "store-forward", "{1} keeps it, and it is not forwarded: {2}")         \
	X(182, FORWARD_BYPASSED, "store-forward", "store and forward of {1} has nothing to do: {2}") \
	X(183, FORWARD_TAKEN, "store-forward", "{1} has it, so the copy left the mailbox here")     \
	X(184, FORWARD_STAYS, "store-forward", "{2} does not take it, so it stays in the mailbox of {1}") \
	X(204, FORWARD_GOES, "mailbox", "the mail of {1} goes on to {2}, by forward_to")           \
	X(205, FORWARD_RING, "mailbox", "{1} keeps it: nobody new is behind forward_to, {2}")      \
	X(206, FORWARD_LOST, "mailbox", "{1} sends it on to {2}, which nobody knows: left out")    \
	X(214, SIZE_RULE, "mailbox", "a size rule of {1} fits: {2}")                               \
	X(215, ASSISTANT_COPY, "mailbox", "{1} has assistants, who get a copy: {2}")               \
	X(216, ASSISTANT_INSTEAD, "mailbox", "{1} has assistants, who get it instead: {2}")        \
	X(217, ASSISTANT_PASSED, "mailbox", "the assistants of {1} get nothing: {2}")              \
	X(218, MAILBOX_KEEPS, "mailbox", "{1} keeps it after all: {2}")                            \
	X(55, ASK_ANSWERED, "question", "the answer to question {1}: it is {2} the next time its mailbox is collected") \
	X(56, ASK_OVER, "question", "there is no question {1} any more")                           \
	X(57, ASK_STRANGER, "question", "question {1} is answered only by those who were asked, not by {2}") \
	X(58, DOWNLOAD_RULE, "collected", "the download rule \"{1}\" has it fetched: {2}")         \
	X(59, DOWNLOAD_ASKED, "collected", "it was fetched because {1} answered its question {2} so") \
	X(220, ROBOT, "maillist", "{1} is a robot of this server; {2} reads its mail")             \
	X(221, COLLECTED_LOST, "unknown", "{1} is nobody here: collecting.unknown says who gets the mail") \
	X(222, COLLECTED_GOES, "collected", "{1} gets what was collected for nobody here: {2}")    \
	X(223, COLLECTED_NOT, "collected", "{1}: {2}")                                             \
	X(17, WHO_FOUND, "recipients", "{1} is a recipient, by the field {2}")                      \
	X(18, WHO_PASSED, "recipients", "{1} in {2} is none of the accepted domains: passed over") \
	X(19, WHO_NO_ADDRESS, "recipients", "{1} in {2} is no address: passed over")               \
	X(86, WHO_BARE, "recipients", "{1} in {2} has no domain: passed over (ignore_bare_received)") \
	X(88, WHO_TEMPLATE, "recipients", "{1} does not fit {2}: passed over")                     \
	X(34, WHO_STEP, "recipients", "the {1} fields name {2}")                                   \
	X(35, WHO_STOPPED, "recipients", "the {1} fields are not looked at: {2}")                  \
	X(36, WHO_IGNORED, "recipients", "a field {1} is not looked at: {2}")                      \
	X(37, WHO_TARGET, "recipients", "all mail of {1} goes to {2}")                             \
	X(38, WHO_BESIDE, "recipients", "{1} stands beside our address in {2}, and is a user")     \
	X(43, WHO_BESIDE_NOT, "recipients", "{1} stands beside our address in {2}, and is no user") \
	X(82, WHO_MARKED, "recipients", "the subject names {1} in the marks {2}")                  \
	X(83, WHO_MARKED_NOT, "recipients", "the subject names nobody in the marks {1}")           \
	X(87, WHO_MARKED_NOBODY, "recipients", "the subject names {1} in the marks {2}, and that is no user") \
	X(85, WHO_RULE, "recipients", "a download rule sends it to {1}: {2}")                      \
	X(84, WHO_OVER, "recipients", "there are more than {1} recipients: the others are left out") \
	X(89, WHO_LOOKED, "recipients", "there are more than {1} addresses: the others are not looked at") \
	X(219, MAILBOX_MANY, "mailbox", "{1} mailboxes more decide in the same way or not")        \
	X(203, WRITE_FORWARD, "intake", "the {1} for users' other servers wait in the queue as {2}") \
	X(207, WRITE_ROLE, "intake", "the copy for the {1} waits in the queue as {2}")             \
	X(208, SIGN_ADDED, "place", "the {1} signature is added to the copy for the Internet, {2}")  \
	X(209, SIGN_NOT, "place", "no signature is added: {1}")                                    \
	X(210, WRITE_PART, "intake", "a part of message {1}, whose trace tells how it came")       \
	X(211, SCRIPT_PLAIN, "script", "{1} copies have no fields of their scripts: {2}")          \
	X(237, MONITOR_COPY, "monitor", "{1} gets a monitoring copy: {2}")                        \
	X(238, MONITOR_SAMPLE, "monitor", "{1} gets a copy, as a sample: {2}")                   \
	X(239, MONITOR_CHANCE, "monitor", "{1} gets a copy of it by chance: {2}")          \
	X(240, MONITOR_NOT, "monitor", "the profile {1} makes no copy: {2}")                       \
	X(242, QUOTA_BLOCKS, "quota", "{1} may not send: the mailbox is at {2} of its quota")         \
	X(241, MONITOR_LOST, "monitor", "{1}, a target of the profile {2}, is nobody: no copy")     \
	X(231, SCRIPT_SAYS, "script", "the script {1} says: {2}")                                 \
	X(232, SCRIPT_FAILED, "script", "the script {1} failed, so nothing of it counts: {2}")     \
	X(233, SCRIPT_LOG, "script", "the script {1} notes: {2}")                                  \
	X(234, SCRIPT_SENDS, "script", "the script {1} sends it to {2}")                           \
	X(235, SCRIPT_DROPS, "script", "the script {1} takes it from where it would have gone: {2}") \
	X(236, SCRIPT_LOST, "script", "the script {1} names {2}, which nobody knows: left out")    \
	X(244, JOURNAL_SEAT, "journal", "{1}: {2}")                                                \
	X(245, JOURNAL_COPY, "journal", "the journal at {1} gets a copy: {2}")                     \
	X(246, JOURNAL_NOT, "journal", "the journal gets no copy: {1}{2}")                         \
	X(247, JOURNAL_ARRIVES, "journal", "{1} takes the journal of another server, for the archive: {2}") \
	X(248, JOURNAL_OPENED, "journal", "the journal of another server: {1}{2}")                       \
	X(249, JOURNAL_LATE, "intake", "the journal got no copy after all: {1} had lost its seat to another message") \
	X(170, REPORT_SENT, "bounce", "{1} gets a report, which is {2}")                           \
	X(171, REPORT_NOBODY, "bounce", "nobody is told of {1}: {2}")                              \
	X(172, REPORT_HELD, "bounce", "it is held, for nobody can be told: {2}")                   \
	X(173, RECEIPT_SENT, "bounce", "{1} gets a receipt, which is {2}")                         \
	X(250, ARCHIVE_KEPT, "archive", "the archive keeps it: {1}")                                   \
	X(251, ARCHIVE_NOT, "archive", "the archive does not keep it: {1}")                           \
	X(252, WRITE_ARCHIVED, "intake", "it is in the archive as {1}")                              \
	X(81, WRITE_REFUSED, "intake", "the store did not take it: {1}")                           \
	X(224, RULE_NONE, "rules", "SMTP rule {1}: none holds at stage {2}")                       \
	X(225, RULE_FITS, "rules", "SMTP rule {1} holds: {2}")                                     \
	X(226, RULE_LOST, "rules", "the target {2} of SMTP rule {1} is known to nobody: not acted upon") \
	X(227, RULE_COST, "rules", "the header would take more than {1} comparisons at stage {2}") \
	X(140, SEND_TRY, "delivery", "tried by the route {2}: {1}")                                \
	X(141, SEND_TLS, "delivery", "the connection to {1}: {2}")                                 \
	X(142, SEND_TAKEN, "delivery", "{1} is delivered: {2}")                                    \
	X(143, SEND_LATER, "delivery", "{1} could not be delivered yet: {2}")                      \
	X(144, SEND_FAILED, "delivery", "{1} cannot be delivered: {2}")                            \
	X(185, SEND_7BIT, "delivery", "made 7-bit for {1}, which takes no 8BITMIME: {2}")         \
	X(145, SEND_MORE, "delivery", "and {1} recipients more, in the same way or not")

enum note_code {
#define X(number, code, stage, sentence) NOTE_##code = number,
	NOTES(X)
#undef X
};

struct note {
	enum note_code code;
	struct span stage;    /* "mapping" */
	struct span sentence; /* the row's; NULL where the code is from a newer server */
	struct span found;
	struct span because;
};

/* Is it about a mapping, a list or a profile that wants mending? Such notes go to the log too (Q-04, LST-06). */
bool note_is_report(const struct note *note);

#define NOTE_SIZE_MAX (3 + 2 * NOTE_VALUE_MAX) /* bytes of one note */

/* Write one note to OUT, which has room for NOTE_SIZE_MAX; the bytes it took. */
size_t note_encode(char *out, enum note_code code, struct span found, struct span because);

/* Take the first note of *REST; its values point into *REST. PARSE_MORE: there is none left. */
enum parse note_take(struct span *rest, struct note *out);

/* The sentence with its values filled in, as one line. */
MUST_CHECK enum err note_format(const struct note *note, struct buf *out);

#endif
