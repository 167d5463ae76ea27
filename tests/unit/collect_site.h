/*
 * collect_site.h - a site with a collector called isp, whose mailbox is the one of collect_fake.h: for tests of
 * collections.
 */
#ifndef TESTS_UNIT_COLLECT_SITE_H
#define TESTS_UNIT_COLLECT_SITE_H

#include "server/collect/collect_inside.h"
#include "tests/harness/site.h"
#include "tests/unit/collect_fake.h"

#define HEAD                                                                                       \
	"hostname: mail.example.org\n"                                                             \
	"domains: { default: example.org, local: [example.org] }\n"                                \
	"collecting:\n"
#define COLLECTOR(more)                                                                            \
	HEAD "  collectors:\n"                                                                     \
	"    - { name: isp, kind: pop3, server: pop.isp.test, username: u, accepted: [example.org]" more " }\n"
#define DAY_MS INT64_C(86400000)

extern struct site site;
extern _Atomic int64_t offset_ms; /* of the clock; begin() sets it back */

/* A site of the file CONF; users anna and postmaster; an empty mailbox. */
void begin(const char *conf);
void begin_without_administrator(const char *conf);
void end(void);
struct fake_message *add_text(const char *text);
/* COUNT messages to anna, "Subject: message N". */
void fill(size_t count);
bool is_idle(void);
struct collect_view view_of(const char *name);
void turn(void);
void turn_until_idle(void);
/* By the collector isp, to its end. */
struct collect_view collect(void);
/* How many of the messages of the folder have SUBJECT. */
size_t count_of(const char *user, const char *subject);
/* Of those of fill(). */
void assert_each_once(size_t count);
/* Of what was fetched by isp. */
size_t row_count(void);

/* Groups of the program, each in its file. */
int test_collect_again(void);
int test_collect_anew(void);
int test_collect_names(void);
int test_collect_large(void);
int test_collect_many(void);
int test_collect_starts(void);
int test_collect_texts(void);

#endif
