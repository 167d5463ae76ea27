/* fuzz_conf.c - any text is loaded or refused with a place; what is loaded can be shown (H60). */
#include "conf/conf_diff.h"
#include "conf/conf_load.h"
#include "tests/fuzz/fuzz.h"

static void
check_faults(const struct conf_faults *faults, struct span in, struct buf *out)
{
	ENSURE(faults->errors > 0 && faults->count > 0);
	for (size_t i = 0; i < faults->count; i++) {
		ENSURE(faults->items[i].column <= in.len + 2);
		ENSURE(conf_fault_put(&faults->items[i], "f", out) == OK);
	}
}

FUZZ(in, a, out)
{
	struct conf_faults faults;
	struct conf *conf;
	enum err err;

	conf_faults_init(&faults);
	err = conf_load(in, &conf, &faults);
	if (err != OK) {
		ENSURE(conf == NULL);
		check_faults(&faults, in, out);
	} else {
		ENSURE(faults.errors == 0 && span_eq(conf->text, in));
		err = conf_get_text(conf, "", out);
		buf_clear(out);
		ENSURE(conf_get_json(conf, "", out) == OK || out->overflow);
		buf_clear(out);
		ENSURE(conf_diff(in, in, out) == OK && buf_span(out).len == 0);
		ENSURE(conf_diff(SPAN(""), in, out) == OK || out->overflow);
	}
	conf_free(&conf);
	conf_faults_fini(&faults);
}
