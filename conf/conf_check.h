/*
 * conf_check.h - what one value alone cannot tell: values against each other.
 */
#ifndef CONF_CONF_CHECK_H
#define CONF_CONF_CHECK_H

#include "conf/conf_load.h"

struct yaml_tree;

#define TIMEOUT_SENSIBLE_MIN 30000 /* ms, NET-02 */
#define TIMEOUT_SENSIBLE_MAX 600000
#define TIMEOUT_SENSIBLE_TEXT "outside what is sensible, 30s to 600s"

/*
 * Add faults and warnings about CONF to FAULTS: two listeners at one address, a certificate without
 * its key, a default domain that is not local (LOC-01), AUTH asked of everybody (SMT-06), timeouts
 * outside 30 to 600 s (NET-02), items of one name, names of connections that are not there.
 * TREE gives their places and may be NULL. conf_load() calls it.
 */
void conf_check(const struct conf *conf, const struct yaml_tree *tree, struct conf_faults *faults);

/* The keys of FAULTS name items of lists by their names, not their places, where they have one. */
void conf_fault_names(struct conf_faults *faults, const struct yaml_tree *tree);

/* Its part in conf_check_connect.c: connections, and what names them. */
void conf_check_connections(
	const struct conf *conf, const struct yaml_tree *tree, struct conf_faults *faults);

/* Its part in conf_check_collect.c: for whom collected mail is. */
void conf_check_collecting(
	const struct conf *conf, const struct yaml_tree *tree, struct conf_faults *faults);

/* Its part in conf_check_journal.c: where copies go, and who may deliver them here. */
void conf_check_journal(
	const struct conf *conf, const struct yaml_tree *tree, struct conf_faults *faults);

/* Its part in conf_check_routes.c: the ways out. */
void conf_check_routes(
	const struct conf *conf, const struct yaml_tree *tree, struct conf_faults *faults);

#endif
