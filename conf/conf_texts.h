/*
 * conf_texts.h - the texts that the server writes to people, by category (ADM-12).
 *
 * Each is a setting, changed as all are; this says where it belongs and what may stand in it. Every setting below
 * `texts.` has a row, and some that have other names.
 */
#ifndef CONF_CONF_TEXTS_H
#define CONF_CONF_TEXTS_H

#include <stddef.h>

struct conf_text {
	const char *key, *category;
	const char *placeholders; /* "%1 recipients, %2 default domain"; empty: none */
};

/* Sorted by category. */
extern const struct conf_text conf_texts[];
extern const size_t conf_text_count;

#endif
