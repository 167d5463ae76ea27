/*
 * test_smtp_command.c - command lines, good and bad.
 */
#include "proto/smtp/smtp_command.h"
#include "tests/unit/test_proto.h"

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X100 X50 X50

static void
test_smtp_command_rows(void **state)
{
	static const struct {
		const char *line;
		enum smtp_verb verb;
		enum smtp_fault fault;
	} rows[] = {
		{"EHLO client.example.net", SMTP_VERB_EHLO, 0},
		{"helo x", SMTP_VERB_HELO, 0},
		{"EHLO", SMTP_VERB_EHLO, SMTP_FAULT_ARGUMENT},
		{"EHLO a\x1b", SMTP_VERB_EHLO, SMTP_FAULT_ARGUMENT},
		{"QUIT", SMTP_VERB_QUIT, 0},
		{"QUIT ", SMTP_VERB_QUIT, 0},
		{"QUIT now", SMTP_VERB_QUIT, SMTP_FAULT_ARGUMENT},
		{"DATA x", SMTP_VERB_DATA, SMTP_FAULT_ARGUMENT},
		{"NOOP x y", SMTP_VERB_NOOP, 0},
		{"NOOP\tx", SMTP_VERB_NOOP, 0},
		{"", SMTP_VERB_UNKNOWN, SMTP_FAULT_UNKNOWN},
		{"?", SMTP_VERB_UNKNOWN, SMTP_FAULT_UNKNOWN},
		{"BDAT 3", SMTP_VERB_UNKNOWN, SMTP_FAULT_UNKNOWN},
		{"MAIL FROM:<a@b.test>", SMTP_VERB_MAIL, 0},
		{"mail from: <a@b.test> size=10 body=8bitmime", SMTP_VERB_MAIL, 0},
		{"MAIL FROM:<>", SMTP_VERB_MAIL, 0},
		{"MAIL FROM:<a@b.test>SIZE=1", SMTP_VERB_MAIL, SMTP_FAULT_ADDRESS},
		{"MAIL FROM:a@b.test", SMTP_VERB_MAIL, SMTP_FAULT_ADDRESS},
		{"MAIL FROM <a@b.test>", SMTP_VERB_MAIL, SMTP_FAULT_ARGUMENT},
		{"MAIL TO:<a@b.test>", SMTP_VERB_MAIL, SMTP_FAULT_ARGUMENT},
		{"MAIL FROM:<> SIZE=", SMTP_VERB_MAIL, SMTP_FAULT_VALUE},
		{"MAIL FROM:<> SIZE=-1", SMTP_VERB_MAIL, SMTP_FAULT_VALUE},
		{"MAIL FROM:<> SIZE=1 SIZE=1", SMTP_VERB_MAIL, SMTP_FAULT_VALUE},
		{"MAIL FROM:<> SIZE=99999999999999999999", SMTP_VERB_MAIL, 0},
		{"MAIL FROM:<> SIZE=999999999999999999999", SMTP_VERB_MAIL, SMTP_FAULT_VALUE},
		{"MAIL FROM:<> BODY=BINARYMIME", SMTP_VERB_MAIL, SMTP_FAULT_VALUE},
		{"MAIL FROM:<> RET=FULL ENVID=a+2Bb AUTH=<>", SMTP_VERB_MAIL, 0},
		{"MAIL FROM:<> ENVID=a+2", SMTP_VERB_MAIL, SMTP_FAULT_VALUE},
		{"MAIL FROM:<> RET=SOME", SMTP_VERB_MAIL, SMTP_FAULT_VALUE},
		{"MAIL FROM:<> SMTPUTF8=1", SMTP_VERB_MAIL, SMTP_FAULT_VALUE},
		{"MAIL FROM:<> NOTIFY=NEVER", SMTP_VERB_MAIL, SMTP_FAULT_PARAMETER},
		{"MAIL FROM:<> X", SMTP_VERB_MAIL, SMTP_FAULT_PARAMETER},
		{"MAIL FROM:<\xc3\xb6@b.test>", SMTP_VERB_MAIL, SMTP_FAULT_UTF8_NEEDED},
		{"MAIL FROM:<\xc3\xb6@b.test> SMTPUTF8", SMTP_VERB_MAIL, 0},
		{"RCPT TO:<a@b.test> NOTIFY=SUCCESS,delay ORCPT=rfc822;a@b.test", SMTP_VERB_RCPT,
			0},
		{"RCPT TO:<>", SMTP_VERB_RCPT, SMTP_FAULT_ADDRESS},
		{"RCPT TO:<a@b.test> NOTIFY=NEVER,DELAY", SMTP_VERB_RCPT, SMTP_FAULT_VALUE},
		{"RCPT TO:<a@b.test> NOTIFY=", SMTP_VERB_RCPT, SMTP_FAULT_VALUE},
		{"RCPT TO:<a@b.test> ORCPT=x", SMTP_VERB_RCPT, SMTP_FAULT_VALUE},
		{"RCPT TO:<a@b.test> ORCPT=rfc822;a b", SMTP_VERB_RCPT, SMTP_FAULT_PARAMETER},
		{"MAIL FROM:<> ENVID=" X100, SMTP_VERB_MAIL, 0},
		{"MAIL FROM:<> ENVID=x" X100, SMTP_VERB_MAIL, SMTP_FAULT_VALUE},
		{"HELO xxxxx" X100 X100 X50, SMTP_VERB_HELO, 0},
		{"HELO xxxxxx" X100 X100 X50, SMTP_VERB_HELO, SMTP_FAULT_ARGUMENT},
		{"AUTH PLAIN AAAA", SMTP_VERB_AUTH, 0},
		{"AUTH", SMTP_VERB_AUTH, SMTP_FAULT_ARGUMENT},
		{"STARTTLS", SMTP_VERB_STARTTLS, 0},
	};
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct smtp_command c;

		smtp_command_parse(&a, at_page_edge(span_of(rows[i].line)), &c);
		if (c.verb != rows[i].verb || c.fault != rows[i].fault)
			fail_msg("%s: verb %d fault %d", rows[i].line, c.verb, c.fault);
		arena_reset(&a);
	}
}

static void
test_smtp_command_values(void **state)
{
	struct smtp_command c;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	smtp_command_parse(&a,
		SPAN("MAIL FROM:<Anna@Example.org> SIZE=10 BODY=7BIT RET=HDRS ENVID=q AUTH=a+40b"),
		&c);
	check_span(0, c.path.key, SPAN("anna@example.org"));
	assert_true(c.mail.has_size && c.mail.size == 10 && c.mail.body == BODY_7BIT);
	assert_int_equal(c.mail.ret, DSN_RET_HDRS);
	check_span(1, c.mail.envid, SPAN("q"));
	check_span(2, c.mail.auth, SPAN("a+40b"));
	smtp_command_parse(
		&a, SPAN("RCPT TO:<postmaster> NOTIFY=FAILURE,DELAY ORCPT=rfc822;x"), &c);
	assert_int_equal(c.path.flags, ADDRESS_NO_DOMAIN);
	assert_int_equal(c.recipient.notify, DSN_NOTIFY_FAILURE | DSN_NOTIFY_DELAY);
	check_span(3, c.recipient.orcpt, SPAN("rfc822;x"));
	smtp_command_parse(&a, SPAN("AUTH LOGIN ="), &c);
	check_span(4, c.argument, SPAN("LOGIN"));
	check_span(5, c.initial, SPAN("="));
	arena_reset(&a);
}

int
test_smtp_command(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_smtp_command_rows),
		cmocka_unit_test(test_smtp_command_values),
	};

	return cmocka_run_group_tests_name("smtp_command", tests, NULL, NULL);
}
