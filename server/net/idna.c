/*
 * idna.c - libidn2 behind two lines: IDNA2008, what is not in normal form is put into it (RFC 5895).
 */
#include "server/net/idna.h"

#include <idn2.h>
#include <string.h>

enum err
idna_to_ascii(struct arena *a, struct span domain, struct span *out)
{
	char text[IDNA_DOMAIN_MAX + 1], *made = NULL;

	*out = domain;
	if (span_is_ascii(domain))
		return OK;
	if (domain.len > IDNA_DOMAIN_MAX || span_find(domain, '\0') < domain.len)
		return ERR_SYNTAX;
	memcpy(text, domain.ptr, domain.len);
	text[domain.len] = '\0';
	if (idn2_to_ascii_8z(text, &made, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return ERR_SYNTAX;
	*out = arena_copy(a, span_of(made));
	idn2_free(made);
	return OK;
}
