/*
 * control_method.c - the rows of control_methods.h, laid out.
 */
#include "proto/control/control_method.h"

/* Only what gives rows takes the parameters of lists. */
#define PARAMS_ROWS(params)   params " " CONTROL_LIST_PARAMS
#define PARAMS_OBJECT(params) params
#define PARAMS_TEXT(params)   params
#define PARAMS_DONE(params)   params
#define PARAMS_FAULTS(params) params

const struct control_method control_methods[CONTROL_METHOD_COUNT] = {
#define X(id_, method_, words_, right_, guard_, reply_, params_, columns_, help_) \
	[CONTROL_##id_] = { \
		.id = CONTROL_##id_, \
		.method = method_, \
		.words = words_, \
		.right = CONTROL_RIGHT_##right_, \
		.guard = CONTROL_##guard_, \
		.reply = CONTROL_REPLY_##reply_, \
		.params = PARAMS_##reply_(params_), \
		.columns = columns_, \
		.help = help_, \
	},
	CONTROL_METHODS(X)
#undef X
};

const struct control_method *
control_method_find(struct span method)
{
	for (size_t i = 0; i < COUNT(control_methods); i++)
		if (span_eq(span_of(control_methods[i].method), method))
			return &control_methods[i];
	return NULL;
}

bool
control_method_allowed(const struct control_method *m, control_rights rights, bool read_only)
{
	if (read_only && control_method_changes(m))
		return false;
	return control_rights_have(rights, m->right);
}

const char *
control_reply_name(enum control_reply reply)
{
	static const char *const names[] = {
		[CONTROL_REPLY_ROWS] = "rows",
		[CONTROL_REPLY_OBJECT] = "object",
		[CONTROL_REPLY_TEXT] = "text",
		[CONTROL_REPLY_DONE] = "done",
		[CONTROL_REPLY_FAULTS] = "faults",
	};

	ENSURE((size_t)reply < COUNT(names));
	return names[reply];
}
