/*
 * test_crypto.c - hashes by their published vectors; seals that open under one name and one key (H65).
 */
#include <string.h>

#include "proto/base/base64.h"
#include "proto/base/hex.h"
#include "server/net/crypto.h"
#include "server/session/app_password.h"
#include "server/session/scram.h"
#include "tests/unit/test_net.h"

#define PROOF "747cdb65aa56224e2352137e52d7bdcad6a0f738df30782caa69a2cfb0277554"
#define SIGNATURE "eabae24d1062db75a9451ff0b6ea7e98c8546549ff741e672d3251b2397de46e"
#define BYTES(array) ((struct span){ (const char *)(array), sizeof(array) })

static void
assert_hex(struct span bytes, const char *want)
{
	struct buf text;

	buf_init(&text, 1000);
	assert_int_equal(hex_put(&text, bytes), OK);
	assert_true(span_eq(buf_span(&text), span_of(want)));
	buf_fini(&text);
}

/* FIPS 180-2, RFC 4231, RFC 7914 (11), RFC 1321, RFC 2202. */
static void
test_crypto_vectors(void **state)
{
	struct crypto_hmac_md5 key;
	unsigned char out[CRYPTO_SHA256_SIZE], md5[CRYPTO_MD5_SIZE];
	char aa[80];

	(void)state;
	crypto_sha256(SPAN("abc"), out);
	assert_hex(BYTES(out), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	crypto_hmac_sha256(SPAN("Jefe"), SPAN("what do ya want for nothing?"), out);
	assert_hex(BYTES(out), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	crypto_pbkdf2_sha256(SPAN("passwd"), SPAN("salt"), 1, out);
	assert_hex(BYTES(out), "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
	crypto_pbkdf2_sha256(SPAN("Password"), SPAN("NaCl"), 80000, out);
	assert_hex(BYTES(out), "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
	crypto_md5(SPAN("message "), SPAN("digest"), md5);
	assert_hex(BYTES(md5), "f96b697d7cb7938d525a2f31aaf161d0");
	crypto_hmac_md5_key(SPAN("Jefe"), &key);
	crypto_hmac_md5(&key, SPAN("what do ya want for nothing?"), md5);
	assert_hex(BYTES(md5), "750c783e6ab0b503eaa86e310a5db738");
	memset(aa, 0xaa, sizeof(aa)); /* longer than a block */
	crypto_hmac_md5_key(BYTES(aa), &key);
	crypto_hmac_md5(&key, SPAN("Test Using Larger Than Block-Size Key - Hash Key First"), md5);
	assert_hex(BYTES(md5), "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd");
}

/* RFC 8463, appendix A: the header of its message, as it is hashed. */
#define RFC_8463_HEADER                                                                            \
	"from:Joe SixPack <joe@football.example.com>\r\n"                                          \
	"to:Suzie Q <suzie@shopping.example.net>\r\nsubject:Is dinner ready?\r\n"                 \
	"date:Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"                                          \
	"message-id:<20030712040037.46341.5F8J@football.example.com>\r\n"                         \
	"dkim-signature:v=1; a=ed25519-sha256; c=relaxed/relaxed; d=football.example.com; "        \
	"i=@football.example.com; q=dns/txt; s=brisbane; t=1528637909; "                           \
	"h=from : to : subject : date : message-id : from : subject : date; "                      \
	"bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b="

static void
test_crypto_ed25519_rfc_8463(void **state)
{
	struct crypto_sha256_stream stream;
	unsigned char hash[CRYPTO_SHA256_SIZE];
	struct buf seed, signature, text;

	(void)state;
	buf_init(&seed, 100);
	buf_init(&signature, CRYPTO_SIGNATURE_MAX);
	buf_init(&text, 1000);
	assert_int_equal(
		base64_decode(SPAN("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="), &seed), OK);
	crypto_sha256_begin(&stream);
	for (struct span rest = SPAN(RFC_8463_HEADER); rest.len > 0; rest = span_from(rest, 7))
		crypto_sha256_feed(&stream, span_range(rest, 0, 7));
	crypto_sha256_end(&stream, hash);
	assert_int_equal(crypto_signer_sign(CRYPTO_ED25519, buf_span(&seed), hash, &signature), OK);
	assert_int_equal(base64_put(&text, buf_span(&signature)), OK);
	assert_true(span_eq(buf_span(&text), SPAN("/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11"
						  "BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==")));
	assert_int_equal(crypto_signer_sign(CRYPTO_ED25519, SPAN("short"), hash, &text), ERR_SYNTAX);
	assert_int_equal(crypto_signer_sign(CRYPTO_RSA, buf_span(&seed), hash, &text), ERR_SYNTAX);
	buf_fini(&seed);
	buf_fini(&signature);
	buf_fini(&text);
}

/* That they verify elsewhere is tests/clients/signatures.py's business. */
static void
test_crypto_signers_are_made(void **state)
{
	unsigned char hash[CRYPTO_SHA256_SIZE] = { 1 };
	struct buf private, public, signature;

	(void)state;
	for (enum crypto_signer kind = CRYPTO_RSA; kind <= CRYPTO_ED25519; kind++) {
		buf_init(&private, CRYPTO_PRIVATE_MAX);
		buf_init(&public, CRYPTO_PUBLIC_MAX);
		buf_init(&signature, CRYPTO_SIGNATURE_MAX);
		assert_int_equal(crypto_signer_make(kind, 2048, &private, &public), OK);
		assert_int_equal(crypto_signer_sign(kind, buf_span(&private), hash, &signature), OK);
		assert_int_equal(buf_span(&public).len, kind == CRYPTO_RSA ? 294 : 32);
		assert_int_equal(buf_span(&signature).len, kind == CRYPTO_RSA ? 256 : 64);
		buf_wipe(&private);
		buf_fini(&public);
		buf_fini(&signature);
	}
	buf_init(&private, CRYPTO_PRIVATE_MAX);
	assert_int_equal(crypto_signer_make(CRYPTO_RSA, 1024, &private, &private), ERR_LIMIT);
	buf_fini(&private);
}

/* RFC 1939, 7 and RFC 2195, 2. */
static void
test_crypto_pop_02_smt_04_proofs(void **state)
{
	struct crypto_hmac_md5 key;
	unsigned char md5[CRYPTO_MD5_SIZE];

	(void)state;
	crypto_md5(SPAN("<1896.697170952@dbc.mtview.ca.us>"), SPAN("tanstaaf"), md5);
	assert_hex(BYTES(md5), "c4c9334bac560ecc979e58001b3e22fb");
	crypto_hmac_md5_key(SPAN("tanstaaftanstaaf"), &key);
	crypto_hmac_md5(&key, SPAN("<1896.697170952@postoffice.reston.mci.net>"), md5);
	assert_hex(BYTES(md5), "b913a602c7eda7a495b4e6e7334d3890");
}

/* RFC 7677, 3. */
static void
test_scram_h63_as_the_rfc(void **state)
{
	static const char auth[] =
		"n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
		"s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,"
		"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
	static const char salt[] =
		"\x5b\x6d\x99\x68\x9d\x12\x35\x8e\xec\xa0\x4b\x14\x12\x36\xfa\x81";
	struct scram_key key = { .iterations = 4096 }, again;
	unsigned char signature[CRYPTO_SHA256_SIZE];
	char row[USER_SCRAM_SIZE];
	struct buf proof;

	(void)state;
	memcpy(key.salt, salt, sizeof(key.salt));
	scram_key_from(SPAN("pencil"), &key);
	buf_init(&proof, 100);
	assert_int_equal(hex_decode(SPAN(PROOF), &proof), OK);
	assert_true(scram_proof_is_right(&key, span_of(auth), buf_span(&proof), signature));
	assert_hex(BYTES(signature), SIGNATURE);
	proof.bytes[31] ^= 1;
	assert_false(scram_proof_is_right(&key, span_of(auth), buf_span(&proof), signature));
	buf_fini(&proof);
	scram_key_put(&key, row);
	assert_true(scram_key_take(BYTES(row), &again));
	assert_memory_equal(&key, &again, sizeof(key));
	assert_false(scram_key_take(span_range(BYTES(row), 0, sizeof(row) - 1), &again));
	assert_false(scram_key_take(SPAN_NONE, &again));
}

/* H58: for ever the same for a name, whatever its letter case; another for another, and by the key. */
static void
test_scram_h58_fake_salt(void **state)
{
	struct crypto_key a = { "one key" }, b = { "another key" };
	char one[SCRAM_SALT_SIZE], two[SCRAM_SALT_SIZE];

	(void)state;
	scram_fake_salt(&a, SPAN("nobody"), one);
	scram_fake_salt(&a, SPAN("NoBody"), two);
	assert_memory_equal(one, two, sizeof(one));
	scram_fake_salt(&a, SPAN("nobodies"), two);
	assert_memory_not_equal(one, two, sizeof(one));
	scram_fake_salt(&b, SPAN("nobody"), two);
	assert_memory_not_equal(one, two, sizeof(one));
}

static void
test_crypto_h65_seals(void **state)
{
	struct crypto_key key = { "a key" }, other = { "another" };
	struct buf sealed, swapped, plain;

	(void)state;
	buf_init(&sealed, 1000);
	buf_init(&swapped, 1000);
	buf_init(&plain, 1000);
	assert_int_equal(crypto_seal(&key, SPAN("isp"), SPAN("hush"), &sealed), OK);
	assert_int_equal(crypto_seal(&key, SPAN("pop"), SPAN("hush"), &swapped), OK);
	assert_int_equal(buf_span(&sealed).len, 4 + CRYPTO_SEAL_MORE);
	assert_true(span_find_span(buf_span(&sealed), SPAN("hush")) == buf_span(&sealed).len);
	assert_int_equal(crypto_unseal(&key, SPAN("isp"), buf_span(&sealed), &plain), OK);
	assert_true(span_eq(buf_span(&plain), SPAN("hush")));
	buf_clear(&plain);
	/* two that were swapped, a key that is another, every bit that is */
	assert_int_equal(
		crypto_unseal(&key, SPAN("isp"), buf_span(&swapped), &plain), ERR_CORRUPT);
	assert_int_equal(
		crypto_unseal(&other, SPAN("isp"), buf_span(&sealed), &plain), ERR_DENIED);
	for (size_t i = 0; i < buf_span(&sealed).len; i++) {
		sealed.bytes[i] ^= 1;
		assert_int_not_equal(
			crypto_unseal(&key, SPAN("isp"), buf_span(&sealed), &plain), OK);
		sealed.bytes[i] ^= 1;
		assert_int_equal(crypto_unseal(&key, SPAN("isp"),
					 span_range(buf_span(&sealed), 0, i), &plain),
			ERR_CORRUPT);
	}
	assert_int_equal(buf_span(&plain).len, 0);
	buf_fini(&sealed);
	buf_fini(&swapped);
	buf_fini(&plain);
}

static void
test_app_passwords_are_ours(void **state)
{
	unsigned char one[APP_HASH_SIZE], two[APP_HASH_SIZE];
	char text[APP_PASSWORD_SIZE], other[APP_PASSWORD_SIZE];

	(void)state;
	app_password_make(text);
	app_password_make(other);
	assert_int_equal(strlen(text), APP_PASSWORD_SIZE - 1);
	assert_string_not_equal(text, other);
	assert_true(app_password_hash(7, span_of(text), one));
	assert_true(app_password_hash(7, span_of(text), two));
	assert_memory_equal(one, two, sizeof(one));
	assert_true(app_password_hash(8, span_of(text), two)); /* another user's is another */
	assert_memory_not_equal(one, two, sizeof(one));
	assert_false(app_password_hash(7, span_range(span_of(text), 0, 28), one));
	assert_false(app_password_hash(7, SPAN("k7mw-x3tq-9fzh-2bdn-vr8s-4cgpa"), one));
	assert_false(app_password_hash(7, SPAN("l7mw-x3tq-9fzh-2bdn-vr8s-4cgp"), one));
	assert_false(app_password_hash(7, SPAN("k7mw-x3tq-9fzh-2bdn-vr8s-4cg\0"), one));
	assert_false(app_password_hash(7, SPAN("secret"), one));
	assert_false(app_password_hash(7, SPAN_NONE, one));
}

int
test_crypto(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crypto_vectors),
		cmocka_unit_test(test_crypto_ed25519_rfc_8463),
		cmocka_unit_test(test_crypto_signers_are_made),
		cmocka_unit_test(test_crypto_pop_02_smt_04_proofs),
		cmocka_unit_test(test_scram_h63_as_the_rfc),
		cmocka_unit_test(test_scram_h58_fake_salt),
		cmocka_unit_test(test_crypto_h65_seals),
		cmocka_unit_test(test_app_passwords_are_ours),
	};

	return cmocka_run_group_tests_name("crypto", tests, NULL, NULL);
}
