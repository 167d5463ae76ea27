/*
 * collect_account.h - what makes a mailbox elsewhere the same one, whatever its collector is called. Pure.
 *
 * Kind, server and port (the standard ports of a kind are one), user name, folder, path. Names of servers compare without
 * case; all others are as the file has them.
 */
#ifndef SERVER_COLLECT_COLLECT_ACCOUNT_H
#define SERVER_COLLECT_COLLECT_ACCOUNT_H

#include "conf/conf.h"
#include "store/fetched.h"

uint64_t collect_account_mark(const struct conf_collector *conf);
/* With its label, "anna at pop.isp.test", in ROOM; cut. */
struct fetched_account collect_account(const struct conf_collector *conf, char room[FETCHED_LABEL_MAX + 1]);
/* The collectors of CONF, which has to live as long as it is asked. */
struct fetched_file collect_file(const struct conf *conf);

#endif
