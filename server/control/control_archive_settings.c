/*
 * control_archive_settings.c - `archive settings`: what is archived, for how long, and how much there is (ARC-01, ARC-04).
 */
#include "conf/conf_shapes.h"
#include "conf/conf_value.h"
#include "server/control/control_archive.h"
#include "server/generation.h"

#define PREFIX "archive."

static bool
put_setting(const struct conf_entry *entry, void *arg)
{
	struct control_call *call = arg;
	struct buf text;

	if (!span_starts(span_of(entry->key), SPAN(PREFIX)))
		return true;
	buf_init(&text, CONF_FILE_MAX);
	json_put_name(&call->json, span_of(entry->key + sizeof(PREFIX) - 1));
	if (conf_put_json(entry, &text) == OK)
		json_put_raw(&call->json, buf_span(&text));
	else
		json_put_null(&call->json);
	buf_fini(&text);
	return true;
}

static enum step
settings_read(struct control_call *call, struct snapshot *snap)
{
	struct json_writer *w = &call->json;
	struct archive_head head;

	if (!control_fail_err(call, archive_head_get(snap, &head), "archive"))
		return STEP_FAIL;
	json_put_object(w);
	conf_each(generation_conf(call->generation), put_setting, call);
	json_put_member_u64(w, SPAN("messages"), head.messages);
	json_put_member_u64(w, SPAN("size"), head.bytes);
	json_put_member_u64(w, SPAN("removed"), head.removed);
	json_put_close(w);
	return STEP_DONE;
}

const struct control_handler control_do_archive_settings = { .read = settings_read };
