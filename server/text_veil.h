/*
 * text_veil.h - messages encrypted in the store, under a key made from secrets.key (SEC-08).
 *
 * Light protection: it keeps text from whoever sees the data file or a backup alone. Root, and
 * whoever has the key's file, can read all.
 */
#ifndef SERVER_TEXT_VEIL_H
#define SERVER_TEXT_VEIL_H

#include "conf/conf.h"
#include "server/secret_key.h"
#include "store/store.h"

/* For store_options: by SECRET; *text_key must live as long as the store. */
struct store_veil text_veil(
	const struct conf *conf, const struct crypto_key *secret, struct crypto_key *text_key);

/* The same for tools: the key is read from its file. Without it nothing is deciphered. */
struct store_veil text_veil_of_file(const struct conf *conf, struct crypto_key *text_key);

#endif
