/*
 * test_own_mail.h - what test_own_mail.c and test_own_mail_form.c share.
 */
#ifndef TESTS_UNIT_TEST_OWN_MAIL_H
#define TESTS_UNIT_TEST_OWN_MAIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/queue/own_mail.h"

static inline bool
holds(struct buf *b, const char *text)
{
	return span_find_span(buf_span(b), span_of(text)) < buf_span(b).len;
}

int test_own_mail_form(void);

#endif
