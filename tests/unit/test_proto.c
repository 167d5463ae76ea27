/*
 * test_proto.c - the unit tests of proto/, all but control.
 */
#include "tests/unit/test_proto.h"

int
main(void)
{
	int failed = 0;

	failed += test_base();
	failed += test_json();
	failed += test_address();
	failed += test_find();
	failed += test_recipient_text();
	failed += test_header();
	failed += test_mail();
	failed += test_mime();
	failed += test_mime_footer();
	failed += test_mime_parser();
	failed += test_dkim();
	failed += test_dns_message();
	failed += test_spf();
	failed += test_forward_server() + test_journal_report() + test_mbox();
	failed += test_sasl();
	failed += test_socks_client();
	failed += test_smtp_client();
	failed += test_smtp_command();
	failed += test_smtp_data();
	failed += test_smtp_server();
	failed += test_smtp_server_limits();
	failed += test_lmtp_server();
	failed += test_pop3();
	failed += test_pop3_client();
	failed += test_imap_args();
	failed += test_imap_sets_and_names();
	failed += test_imap_client();
	failed += test_imap_requests();
	failed += test_imap_search();
	failed += test_imap_server();
	failed += test_imap_thread();
	failed += test_worst_case();
	return failed != 0;
}
