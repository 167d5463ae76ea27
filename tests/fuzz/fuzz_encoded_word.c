/* fuzz_encoded_word.c - encoded words, parameters, file names: valid UTF-8 without controls of their own. */
#include "proto/base/utf8.h"
#include "proto/mime/encoded_word.h"
#include "proto/mime/mime_entity.h"
#include "tests/fuzz/fuzz.h"

FUZZ(in, a, out)
{
	struct mime_params params = mime_take_params(a, in);
	struct mime_entity e;
	struct span name;

	ENSURE(encoded_word_decode(out, in) == OK || in.len > FUZZ_OUT_MAX / 8);
	ENSURE(utf8_is_valid(buf_span(out)));
	buf_clear(out);
	ENSURE(utf8_put_folded(out, in) == OK);
	ENSURE(utf8_is_valid(buf_span(out)));
	ENSURE(params.count <= MIME_PARAMS_MAX);
	ENSURE(utf8_is_valid(mime_param_text(a, &params, SPAN("name"))) ||
		!encoded_word_is_needed(mime_param_find(&params, SPAN("name"))));
	mime_entity_read(a, in, false, &e);
	name = mime_file_name(a, in);
	name = mime_safe_file_name(a, name);
	ENSURE(name.len > 0 && name.len <= MIME_FILE_NAME_MAX && span_find(name, '/') == name.len);
	ENSURE(!span_has_control(name, SPAN_NONE));
}
