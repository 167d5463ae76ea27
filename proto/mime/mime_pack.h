/*
 * mime_pack.h - texts of a reply made small against words of ours and the header beside them.
 *
 * Runs of bytes, and copies of what stands before: in the words, the header, the text itself. In the manner of LZ4:
 *	u8: run length in 4 bits, copy length less 4 in 4 bits; 15 of either: a varint follows with
 *	the rest | the run | how far back the copy begins, varint; not after the last run
 * The words are a part of the format: who changes them raises MIME_DERIVED_VERSION.
 */
#ifndef PROTO_MIME_MIME_PACK_H
#define PROTO_MIME_MIME_PACK_H

#include "proto/base/buf.h"
#include "proto/base/span.h"

#define MIME_PACK_SLOTS 2048

/* Of one message; 0 means nothing. Zero-initialise it. */
struct mime_packer {
	struct span header;
	uint32_t slots[MIME_PACK_SLOTS]; /* place + 1 of what hashes there, counted from the words on */
};

/* The header that reader and writer have. */
void mime_packer_begin(struct mime_packer *p, struct span header);
/* FIELD lies in the header: its bytes are worth a copy. */
void mime_packer_add(struct mime_packer *p, struct span field);
/* Append TEXT packed. ERR_LIMIT. */
MUST_CHECK enum err mime_pack(struct mime_packer *p, struct span text, struct buf *out);

/* Append the SIZE bytes that PACKED stands for. ERR_CORRUPT; ERR_LIMIT. */
MUST_CHECK enum err mime_unpack(
	struct span header, struct span packed, size_t size, struct buf *out);

#endif
