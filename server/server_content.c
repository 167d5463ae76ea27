/*
 * server_content.c - a text of the content rules that came by hand is compiled before it is in force (H74).
 *
 *     the file changes --> a child compiles it --> in force; or refused, and the old one stays
 *
 * A text from a command was compiled there. A start takes what it finds, so that no message goes past the rules, and
 * has it compiled behind that: until then a bad one fails, message by message, as RTE-13 has it.
 */
#include "conf/conf_file.h"
#include "conf/conf_rules.h"
#include "server/server_state.h"

static void
end(struct server *s)
{
	s->content.under_way = false;
	arena_reset(&s->content.arena);
}

static void
on_loaded(struct server_load *load, enum err err)
{
	if (err != OK)
		load->server->content.unseen = true;
	end(load->server);
}

static void
on_checked(struct script_check *check)
{
	struct server *s = LIST_ITEM(check, struct server, content.check);
	struct span now = conf_rules_text(server_front(s)->conf, RULE_FILE_CONTENT);

	if (check->failed.len > 0)
		server_rules_refuse(s, RULE_FILE_CONTENT, check->failed);
	if (check->failed.len > 0 || span_eq(s->content.text, now)) {
		end(s);
		return;
	}
	s->content.load = (struct server_load){ .what = LOAD_RULES, .file = RULE_FILE_CONTENT, .trusts = true,
		.done = on_loaded };
	server_load(s, &s->content.load);
}

void
server_content_look(struct server *s)
{
	struct content_look *look = &s->content;
	const struct conf *conf = server_front(s)->conf;
	struct stat st;
	enum err err;

	if (look->under_way)
		return;
	look->unseen = false;
	arena_init(&look->arena, NULL);
	err = conf_file_read_max(
		conf_rules_path(&look->arena, s->options->conf_path, conf, RULE_FILE_CONTENT),
		RULE_FILE_TEXT_MAX, &look->arena, &look->text, &st);
	if (err == ERR_NOT_FOUND)
		look->text = SPAN("");
	look->under_way = true;
	look->check = (struct script_check){ .done = on_checked, .arena = &look->arena };
	if (err != OK && err != ERR_NOT_FOUND)
		look->check.failed = arena_printf(&look->arena, "cannot be read: %s", err_name(err));
	if (look->check.failed.len > 0 ||
		!script_check_begin(server_front(s), &look->check, look->text))
		on_checked(&look->check);
}

enum err
server_content_load(struct reading *r, struct conf_faults *faults)
{
	enum err err = conf_rules_load(r->next, RULE_FILE_CONTENT, r->server->options->conf_path, faults);
	struct span old = r->now ? conf_rules_text(r->now, RULE_FILE_CONTENT) : SPAN_NONE;

	if (err != OK || r->trusts)
		return err;
	r->unseen = !r->now || !span_eq(conf_rules_text(r->next, RULE_FILE_CONTENT), old);
	return r->unseen && r->now ? conf_rules_take(r->next, RULE_FILE_CONTENT, old, faults) : OK;
}

void
server_content_close(struct server *s)
{
	if (s->content.under_way)
		end(s); /* the runner has been closed */
}
