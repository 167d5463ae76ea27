/*
 * control_search.c - the index of words: how far it is, and making it anew.
 */
#include "server/control/control_call.h"
#include "server/control/control_search.h"
#include "server/search/search.h"

void
control_put_search(struct json_writer *w, const struct host *host)
{
	struct search_status st;

	if (!host->search) {
		json_put_member_string(w, SPAN("state"), SPAN("off"));
		return;
	}
	search_status(host->search, &st);
	json_put_member_string(w, SPAN("state"), span_of(st.state));
	json_put_member_u64(w, SPAN("messages"), st.index.messages);
	json_put_member_u64(w, SPAN("behind"), st.behind);
	json_put_member_u64(w, SPAN("words"), st.index.words);
	json_put_member_u64(w, SPAN("runs"), st.index.runs);
	json_put_member_u64(w, SPAN("bytes"), st.index.bytes);
	json_put_member_u64(w, SPAN("written"), st.index.written);
	json_put_member_u64(w, SPAN("merges"), st.index.merges);
}

static enum step
status_read(struct control_call *call, struct snapshot *snap)
{
	(void)snap;
	json_put_object(&call->json);
	control_put_search(&call->json, call->host);
	json_put_close(&call->json);
	return STEP_DONE;
}

const struct control_handler control_do_search_status = {.read = status_read};

static bool
rebuild_check(struct control_call *call)
{
	if (!call->host->search)
		return control_fail(call, RPC_REFUSED, "there is no index of words",
			"see search.index and the log", NULL);
	search_rebuild(call->host->search);
	call->done = 1;
	call->note = SPAN("it begins at the first message; `postroom search status` tells how far it is");
	return true;
}

const struct control_handler control_do_search_rebuild = {.check = rebuild_check};
