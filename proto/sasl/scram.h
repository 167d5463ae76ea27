/*
 * scram.h - the messages of a SCRAM client (RFC 5802, 5 and 7), taken apart. For sasl.c.
 */
#ifndef PROTO_SASL_SCRAM_H
#define PROTO_SASL_SCRAM_H

#include "proto/base/span.h"

/* Spans point into the message. */
struct scram_first {
	struct span gs2;     /* the header, its last comma included: what `c=` must repeat */
	struct span bare;    /* all behind it */
	struct span authzid; /* as written, "=2C" and "=3D" still in it; likewise: */
	struct span name;
	struct span nonce;
};

struct scram_final {
	struct span binding; /* base64 */
	struct span nonce;
	struct span without_proof; /* the message up to ",p=" */
	struct span proof;	   /* base64 */
};

/*
 * "n,,n=anna,r=..." ERR_SYNTAX: not so; ERR_DENIED: it asks for what is not offered here: channel
 * binding ("p=") or a mandatory extension ("m=").
 */
MUST_CHECK enum err scram_first_parse(struct span message, struct scram_first *out);
/* "c=biws,r=...,p=..." */
MUST_CHECK enum err scram_final_parse(struct span message, struct scram_final *out);

/* A saslname without its escapes, into OUT; *len. ERR_LIMIT: over MAX bytes. */
MUST_CHECK enum err scram_name_decode(struct span name, char *out, size_t max, size_t *len);

#endif
