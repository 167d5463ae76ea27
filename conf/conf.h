/*
 * conf.h - one read-only generation of the configuration.
 *
 * A generation is made by conf_load(), never changed, and freed by conf_free() once nobody looks at
 * it; counting who does is the server's business.  All that it points to lives in its one arena.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "conf/conf_types.h"
#include "conf/lan_rules.h"
#include "conf/rule_text.h"
#include "proto/base/arena.h"
#include "proto/base/buf.h"

/* As in settings.h. */
enum setting_needs { NEEDS_NOTHING, NEEDS_RELOAD, NEEDS_RESTART };

struct setting {
	const char *key;
	enum setting_type type;
	int64_t min, max;
	const char *fallback;
	const char *unit;
	enum setting_needs needs;
	const char *help;
	size_t offset; /* of its member, in struct conf or in the shape */
};

#define SETTING_INDEX(member, key, type, min, max, fallback, unit, needs, help) INDEX_##member,
enum setting_index { SETTINGS(SETTING_INDEX) SETTINGS_COUNT };
#undef SETTING_INDEX

struct conf {
	struct arena arena;
	struct span text;           /* the file, byte for byte; wiped when the generation goes */
	bool given[SETTINGS_COUNT]; /* by the file; else the default holds */
	bool has_secret;            /* some password stands in the text itself */
	struct span content_rules; /* likewise: the text of a script in Lua, or empty */
	struct lan_rules lan_rules; /* of other files: conf_rules.h */
	struct rule_set smtp_rules, download_rules;
	SETTINGS(SETTING_MEMBER)
};

void conf_free(struct conf **conf);

/* The rows of struct conf, SETTINGS_COUNT of them, in the order of settings.h. */
extern const struct setting settings[];
/* Names of services by enum service_name, and whether TLS begins with the first byte. */
extern const char *const service_names[SERVICE_COUNT];
extern const bool service_is_tls[SERVICE_COUNT];

bool conf_service_named(struct span text, enum service_name *out); /* false: no such name */

const char *setting_type_name(enum setting_type type);   /* "duration" */
const char *setting_needs_name(enum setting_needs needs); /* "reload" */

/* The service of that name, or NULL where the file does not name it: then it does not run. */
const struct conf_service *conf_service(const struct conf *conf, enum service_name name);
/* Its limits after the rule that 0 means limits.* and timeouts.* */
int64_t conf_service_max_connections(const struct conf *conf, const struct conf_service *service);
int64_t conf_service_max_per_ip(const struct conf *conf, const struct conf_service *service);
int64_t conf_service_timeout_ms(const struct conf *conf, const struct conf_service *service);

/* The collector of that name, letter case does not count; or NULL. Its place is the distance from the first. */
const struct conf_collector *conf_collector(const struct conf *conf, struct span name);

/* domains.default, else the first plain domain of domains.local, else hostname; may be empty. */
struct span conf_default_domain(const struct conf *conf);

/* Words that `hostname` may be in place of a name (SVC-06); letter case does not count. */
#define HOSTNAME_DOMAIN "domain"
#define HOSTNAME_ADDRESS "IPAddress"
bool conf_hostname_is_word(const struct conf *conf);

/*
 * Is LOCAL_PART@DOMAIN ours by domains.local (LOC-02)?  An entry is a domain (anyone there), an
 * address, or either with '*' and '?'; letter case does not count in either part.
 */
bool conf_is_local(const struct conf *conf, struct span local_part, struct span domain);
/* The same for any list of that syntax (Accepted Domains, INM-06). */
bool patterns_match(struct conf_list patterns, struct span local_part, struct span domain);

/* What domains.map makes of DOMAIN (LOC-06); ptr NULL: it is not in it. */
struct span conf_mapped_domain(const struct conf *conf, struct span domain);

/* One setting as a reader of `config show` meets it. */
struct conf_entry {
	const char *key; /* dotted; items of lists by their place: outgoing.routes.0.name */
	const struct setting *setting;
	const void *value; /* of the setting's C type */
	bool is_default;   /* the file does not give it */
};
/* Return false to stop. */
typedef bool conf_visit(const struct conf_entry *entry, void *arg);

/* Walk every setting in the order of the file: single ones, then each part of each item. */
void conf_each(const struct conf *conf, conf_visit *visit, void *arg);

/*
 * Find one setting. KEY may name a part: "services.smtp.listen", "outgoing.routes.isp.tls" (an item
 * by its name or its place). ERR_NOT_FOUND. *out's key is KEY, so it must outlive *out.
 */
MUST_CHECK enum err conf_find(const struct conf *conf, const char *key, struct conf_entry *out);

/*
 * Put an entry's value as a person would write it (lists as JSON), or as JSON. A secret is never
 * put, only "(secret)" or where it is kept (H66). ERR_LIMIT where OUT is full.
 */
MUST_CHECK enum err conf_put_text(const struct conf_entry *entry, struct buf *out);
MUST_CHECK enum err conf_put_json(const struct conf_entry *entry, struct buf *out);

/* By dotted key; of a section ("log") every setting below it, as text lines or an object. */
MUST_CHECK enum err conf_get_text(const struct conf *conf, const char *key, struct buf *out);
MUST_CHECK enum err conf_get_json(const struct conf *conf, const char *key, struct buf *out);

#endif
