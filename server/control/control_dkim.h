/*
 * control_dkim.h - what the methods about DKIM keys and about DNS records share.
 */
#ifndef SERVER_CONTROL_CONTROL_DKIM_H
#define SERVER_CONTROL_CONTROL_DKIM_H

#include "proto/auth/dkim.h"
#include "server/control/control_call.h"
#include "store/dkim_keys.h"

/* A parameter that is a domain or a selector, in lower case in the call's arena. Fails the call. */
bool control_dkim_domain(struct control_call *call, struct span *out);
bool control_dkim_selector(struct control_call *call, struct span *out);
/* "s1._domainkey.example.org"; in A. */
struct span dkim_record_name(struct arena *a, const struct dkim_key *key);
/* "v=DKIM1; k=rsa; p=..."; in A. */
struct span dkim_record_text(struct arena *a, const struct dkim_key *key);
/* Put KEY; its spans are copied out of the map first. */
enum err control_dkim_put(struct txn *txn, const struct dkim_key *key);
/* Every key of DOMAIN and ALGORITHM but KEEP that is not retired stops at UNTIL_MS. */
enum err control_dkim_end_others(struct txn *txn, const struct dkim_key *keep, int64_t until_ms);

#endif
