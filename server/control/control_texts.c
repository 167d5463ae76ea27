/*
 * control_texts.c - `config texts`: what the server writes to people (ADM-12); `config set` changes it.
 */
#include "conf/conf_texts.h"

#include "conf/conf.h"
#include "server/control/control_call.h"

#define TEXT_MAX 32768 /* bytes of one text as JSON has it; a longer one is left out of the list */

static void
text_row(struct control_call *call, const struct conf_text *text)
{
	struct conf_entry entry;
	struct buf value;

	if (conf_find(call->host->conf, text->key, &entry) != OK)
		return;
	buf_init(&value, TEXT_MAX);
	control_row(&call->rows, span_of(text->key));
	control_put_text(&call->rows, span_of(text->category));
	control_put_text(&call->rows, span_of(text->key));
	control_put_text(&call->rows, conf_put_text(&entry, &value) == OK ?
			arena_copy(&call->arena, buf_span(&value)) : SPAN(""));
	control_put_text(&call->rows, span_of(text->placeholders));
	control_put_number(&call->rows, entry.is_default);
	control_put_text(&call->rows, span_of(entry.setting->help));
	buf_fini(&value);
}

static void
texts_start(struct control_call *call)
{
	for (size_t i = 0; i < conf_text_count; i++)
		text_row(call, &conf_texts[i]);
	control_rows_end(&call->rows);
	control_call_end(call);
}

const struct control_handler control_do_config_texts = { .start = texts_start };
