/*
 * conf_check_journal.c - the journal's settings against each other.
 */
#include "conf/conf_check.h"
#include "conf/yaml_tree.h"
#include "proto/mail/lan_target.h"

void
conf_check_journal(const struct conf *conf, const struct yaml_tree *tree, struct conf_faults *faults)
{
	struct yaml_place server = yaml_place_of(tree, SPAN("journal.server"));
	struct lan_target target;

	if (conf->journal_server.len > 0 && lan_target_parse(conf->journal_server, &target) != OK)
		conf_fault_add(faults, server, SPAN("journal.server"), "is no server, like 192.0.2.1:25");
	if (conf->journal_external.len > 0 && conf->journal_server.len == 0)
		conf_fault_add(faults, yaml_place_of(tree, SPAN("journal.external")),
			SPAN("journal.external"), "wants journal.server, which takes the copies");
	if (conf->journal_receive.count > 0 && conf->journal_receive_from.count == 0)
		conf_warning_add(faults, yaml_place_of(tree, SPAN("journal.receive")),
			SPAN("journal.receive"), "nobody may deliver there: see journal.receive_from");
}
