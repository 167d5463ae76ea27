/*
 * idna.h - internationalised domain names as DNS and old servers want them (RFC 5891).
 */
#ifndef SERVER_NET_IDNA_H
#define SERVER_NET_IDNA_H

#include "proto/base/arena.h"
#include "proto/base/span.h"

#define IDNA_DOMAIN_MAX 1020 /* bytes of UTF-8 that are looked at */

/* DOMAIN with A-labels for its U-labels; one that is ASCII stays as it is. In A. ERR_SYNTAX: it is none. */
MUST_CHECK enum err idna_to_ascii(struct arena *a, struct span domain, struct span *out);

#endif
