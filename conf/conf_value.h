/*
 * conf_value.h - one value: from text to its C type and back.
 */
#ifndef CONF_CONF_VALUE_H
#define CONF_CONF_VALUE_H

#include "conf/conf.h"
#include "conf/yaml_tree.h"

/* What is being loaded, handed from the file down to each value. */
struct loading {
	struct conf *conf;
	struct conf_faults *faults;
	bool is_default; /* a value from a row, not from the file: any fault is our own mistake */
};

/*
 * Parse the TEXT of a scalar into *out, whose type is that of ROW. What is kept is copied into A.
 * On ERR_SYNTAX or ERR_LIMIT *why says, in A, what would have been right. Not for lists.
 */
MUST_CHECK enum err conf_value_parse(const struct setting *row, struct span text, struct arena *a,
	void *out, struct span *why);

/*
 * Load NODE into *out, with a fault under KEY for all that is wrong with it. For lists of shapes see
 * conf_load.c.
 */
void conf_value_load(struct loading *l, const struct setting *row, const struct yaml_node *node,
	struct span key, void *out);
/* Its lists, in conf_value_list.c. */
void conf_value_load_list(struct loading *l, const struct setting *row,
	const struct yaml_node *node, struct span key, void *out);

bool setting_is_list(enum setting_type type);  /* of scalars */
bool setting_is_shape(enum setting_type type); /* services, routes, ... */
bool setting_is_text(enum setting_type type);  /* a scalar that may need quotes */

/* WORD's place among "a|b|c", or -1; and the word at a place. */
int conf_word_find(const char *words, struct span word);
struct span conf_word_at(const char *words, unsigned place);

/* "127.0.0.1:25", "[::1]:25", "*:25", "unix:PATH". ERR_SYNTAX. */
MUST_CHECK enum err conf_listen_parse(struct span text, struct arena *a, struct conf_listen *out);
/* HOST, HOST:PORT, ADDRESS, [V6], [V6]:PORT; *port is 0 where there is none. ERR_SYNTAX. */
MUST_CHECK enum err conf_endpoint_parse(struct span text, struct span *host, uint16_t *port);
MUST_CHECK enum err conf_clock_parse(struct span text, int64_t *minutes);

/* Value as JSON, and as a person writes it. */
MUST_CHECK enum err conf_value_put_json(
	const struct setting *row, const void *value, struct buf *out);
MUST_CHECK enum err conf_value_put_text(
	const struct setting *row, const void *value, struct buf *out);
#define SECRET_MASK "(secret)" /* what is put for a password; as a password it is refused */
MUST_CHECK enum err conf_put_string(struct buf *out, struct span text);

#endif
