/*
 * test_proto.h - the groups of test_proto.c; each returns how many of its tests failed.
 */
#ifndef TESTS_UNIT_TEST_PROTO_H
#define TESTS_UNIT_TEST_PROTO_H

#include "tests/harness/page_edge.h"

int test_address(void);
int test_base(void);
int test_dkim(void);
int test_dns_message(void);
int test_find(void);
int test_forward_server(void);
int test_journal_report(void);
int test_mbox(void);
int test_header(void);
int test_imap_args(void);
int test_imap_sets_and_names(void);
int test_imap_client(void);
int test_imap_requests(void);
int test_imap_search(void);
int test_imap_server(void);
int test_imap_thread(void);
int test_json(void);
int test_lmtp_server(void);
int test_mail(void);
int test_mime(void);
int test_mime_footer(void);
int test_mime_parser(void);
int test_pop3(void);
int test_recipient_text(void);
int test_pop3_client(void);
int test_sasl(void);
int test_socks_client(void);
int test_smtp_client(void);
int test_smtp_command(void);
int test_smtp_data(void);
int test_smtp_server(void);
int test_smtp_server_limits(void);
int test_spf(void);
int test_worst_case(void);

#endif
