/* fuzz_json.c - what was read is written, and read again without complaint. */
#include "proto/base/json.h"
#include "tests/fuzz/fuzz.h"

FUZZ(in, a, out)
{
	const struct json *value;
	struct json_writer w;
	size_t at;

	if (json_parse(a, in, &value, &at) != OK)
		return;
	json_writer_init(&w, out);
	json_put_json(&w, value);
	if (json_writer_end(&w) == OK && buf_span(out).len <= JSON_TEXT_MAX)
		ENSURE(json_parse(a, buf_span(out), &value, &at) == OK);
}
